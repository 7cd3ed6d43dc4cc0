"""Endpoints 1 and 8 to 13 and 15: one lead, from its creation to its deletion."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import httpx
import orjson
import pytest

from services.campaign_svc.app import create_api_app as create_campaign_api
from shared.events.leads import (
    LeadAssigned,
    LeadConverted,
    LeadCreated,
    LeadDeleted,
    LeadScheduled,
    LeadStatusChanged,
    LeadUpdated,
)
from tests.contract.leads.test_leads import DOCUMENTED_FIELDS
from tests.fixtures.campaigns import api_settings, bearer, campaigns_database, claims, smallest_body
from tests.fixtures.gateway import phone_number
from tests.fixtures.leads import (
    ALLOWED_TRANSITIONS,
    CONTRACT_LEAD,
    LEAD_STATUSES,
    REQUIRED_OF_A_LEAD,
    LeadCompany,
    body_of,
    lead_api_on,
    lead_api_settings,
)
from tests.fixtures.servers import ServerUrls
from tests.fixtures.serving import serving

__all__ = ["campaigns_database"]

CREATED = "Voice lead created successfully"
UPDATED = {"message": "Voice lead updated successfully"}
DELETED = {"message": "Voice lead deleted successfully"}
STATUS_UPDATED = {"message": "Lead status updated successfully"}
ASSIGNED = {"message": "Lead assigned successfully"}
SCHEDULED = {"message": "Call scheduled successfully"}
CONVERTED = {"message": "Lead marked as converted successfully"}
NOT_FOUND = {"message": "Voice lead not found", "error": "Voice lead not found"}
INVALID_CAMPAIGN = "Invalid campaign_id or campaign does not belong to company"

MAX_ID = 2**63 - 1
MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
OPTIONAL = CONTRACT_LEAD.keys() - set(REQUIRED_OF_A_LEAD)
OWN_FIELDS = ("id", "version", "attempts", "sub_status", "conversion_value", "converted_at", "created_at", "import_id")
"""Fields that only the service sets."""
A_STATUS = [status for status in LEAD_STATUSES if status != "blacklisted"]

OTHER_VALUES: dict[str, Any] = {
    "first_name": "Jane",
    "last_name": "Roe",
    "phone": "+1234567891",
    "alternate_phone": None,
    "email": "jane.roe@example.org",
    "company_name": "XYZ Ltd",
    "job_title": None,
    "industry": "Retail",
    "status": "in_progress",
    "priority": 5,
    "best_time_to_call": "09:30:15",
    "timezone": "Europe/Berlin",
    "preferred_language": "de-DE",
    "country": "Germany",
    "state": None,
    "city": "Berlin",
    "address": "Unter den Linden 1",
    "postal_code": "10117",
    "source": "Referral",
    "source_details": None,
    "annual_revenue": 0.01,
    "company_size": None,
    "lead_score": 0,
    "interest_level": "low",
    "pain_points": ["Slow"],
    "requirements": [],
    "custom_fields": {"colour": "red", "deep": {"list": [1, 2.5, None, True]}},
    "assigned_to": 124,
    "notes": "Other notes",
    "tags": ["smb"],
    "last_contact_date": None,
    "next_contact_date": "2024-02-21T14:00:01Z",
}
"""Another value for each field that can change."""


def _errors(response: httpx.Response) -> dict[str, str]:
    """Which fields are named as wrong, and in which words."""
    assert response.status_code == 400, response.text
    answer = response.json()
    assert answer.keys() == {"message", "error", "errors"}
    for error in answer["errors"]:
        assert error.keys() == {"field", "value", "code", "message"}
    assert answer["errors"][0]["message"] in answer["error"]
    return {error["field"]: error["message"] for error in answer["errors"]}


async def _set_status(company: LeadCompany, lead: dict[str, Any], status: str, **options: Any) -> httpx.Response:
    return await company.on_lead("PATCH", lead, "/status", {"status": status}, **options)


# Endpoint 1: create


async def test_the_contracts_lead_is_created_and_returned_with_every_field(company: LeadCompany) -> None:
    response = await company.post(company.body())
    assert response.status_code == 201, response.text
    assert response.headers["content-type"] == "application/json"
    answer = response.json()
    assert answer.keys() == {"message", "data"}
    assert answer["message"] == CREATED
    lead = answer["data"]
    assert response.headers["Location"] == f"/api/voice-leads/{lead['id']}"
    assert lead.keys() >= DOCUMENTED_FIELDS
    custom_fields = {**CONTRACT_LEAD["custom_fields"], "tags": CONTRACT_LEAD["tags"]}
    assert body_of(lead) == company.body(custom_fields=custom_fields)
    assert isinstance(lead["id"], int)
    assert (lead["version"], lead["attempts"], lead["sub_status"]) == (1, 0, None)
    assert (lead["conversion_value"], lead["converted_at"]) == (None, None)
    assert MOMENT.fullmatch(lead["created_at"])
    assert lead["updated_at"] == lead["created_at"]


async def test_a_created_lead_is_at_its_location(company: LeadCompany) -> None:
    response = await company.post(company.body())
    current = await company.send("GET", response.headers["Location"])
    assert (current.status_code, current.json()) == (200, response.json()["data"])


@pytest.mark.parametrize("left_out", ["absent", "null"])
async def test_what_is_left_out_gets_its_default(company: LeadCompany, left_out: str) -> None:
    body = company.smallest_body(**(dict.fromkeys(OPTIONAL) if left_out == "null" else {}))
    response = await company.post(body)
    assert response.status_code == 201, response.text
    lead = response.json()["data"]
    defaults: dict[str, Any] = {
        **dict.fromkeys(OPTIONAL),
        "priority": 3,
        "timezone": "UTC",
        "preferred_language": "en-US",
        "custom_fields": {},
    }
    assert {name: lead[name] for name in OPTIONAL} == defaults
    assert {name: lead[name] for name in REQUIRED_OF_A_LEAD} == company.smallest_body()


@pytest.mark.parametrize("status", A_STATUS)
async def test_a_lead_is_created_in_any_status(company: LeadCompany, status: str) -> None:
    assert (await company.create(status=status))["status"] == status


async def test_a_lead_created_as_blacklisted_takes_its_number_along(company: LeadCompany) -> None:
    before = await company.create()
    assert (await company.create(status="blacklisted"))["status"] == "blacklisted"
    assert await company.listed_numbers() == [CONTRACT_LEAD["phone"]]
    assert (await company.read(before))["status"] == "blacklisted"


@pytest.mark.parametrize("tags", ["enterprise", 5, {"a": 1}])
async def test_a_custom_field_named_tags_is_returned_as_tags_only_if_it_is_a_list(
    company: LeadCompany, tags: object
) -> None:
    lead = await company.create(tags=None, custom_fields={"tags": tags})
    assert (lead["tags"], lead["custom_fields"]) == (None, {"tags": tags})
    assert await company.read(lead) == lead


async def test_a_created_lead_emits_an_event(company: LeadCompany) -> None:
    lead = await company.create()
    [event] = await company.emitted_events()
    assert isinstance(event, LeadCreated)
    [emitted] = event.leads
    emitted_fields = emitted.model_dump(mode="json", exclude={"created_at", "updated_at"})
    assert emitted_fields == {name: lead[name] for name in emitted_fields}
    assert emitted.version == 1


@pytest.mark.parametrize(
    ("values", "current"),
    [
        ({"phone": "(415) 555-2671 ext 5"}, {"phone": "+14155552671", "custom_fields": {"phone_extension": "5"}}),
        ({"phone": "4155552671"}, {"phone": "+14155552671", "custom_fields": {}}),
        ({"alternate_phone": "+44 (0)20 7946 0958"}, {"alternate_phone": "+442079460958"}),
        ({"tags": ["a", "b"]}, {"tags": ["a", "b"], "custom_fields": {"tags": ["a", "b"]}}),
        ({"custom_fields": {"tags": ["a"]}}, {"tags": ["a"], "custom_fields": {"tags": ["a"]}}),
        ({"best_time_to_call": "09:30"}, {"best_time_to_call": "09:30:00"}),
        ({"next_contact_date": "2024-02-20T15:00:00+01:00"}, {"next_contact_date": "2024-02-20T14:00:00Z"}),
        ({"next_contact_date": "2024-02-20 14:00:00"}, {"next_contact_date": "2024-02-20T14:00:00Z"}),
        ({"lead_score": 0, "priority": 5}, {"lead_score": 0, "priority": 5}),
        ({"lead_score": 100, "priority": 1}, {"lead_score": 100, "priority": 1}),
        ({"annual_revenue": 1234.56}, {"annual_revenue": 1234.56}),
        ({"annual_revenue": 0}, {"annual_revenue": 0}),
        ({"first_name": "  Zoë 電話 "}, {"first_name": "Zoë 電話"}),
        ({"custom_fields": {"a": {"b": [1, None, "é"]}}}, {"custom_fields": {"a": {"b": [1, None, "é"]}}}),
    ],
    ids=str,
)
async def test_values_are_normalized(company: LeadCompany, values: dict[str, Any], current: dict[str, Any]) -> None:
    response = await company.post(company.smallest_body(**values))
    assert response.status_code == 201, response.text
    lead = response.json()["data"]
    assert {name: lead[name] for name in current} == current


@pytest.mark.parametrize("field", REQUIRED_OF_A_LEAD)
@pytest.mark.parametrize("left_out", ["absent", "null"])
async def test_a_required_field_that_is_missing_is_named(company: LeadCompany, field: str, left_out: str) -> None:
    body = company.body()
    body = body | {field: None} if left_out == "null" else {n: value for n, value in body.items() if n != field}
    response = await company.post(body)
    assert _errors(response) == {field: f"Missing required field: {field}"}
    assert await company.stored() == [[], [], [], []]


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("phone", "12", "Invalid phone number format: 12"),
        ("status", "running", "Invalid status value"),
        ("first_name", "  ", "Missing required field: first_name"),
        ("custom_fields", ["a"], "Custom fields must be a JSON object"),
        ("priority", MAX_ID + 1, "Priority must be between 1 and 5"),
    ],
    ids=lambda value: str(value)[:30],
)
@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_an_invalid_value_is_400_with_field_and_message(
    company: LeadCompany, method: str, field: str, value: object, message: str
) -> None:
    """Fails when an endpoint does not use the schema, whose rules `tests/unit/lead_svc/test_lead_schemas.py` tests."""
    lead = await company.create()
    before = await company.stored()
    path = "/api/voice-leads" if method == "POST" else f"/api/voice-leads/{lead['id']}"
    # Not orjson, which writes no integers of more than 64 bits.
    content = json.dumps(company.body(**{field: value})).encode()
    assert _errors(await company.send(method, path, content=content)) == {field: message}
    assert await company.stored() == before


UNUSUAL_JSON = [
    ("assigned_to", b"99999999999999999999999999"),
    ("first_name", b'"\\ud800"'),
    ("custom_fields", b'{"a": "\\u0000"}'),
    ("phone", b"[" * 500 + b"]" * 500),
    ("annual_revenue", b"1e999"),
    ("lead_score", b"NaN"),
]
"""JSON that parsers, PostgreSQL or the error response could fail on."""


@pytest.mark.parametrize(("field", "value"), UNUSUAL_JSON, ids=lambda value: repr(value)[:40])
async def test_unusual_json_is_400_with_the_field(company: LeadCompany, field: str, value: bytes) -> None:
    body = company.body(**{field: "here"})
    response = await company.send("POST", "/api/voice-leads", content=orjson.dumps(body).replace(b'"here"', value))
    assert {name.partition(".")[0] for name in _errors(response)} <= {field, ""}
    assert await company.stored() == [[], [], [], []]


async def test_one_response_names_every_error_of_a_body(company: LeadCompany) -> None:
    wrong = {
        "phone": "12",
        "email": "x",
        "lead_score": 101,
        "status": "running",
        "interest_level": "burning",
        "priority": 6,
        "colour": "red",
    }
    body = {name: value for name, value in company.body(**wrong).items() if name != "first_name"}
    assert _errors(await company.post(body)).keys() == {*wrong, "first_name"}


@pytest.mark.parametrize("field", ["colour", "First_Name", *OWN_FIELDS])
async def test_a_field_that_a_body_does_not_have_is_refused_by_name(company: LeadCompany, field: str) -> None:
    response = await company.post(company.body(**{field: 1}))
    assert _errors(response) == {field: f"Unknown field: {field}"}


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b'"lead"', b"\xff", b"[" * 100_000])
async def test_a_body_that_is_no_object_is_refused(company: LeadCompany, content: bytes) -> None:
    response = await company.send("POST", "/api/voice-leads", content=content)
    assert response.status_code == 400
    assert response.json().keys() >= {"message", "error"}


async def test_a_campaign_that_is_not_the_companys_is_refused(company: LeadCompany, other_company: LeadCompany) -> None:
    deleted = await company.add_campaign(deleted=True)
    for campaign_id in (other_company.campaign_id, deleted):
        response = await company.post(company.body(campaign_id=campaign_id))
        assert response.status_code == 400
        assert response.json()["error"] == INVALID_CAMPAIGN
    assert await company.stored() == [[], [], [], []]


async def test_while_campaign_svc_is_away_an_unknown_campaign_has_to_wait(company: LeadCompany) -> None:
    response = await company.post(company.body(campaign_id=MAX_ID))
    assert response.status_code == 503
    assert response.json().keys() == {"message", "error"}
    assert await company.stored() == [[], [], [], []]


@pytest.fixture
async def campaign_svc(servers: ServerUrls, campaigns_database: str) -> AsyncIterator[str]:
    """Address of the real campaign service, whose events are not relayed."""
    async with serving(create_campaign_api(api_settings(servers, campaigns_database))) as url:
        yield url


async def _campaign_of(campaign_svc: str, company_id: int) -> int:
    async with httpx.AsyncClient(base_url=campaign_svc, headers=bearer(claims(company_id)), trust_env=False) as http:
        response = await http.post("/api/voice-campaigns", json=smallest_body(company_id))
    campaign_id: int = response.json()["data"]["id"]
    return campaign_id


async def test_a_campaign_whose_events_have_not_arrived_is_requested(
    servers: ServerUrls, leads_database: str, campaign_svc: str, company: LeadCompany, other_company: LeadCompany
) -> None:
    mine = await _campaign_of(campaign_svc, company.id)
    theirs = await _campaign_of(campaign_svc, other_company.id)
    async with lead_api_on(lead_api_settings(servers, leads_database, campaign_svc)) as api:
        requester = LeadCompany(api, company.id, mine)
        created = await requester.post(requester.body())
        refused = [await requester.post(requester.body(campaign_id=other)) for other in (theirs, MAX_ID)]
    again = await company.post(company.body(campaign_id=mine))  # while campaign_svc is away

    assert (created.status_code, again.status_code) == (201, 201)
    assert created.json()["data"]["campaign_id"] == mine
    assert [(response.status_code, response.json()["error"]) for response in refused] == [(400, INVALID_CAMPAIGN)] * 2


async def test_a_company_outside_the_token_is_refused(company: LeadCompany, other_company: LeadCompany) -> None:
    body = company.body(company_id=other_company.id, campaign_id=other_company.campaign_id)
    response = await company.post(body)
    assert response.status_code == 403
    assert response.json()["message"] == "Access denied"
    assert await other_company.stored() == [[], [], [], []]


# Endpoint 1 with an Idempotency-Key


async def _keyed(company: LeadCompany, content: bytes, **changes: object) -> httpx.Response:
    headers = {"Idempotency-Key": f"key-{company.id}"}
    return await company.send("POST", "/api/voice-leads", content=content, headers=headers, **changes)


async def test_a_repeated_request_is_executed_once_and_gets_the_same_response(company: LeadCompany) -> None:
    content = orjson.dumps(company.body())
    first, again = [await _keyed(company, content) for _ in range(2)]
    assert first.status_code == again.status_code == 201
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.content == first.content
    assert again.headers["Location"] == first.headers["Location"]
    assert len(await company.emitted_events()) == 1


async def test_the_answer_stays_what_it_was_though_the_lead_is_gone(company: LeadCompany) -> None:
    content = orjson.dumps(company.body())
    first = await _keyed(company, content)
    await company.on_lead("DELETE", first.json()["data"])
    assert (await _keyed(company, content)).content == first.content
    assert (await company.send("GET", company.list_path)).json() == []


async def test_other_content_with_a_used_key_is_refused(company: LeadCompany) -> None:
    content = orjson.dumps(company.body())
    await _keyed(company, content)
    before = await company.stored()
    response = await _keyed(company, content + b" ")
    assert response.status_code == 422
    assert response.json()["message"] == "Idempotency-Key already used"
    assert await company.stored() == before


async def test_keys_are_each_callers_own(company: LeadCompany) -> None:
    content = orjson.dumps(company.body())
    responses = [await _keyed(company, content, sub=subject) for subject in ("anna", "ben")]
    assert [response.status_code for response in responses] == [201, 201]
    assert len({response.json()["data"]["id"] for response in responses}) == 2


async def test_a_refused_request_stores_no_key(company: LeadCompany, other_company: LeadCompany) -> None:
    for refused in ({"first_name": ""}, {"campaign_id": other_company.campaign_id}):
        assert (await _keyed(company, orjson.dumps(company.body(**refused)))).status_code == 400
    response = await _keyed(company, orjson.dumps(company.body()))
    assert response.status_code == 201
    assert "Idempotency-Replayed" not in response.headers


async def test_of_many_at_once_one_is_done(company: LeadCompany) -> None:
    content = orjson.dumps(company.body())
    responses = await asyncio.gather(*(_keyed(company, content) for _ in range(8)))
    assert {response.status_code for response in responses} <= {201, 409}
    assert len({response.content for response in responses if response.status_code == 201}) == 1
    assert len(await company.emitted_events()) == 1


# Endpoint 9: update


def test_every_field_that_can_change_has_another_value_here() -> None:
    assert OTHER_VALUES.keys() == CONTRACT_LEAD.keys() - {"company_id", "campaign_id"}


async def test_the_contracts_answer_to_an_update(company: LeadCompany) -> None:
    lead = await company.create()
    response = await company.on_lead("PUT", lead, body=company.body(first_name="Jane"))
    assert (response.status_code, response.json()) == (200, UPDATED)


@pytest.mark.parametrize("field", OTHER_VALUES)
async def test_each_field_can_be_changed_alone(company: LeadCompany, field: str) -> None:
    lead = await company.create(custom_fields={})
    response = await company.on_lead(
        "PUT", lead, body=company.body(**{"custom_fields": {}, field: OTHER_VALUES[field]})
    )
    assert response.status_code == 200, response.text
    current = await company.read(lead)
    changed = {name for name in lead if current[name] != lead[name]} - {"version", "updated_at"}
    assert changed == ({field, "custom_fields"} if field == "tags" else {field})
    assert current["version"] == 2
    if field == "custom_fields":
        assert current[field] == OTHER_VALUES[field] | {"tags": CONTRACT_LEAD["tags"]}
    else:
        assert current[field] == OTHER_VALUES[field]


async def test_everything_can_be_changed_at_once(company: LeadCompany) -> None:
    lead = await company.create()
    body = company.body(**OTHER_VALUES)
    assert (await company.on_lead("PUT", lead, body=body)).json() == UPDATED
    current = await company.read(lead)
    custom_fields = {**body["custom_fields"], "tags": body["tags"]}
    assert body_of(current) == body | {"custom_fields": custom_fields}
    assert (current["id"], current["version"], current["created_at"]) == (lead["id"], 2, lead["created_at"])


async def test_what_an_update_leaves_out_gets_its_default(company: LeadCompany) -> None:
    full = await company.create()
    small = (await company.post(company.smallest_body())).json()["data"]
    assert (await company.on_lead("PUT", full, body=company.smallest_body())).json() == UPDATED
    assert body_of(await company.read(full)) == body_of(small)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"first_name": " John "},
        {"phone": "001234567890"},
        {"annual_revenue": 5000000},
        {"best_time_to_call": "14:00"},
        {"last_contact_date": "2024-02-19T11:30:00+01:00"},
        {"custom_fields": CONTRACT_LEAD["custom_fields"] | {"tags": CONTRACT_LEAD["tags"]}},
    ],
    ids=lambda changes: ", ".join(changes) or "the same body",
)
async def test_replacing_a_lead_by_itself_changes_nothing(company: LeadCompany, changes: dict[str, Any]) -> None:
    lead = await company.create()
    before = await company.stored()
    response = await company.on_lead("PUT", lead, body=company.body(**changes))
    assert (response.status_code, response.json()) == (200, UPDATED)
    assert await company.stored() == before


async def test_what_is_answered_can_be_sent_again_without_a_change(company: LeadCompany) -> None:
    lead = await company.create(phone="(415) 555-2671 ext 5")
    before = await company.stored()
    assert (await company.on_lead("PUT", lead, body=body_of(lead))).status_code == 200
    assert await company.stored() == before


async def test_a_lead_stays_with_its_campaign_and_company(company: LeadCompany, other_company: LeadCompany) -> None:
    lead = await company.create()
    before = await company.stored()
    token = bearer(claims(company.id, other_company.id))
    for field, value in (("campaign_id", await company.add_campaign()), ("company_id", other_company.id)):
        response = await company.on_lead("PUT", lead, body=company.body(**{field: value}), headers=token)
        assert _errors(response).keys() == {field}
    assert await company.stored() == before


@pytest.mark.parametrize(
    ("changes", "emitted"),
    [
        ({"notes": "x"}, {LeadUpdated}),
        ({"status": "completed"}, {LeadStatusChanged}),
        ({"notes": "x", "status": "completed"}, {LeadStatusChanged, LeadUpdated}),
    ],
    ids=lambda value: str(value if isinstance(value, dict) else sorted(event.event_type for event in value)),
)
async def test_an_update_emits_an_event(
    company: LeadCompany, changes: dict[str, Any], emitted: set[type[LeadUpdated | LeadStatusChanged]]
) -> None:
    lead = await company.create()
    await company.on_lead("PUT", lead, body=company.body(**changes))
    _, *events = await company.emitted_events()
    assert {type(event) for event in events} == emitted
    for event in events:
        assert isinstance(event, LeadUpdated | LeadStatusChanged)
        [current] = event.leads
        assert (current.id, current.version) == (lead["id"], 2)
        assert current.status == changes.get("status", "pending")
        if isinstance(event, LeadStatusChanged):
            assert event.leads[0].previous_status == "pending"


async def test_an_update_of_the_assignee_emits_an_assignment(company: LeadCompany) -> None:
    lead = await company.create()
    await company.on_lead("PUT", lead, body=company.body(assigned_to=5))
    [assignment] = [event for event in await company.emitted_events() if isinstance(event, LeadAssigned)]
    assert (assignment.leads[0].assigned_to, assignment.leads[0].previous_assigned_to) == (5, 123)


async def test_an_update_retains_attempts_and_conversion(company: LeadCompany) -> None:
    lead = await company.create()
    await company.on_lead("POST", lead, "/call-attempt", {"duration": 5})
    await company.on_lead("PATCH", lead, "/convert", {"value": 10})
    before = await company.read(lead)
    await company.on_lead("PUT", lead, body=company.body(status="completed", notes="Changed"))
    after = await company.read(lead)
    for name in ("attempts", "conversion_value", "converted_at", "created_at", "import_id"):
        assert after[name] == before[name]


@pytest.mark.parametrize("source", LEAD_STATUSES)
async def test_an_update_obeys_the_table_of_statuses(company: LeadCompany, source: str) -> None:
    for number, target in enumerate(LEAD_STATUSES):
        lead = await company.create(status=source, phone=phone_number(number))
        response = await company.on_lead("PUT", lead, body=body_of(lead, status=target))
        allowed = target == source or target in ALLOWED_TRANSITIONS[source]
        assert response.status_code == (200 if allowed else 409), (target, response.text)
        assert (await company.read(lead))["status"] == (target if allowed else source)


async def test_not_even_an_administrator_takes_a_lead_off_the_blacklist_by_an_update(company: LeadCompany) -> None:
    lead = await company.create(status="blacklisted")
    before = await company.stored()
    response = await company.on_lead("PUT", lead, body=company.body(status="pending"), role="admin")
    assert response.status_code == 409
    assert await company.stored() == before


# Endpoint 10: delete


async def test_a_deleted_lead_is_gone(company: LeadCompany) -> None:
    lead, left = await company.create_many(2)
    await company.on_lead("POST", lead, "/call-attempt", {"duration": 5})
    response = await company.on_lead("DELETE", lead)
    assert (response.status_code, response.json()) == (200, DELETED)
    for method, step, body in EVERYTHING:
        response = await company.on_lead(method, lead, step, company.body() if method == "PUT" else body)
        assert (response.status_code, response.json()) == (404, NOT_FOUND), (method, step)
    assert (await company.send("GET", company.list_path)).json() == [left]


EVERYTHING: list[tuple[str, str, dict[str, Any] | None]] = [
    ("GET", "", None),
    ("PUT", "", None),
    ("DELETE", "", None),
    ("PATCH", "/status", {"status": "completed"}),
    ("PATCH", "/assign", {"assigned_to": 5}),
    ("PATCH", "/schedule", {"scheduled_call_time": "2024-02-20T14:00:00Z"}),
    ("PATCH", "/convert", {"value": 1}),
    ("POST", "/call-attempt", {"duration": 1}),
    ("GET", "/call-attempts", None),
]
"""What can be done with one lead."""


@pytest.mark.parametrize(("method", "step", "body"), EVERYTHING)
async def test_a_lead_that_never_was_is_not_found(
    company: LeadCompany, method: str, step: str, body: dict[str, Any] | None
) -> None:
    body = company.body() if method == "PUT" else body
    response = await company.on_lead(method, {"id": MAX_ID}, step, body)
    assert (response.status_code, response.json()) == (404, NOT_FOUND)


@pytest.mark.parametrize("lead_id", ["x", "0", "-1", "1.5", str(MAX_ID + 1)])
async def test_an_id_that_is_none_is_refused_everywhere(company: LeadCompany, lead_id: str) -> None:
    for method, step, body in EVERYTHING:
        response = await company.on_lead(method, {"id": lead_id}, step, company.body() if method == "PUT" else body)
        assert _errors(response).keys() == {"id"}


async def test_a_deletion_emits_a_version_of_its_own(company: LeadCompany) -> None:
    lead = await company.create()
    await company.on_lead("DELETE", lead)
    _, event = await company.emitted_events()
    assert isinstance(event, LeadDeleted)
    assert [(emitted.id, emitted.version) for emitted in event.leads] == [(lead["id"], 2)]


async def test_the_number_of_a_deleted_lead_stays_on_the_list(company: LeadCompany) -> None:
    lead = await company.create(status="blacklisted")
    await company.on_lead("DELETE", lead)
    assert await company.listed_numbers() == [lead["phone"]]
    assert (await company.create())["status"] == "blacklisted"


# Endpoint 11: status


async def test_the_contracts_status_is_returned_with_its_sub_status(company: LeadCompany) -> None:
    lead = await company.create()
    body = {"status": "in_progress", "sub_status": "attempting_contact"}
    response = await company.on_lead("PATCH", lead, "/status", body)
    assert (response.status_code, response.json()) == (200, STATUS_UPDATED)
    current = await company.read(lead)
    assert (current["status"], current["sub_status"], current["version"]) == ("in_progress", "attempting_contact", 2)


@pytest.mark.parametrize("target", LEAD_STATUSES)
@pytest.mark.parametrize("source", LEAD_STATUSES)
async def test_a_status_obeys_the_table(company: LeadCompany, source: str, target: str) -> None:
    lead = await company.create(status=source)
    before = await company.stored()
    response = await _set_status(company, lead, target)
    if target == source:
        assert (response.status_code, response.json()) == (200, STATUS_UPDATED)
        assert await company.stored() == before
    elif target in ALLOWED_TRANSITIONS[source]:
        assert (response.status_code, response.json()) == (200, STATUS_UPDATED)
        assert (await company.read(lead))["status"] == target
    else:
        assert response.status_code == (403 if source == "blacklisted" else 409)
        assert response.json().keys() == {"message", "error"}
        assert await company.stored() == before


@pytest.mark.parametrize("target", A_STATUS)
async def test_an_administrator_takes_a_lead_off_the_blacklist(company: LeadCompany, target: str) -> None:
    sibling = await company.create()
    lead = await company.create(status="blacklisted")
    response = await _set_status(company, lead, target, role="admin")
    assert (response.status_code, response.json()) == (200, STATUS_UPDATED)
    assert (await company.read(lead))["status"] == target
    assert (await company.read(sibling))["status"] == "blacklisted"
    assert await company.listed_numbers() == []
    assert (await company.create())["status"] == "pending"


@pytest.mark.parametrize("source", [status for status in A_STATUS if len(ALLOWED_TRANSITIONS[status]) < 5])
async def test_an_administrator_obeys_the_table_otherwise(company: LeadCompany, source: str) -> None:
    lead = await company.create(status=source)
    for target in set(LEAD_STATUSES) - ALLOWED_TRANSITIONS[source] - {source}:
        assert (await _set_status(company, lead, target, role="admin")).status_code == 409


async def test_a_status_change_emits_the_previous_status(company: LeadCompany) -> None:
    lead = await company.create()
    for status in ("in_progress", "completed", "completed", "scheduled"):
        await _set_status(company, lead, status)
    _, *events = await company.emitted_events()
    emitted = [
        (event.leads[0].version, event.leads[0].previous_status, event.leads[0].status)
        for event in events
        if isinstance(event, LeadStatusChanged)
    ]
    assert emitted == [(2, "pending", "in_progress"), (3, "in_progress", "completed"), (4, "completed", "scheduled")]
    assert len(events) == 3


async def test_a_change_of_the_sub_status_alone_emits_an_update(company: LeadCompany) -> None:
    lead = await company.create(status="in_progress")
    body = {"status": "in_progress", "sub_status": "waiting"}
    for _ in range(2):
        assert (await company.on_lead("PATCH", lead, "/status", body)).status_code == 200
    assert (await company.read(lead))["sub_status"] == "waiting"
    _, event = await company.emitted_events()
    assert isinstance(event, LeadUpdated)
    assert event.leads[0].version == 2


STATUS_CHANGES = {
    "status": ("PATCH", "/status", {"status": "completed"}),
    "update": ("PUT", "", None),
    "schedule": ("PATCH", "/schedule", {"scheduled_call_time": "2024-03-20T14:00:00Z"}),
    "convert": ("PATCH", "/convert", {"value": 5}),
    "call": ("POST", "/call-attempt", {"duration": 5, "status": "completed"}),
}


@pytest.mark.parametrize("way", [*STATUS_CHANGES, "bulk", "list"])
async def test_a_sub_status_is_removed_with_its_status(company: LeadCompany, way: str) -> None:
    lead = await company.create(status="in_progress")
    await company.on_lead("PATCH", lead, "/status", {"status": "in_progress", "sub_status": "waiting"})
    if way == "bulk":
        body: object = {"lead_ids": [lead["id"]], "updates": {"status": "completed"}}
        response = await company.send("PATCH", f"{company.path}/bulk-update", body)
    elif way == "list":
        response = await company.send("POST", f"{company.path}/do-not-call", {"phones": [lead["phone"]]})
    else:
        method, step, body = STATUS_CHANGES[way]
        response = await company.on_lead(method, lead, step, body or body_of(lead, status="completed"))
    assert response.is_success, response.text
    current = await company.read(lead)
    assert current["status"] != "in_progress"
    assert current["sub_status"] is None


async def test_a_sub_status_stays_while_its_status_does(company: LeadCompany) -> None:
    lead = await company.create(status="in_progress")
    body = {"status": "in_progress", "sub_status": "waiting"}
    assert (await company.on_lead("PATCH", lead, "/status", body)).status_code == 200
    before = await company.stored()
    for without in ({"status": "in_progress"}, {"status": "in_progress", "sub_status": None}, body):
        assert (await company.on_lead("PATCH", lead, "/status", without)).status_code == 200
        assert await company.stored() == before
    await company.on_lead("PUT", lead, body=body_of(lead, notes="Changed"))
    await company.on_lead("POST", lead, "/call-attempt", {"duration": 5})
    assert (await company.read(lead))["sub_status"] == "waiting"


@pytest.mark.parametrize("blank", ["", "  "])
async def test_an_empty_sub_status_removes_it(company: LeadCompany, blank: str) -> None:
    lead = await company.create(status="in_progress")
    for word, stored in (("waiting", "waiting"), (blank, None)):
        await company.on_lead("PATCH", lead, "/status", {"status": "in_progress", "sub_status": word})
        assert (await company.read(lead))["sub_status"] == stored


async def test_another_status_may_have_the_same_sub_status(company: LeadCompany) -> None:
    lead = await company.create()
    for status in ("in_progress", "scheduled"):
        await company.on_lead("PATCH", lead, "/status", {"status": status, "sub_status": "waiting"})
        current = await company.read(lead)
        assert (current["status"], current["sub_status"]) == (status, "waiting")


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({}, {"status": "Missing required field: status"}),
        ({"status": None}, {"status": "Missing required field: status"}),
        ({"status": "running"}, {"status": "Invalid status value"}),
        ({"status": 1}, {"status": "Invalid status value"}),
        ({"status": ["pending"]}, {"status": "Invalid status value"}),
        ({"status": {}}, {"status": "Invalid status value"}),
        ({"status": "pending", "why": "x"}, {"why": "Unknown field: why"}),
        ({"status": "x", "why": "x"}, {"status": "Invalid status value", "why": "Unknown field: why"}),
    ],
    ids=str,
)
async def test_a_status_that_is_none_is_refused(company: LeadCompany, body: object, errors: dict[str, str]) -> None:
    lead = await company.create()
    before = await company.stored()
    assert _errors(await company.on_lead("PATCH", lead, "/status", body)) == errors
    assert await company.stored() == before


# Endpoint 12: assign


async def test_the_contracts_agent_gets_the_lead(company: LeadCompany) -> None:
    lead = await company.create(assigned_to=None)
    for agent in (123, 124):
        response = await company.on_lead("PATCH", lead, "/assign", {"assigned_to": agent})
        assert (response.status_code, response.json()) == (200, ASSIGNED)
        assert (await company.read(lead))["assigned_to"] == agent
    _, *events = await company.emitted_events()
    assert [
        (event.leads[0].version, event.leads[0].previous_assigned_to, event.leads[0].assigned_to)
        for event in events
        if isinstance(event, LeadAssigned)
    ] == [(2, None, 123), (3, 123, 124)]
    assert len(events) == 2


async def test_an_agent_who_has_the_lead_already_changes_nothing(company: LeadCompany) -> None:
    lead = await company.create()
    before = await company.stored()
    response = await company.on_lead("PATCH", lead, "/assign", {"assigned_to": 123})
    assert (response.status_code, response.json()) == (200, ASSIGNED)
    assert await company.stored() == before


@pytest.mark.parametrize("agent", [0, -1, "me", "5", 1.5, True, [1], MAX_ID + 1])
async def test_an_agent_who_cannot_be_is_refused(company: LeadCompany, agent: object) -> None:
    lead = await company.create()
    before = await company.stored()
    response = await company.on_lead("PATCH", lead, "/assign", {"assigned_to": agent})
    assert _errors(response).keys() == {"assigned_to"}
    assert await company.stored() == before


@pytest.mark.parametrize("body", [{}, {"assigned_to": None}])
async def test_an_agent_who_is_missing_is_named(company: LeadCompany, body: object) -> None:
    response = await company.on_lead("PATCH", await company.create(), "/assign", body)
    assert _errors(response) == {"assigned_to": "Missing required field: assigned_to"}


# Endpoint 13: schedule

TIME = "2024-03-20T14:00:00Z"


@pytest.mark.parametrize("source", A_STATUS)
async def test_a_call_is_scheduled_from_any_status(company: LeadCompany, source: str) -> None:
    lead = await company.create(status=source)
    response = await company.on_lead("PATCH", lead, "/schedule", {"scheduled_call_time": TIME})
    assert (response.status_code, response.json()) == (200, SCHEDULED)
    current = await company.read(lead)
    assert (current["status"], current["next_contact_date"], current["version"]) == ("scheduled", TIME, 2)
    _, *events = await company.emitted_events()
    [scheduling] = [event for event in events if isinstance(event, LeadScheduled)]
    assert scheduling.leads[0].version == 2
    assert scheduling.leads[0].next_contact_date.isoformat() == "2024-03-20T14:00:00+00:00"
    changes = [event for event in events if isinstance(event, LeadStatusChanged)]
    assert [change.leads[0].previous_status for change in changes] == ([source] if source != "scheduled" else [])


@pytest.mark.parametrize("time", ["2024-03-20T15:00:00+01:00", "2024-03-20 14:00:00", "2024-03-20T14:00Z"])
async def test_a_time_is_taken_in_any_usual_form(company: LeadCompany, time: str) -> None:
    lead = await company.create()
    await company.on_lead("PATCH", lead, "/schedule", {"scheduled_call_time": time})
    assert (await company.read(lead))["next_contact_date"] == TIME


async def test_no_call_is_scheduled_for_a_deleted_campaign(company: LeadCompany) -> None:
    lead = await company.create()
    await company.api.rows("UPDATE campaigns SET deleted = true WHERE id = $1", company.campaign_id)
    before = await company.stored()
    response = await company.on_lead("PATCH", lead, "/schedule", {"scheduled_call_time": TIME})
    assert (response.status_code, response.json()["message"]) == (409, "Campaign was deleted")
    assert await company.stored() == before


async def test_no_call_to_a_blacklisted_lead_is_scheduled(company: LeadCompany) -> None:
    lead = await company.create(status="blacklisted")
    before = await company.stored()
    response = await company.on_lead("PATCH", lead, "/schedule", {"scheduled_call_time": TIME})
    assert response.status_code == 409
    assert response.json()["message"] == "Lead is blacklisted"
    assert await company.stored() == before


@pytest.mark.parametrize(
    "time", ["", "tomorrow", "2024-02-30T14:00:00Z", "2024-03-20", "14:00", 1708437600, True, [], {}]
)
async def test_a_time_that_is_none_is_refused(company: LeadCompany, time: object) -> None:
    lead = await company.create()
    before = await company.stored()
    errors = _errors(await company.on_lead("PATCH", lead, "/schedule", {"scheduled_call_time": time}))
    assert errors.keys() == {"scheduled_call_time"}
    assert "contact" not in errors["scheduled_call_time"], "words of another field"
    assert await company.stored() == before


@pytest.mark.parametrize("body", [{}, {"scheduled_call_time": None}])
async def test_a_time_that_is_missing_is_named(company: LeadCompany, body: object) -> None:
    response = await company.on_lead("PATCH", await company.create(), "/schedule", body)
    assert _errors(response) == {"scheduled_call_time": "Missing required field: scheduled_call_time"}


# Endpoint 15: convert


@pytest.mark.parametrize("source", A_STATUS)
async def test_a_lead_is_converted_from_any_status(company: LeadCompany, source: str) -> None:
    lead = await company.create(status=source)
    response = await company.on_lead("PATCH", lead, "/convert", {"value": 1000.00})
    assert (response.status_code, response.json()) == (200, CONVERTED)
    current = await company.read(lead)
    assert (current["status"], current["conversion_value"], current["version"]) == ("completed", 1000, 2)
    assert MOMENT.fullmatch(current["converted_at"])
    assert current["converted_at"] >= lead["created_at"]
    _, *events = await company.emitted_events()
    [conversion] = [event for event in events if isinstance(event, LeadConverted)]
    assert (conversion.leads[0].version, conversion.leads[0].conversion_value) == (2, Decimal(1000))
    assert f"{conversion.leads[0].converted_at:%Y-%m-%dT%H:%M:%SZ}" == current["converted_at"]
    changes = [event for event in events if isinstance(event, LeadStatusChanged)]
    assert [change.leads[0].previous_status for change in changes] == ([source] if source != "completed" else [])


async def test_a_second_conversion_corrects_the_value_and_not_the_time(company: LeadCompany) -> None:
    lead = await company.create()
    await company.on_lead("PATCH", lead, "/convert", {"value": 1000.00})
    earlier = "UPDATE leads SET converted_at = '2024-01-01T00:00:00Z' WHERE id = $1"
    await company.api.rows(earlier, lead["id"])
    response = await company.on_lead("PATCH", lead, "/convert", {"value": 999.99})
    assert (response.status_code, response.json()) == (200, CONVERTED)
    current = await company.read(lead)
    assert (current["conversion_value"], current["converted_at"]) == (999.99, "2024-01-01T00:00:00Z")
    last = (await company.emitted_events())[-1]
    assert isinstance(last, LeadConverted)
    assert last.leads[0].converted_at.isoformat() == "2024-01-01T00:00:00+00:00"
    assert float(last.leads[0].conversion_value) == 999.99


async def test_a_reopened_lead_retains_its_conversion(company: LeadCompany) -> None:
    lead = await company.create()
    await company.on_lead("PATCH", lead, "/convert", {"value": 5})
    converted = await company.read(lead)
    await _set_status(company, lead, "in_progress")
    current = await company.read(lead)
    assert (current["conversion_value"], current["converted_at"]) == (5, converted["converted_at"])


async def test_a_blacklisted_lead_is_not_converted(company: LeadCompany) -> None:
    lead = await company.create(status="blacklisted")
    before = await company.stored()
    response = await company.on_lead("PATCH", lead, "/convert", {"value": 1})
    assert response.status_code == 409
    assert response.json()["message"] == "Lead is blacklisted"
    assert await company.stored() == before


@pytest.mark.parametrize("value", [0, 0.01, 1, 12345678.9])
async def test_a_value_is_returned_as_it_was_sent(company: LeadCompany, value: float) -> None:
    lead = await company.create()
    assert (await company.on_lead("PATCH", lead, "/convert", {"value": value})).status_code == 200
    assert (await company.read(lead))["conversion_value"] == value


@pytest.mark.parametrize("value", [-0.01, -1, "1000", "much", True, [], 1e15])
async def test_a_value_that_cannot_be_is_refused(company: LeadCompany, value: object) -> None:
    lead = await company.create()
    before = await company.stored()
    errors = _errors(await company.on_lead("PATCH", lead, "/convert", {"value": value}))
    assert errors.keys() == {"value"}
    assert "revenue" not in errors["value"], "words of another field"
    assert await company.stored() == before


@pytest.mark.parametrize("body", [{}, {"value": None}])
async def test_a_value_that_is_missing_is_named(company: LeadCompany, body: object) -> None:
    response = await company.on_lead("PATCH", await company.create(), "/convert", body)
    assert _errors(response) == {"value": "Missing required field: value"}


@pytest.mark.parametrize("step", ["/status", "/assign", "/schedule", "/convert", "/call-attempt"])
async def test_a_change_takes_no_field_but_its_own(company: LeadCompany, step: str) -> None:
    [(method, body)] = [(method, body) for method, other, body in EVERYTHING if other == step]
    lead = await company.create()
    before = await company.stored()
    response = await company.on_lead(method, lead, step, {**(body or {}), "first_name": "Jane"})
    assert _errors(response) == {"first_name": "Unknown field: first_name"}
    assert await company.stored() == before
