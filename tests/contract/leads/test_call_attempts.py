"""Endpoint 14: a call to a lead, and what it makes of the lead."""

import asyncio
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import httpx
import orjson
import pytest

from services.lead_svc.call_attempts.dispositions import DISPOSITIONS
from shared.events.leads import LeadCallAttempted, LeadStatusChanged
from tests.fixtures.gateway import phone_number
from tests.fixtures.leads import LEAD_STATUSES, OPEN, LeadCompany

RECORDED = {"message": "Call attempt recorded successfully"}

CONTRACT_CALL = {
    "duration": 180,
    "notes": "Customer was busy, requested callback",
    "disposition": "callback_requested",
    "status": "scheduled",
}
"""The body of the contract's example."""

FULL_CALL: dict[str, Any] = {
    **CONTRACT_CALL,
    "successful": True,
    "agent_id": 77,
    "started_at": "2024-03-01T12:00:00Z",
    "cost": 0.1234,
    "transcript": "Hello? Hello.",
    "keywords": ["price", "callback"],
    "quality": {
        "accuracy": 91.5,
        "clarity": 88,
        "engagement": 70,
        "adherence_to_script": 100,
        "sentiment_score": -2.5,
        "customer_satisfaction": 4.5,
        "response_time_seconds": 1.25,
        "regulatory_compliance": True,
        "data_protection": False,
        "issues": ["script_deviation"],
    },
}
"""Everything that can be reported of a call."""

FIELDS = {
    "id",
    "lead_id",
    "agent_id",
    "started_at",
    "duration",
    "disposition",
    "successful",
    "status",
    "notes",
    "transcript",
    "keywords",
    "cost",
    "quality",
    "created_at",
}
STARTED = "2024-03-01T12:00:00Z"
CONTACTS = ("last_contact_date", "next_contact_date")
A_MINUTE_LATER = "2024-03-01T13:01:00Z"
"""A minute of call and an hour of delay after ``STARTED``."""
MAX_ID = 2**63 - 1

REQUIRED_ENDINGS = {
    "callback_requested": (False, "scheduled"),
    "no_answer": (False, "in_progress"),
    "busy": (False, "in_progress"),
    "voicemail": (False, "in_progress"),
    "not_interested": (False, "failed"),
    "wrong_number": (False, "failed"),
    "completed": (True, "completed"),
    "do_not_call": (False, "blacklisted"),
}
"""Dispositions whose meaning must not change by accident."""


async def _call(company: LeadCompany, lead: dict[str, Any], body: object = None, **changes: object) -> httpx.Response:
    return await company.on_lead("POST", lead, "/call-attempt", {"duration": 60, **changes} if body is None else body)


async def _called(company: LeadCompany, lead: dict[str, Any], **changes: object) -> dict[str, Any]:
    """Report a call that must be recorded; returns the lead after it."""
    response = await _call(company, lead, **changes)
    assert (response.status_code, response.json()) == (200, RECORDED), response.text
    return await company.read(lead)


def _errors(response: httpx.Response) -> dict[str, str]:
    assert response.status_code == 400, response.text
    return {error["field"]: error["message"] for error in response.json()["errors"]}


async def test_the_contracts_call_is_recorded(company: LeadCompany) -> None:
    lead = await company.create(last_contact_date=None, next_contact_date=None)
    before = datetime.now(UTC).replace(microsecond=0)
    response = await _call(company, lead, CONTRACT_CALL)
    after = datetime.now(UTC)
    assert (response.status_code, response.json()) == (200, RECORDED)
    [call] = await company.call_history(lead)
    assert call.keys() >= FIELDS
    assert {name: call[name] for name in CONTRACT_CALL} == CONTRACT_CALL
    assert (call["lead_id"], call["successful"]) == (lead["id"], False)
    assert (call["transcript"], call["keywords"], call["cost"], call["quality"]) == (None, [], None, None)
    current = await company.read(lead)
    assert (current["status"], current["attempts"], current["version"]) == ("scheduled", 1, 2)
    ended = datetime.fromisoformat(current["last_contact_date"]).timestamp() + 180
    assert before.timestamp() - 1 <= ended <= after.timestamp() + 1
    assert datetime.fromisoformat(current["next_contact_date"]).timestamp() == ended + 3600


async def test_every_reported_field_is_returned_and_emitted(company: LeadCompany) -> None:
    lead = await company.create()
    assert (await _call(company, lead, FULL_CALL)).json() == RECORDED
    [call] = await company.call_history(lead)
    assert {name: call[name] for name in FULL_CALL} == FULL_CALL
    [event] = [event for event in await company.emitted_events() if isinstance(event, LeadCallAttempted)]
    [emitted] = event.call_attempts
    assert (emitted.lead_id, emitted.campaign_id, emitted.company_id) == (lead["id"], company.campaign_id, company.id)
    emitted_fields = emitted.model_dump(mode="json", exclude={"company_id", "cost", "started_at"})
    assert emitted_fields == {name: call[name] for name in emitted_fields}
    assert float(emitted.cost or 0) == 0.1234
    assert emitted.started_at.isoformat() == "2024-03-01T12:00:00+00:00"


async def test_a_call_changes_nothing_else_of_the_lead(company: LeadCompany) -> None:
    lead = await company.create()
    after = await _called(company, lead, started_at=STARTED, disposition="no_answer")
    changed = {name for name in lead if after[name] != lead[name]} - {"updated_at"}
    assert changed == {"status", "attempts", "last_contact_date", "next_contact_date", "version"}


async def test_calls_are_counted_and_listed_in_the_order_they_were_reported(company: LeadCompany) -> None:
    lead, other = await company.create_many(2)
    assert await company.call_history(lead) == []
    for number in range(4):
        after = await _called(company, lead, duration=number, status="in_progress")
        assert (after["attempts"], after["version"]) == (number + 1, number + 2)
    await _called(company, other, duration=100)
    assert [call["duration"] for call in await company.call_history(lead)] == [0, 1, 2, 3]
    assert (await company.read(other))["attempts"] == 1


async def test_calls_at_once_all_count(company: LeadCompany) -> None:
    lead = await company.create()
    responses = await asyncio.gather(*(_call(company, lead, status="in_progress") for _ in range(10)))
    assert {response.status_code for response in responses} == {200}
    current = await company.read(lead)
    assert (current["attempts"], current["version"]) == (10, 11)
    assert len(await company.call_history(lead)) == 10


# When it is called next


@pytest.mark.parametrize("status", LEAD_STATUSES)
async def test_a_lead_is_called_again_after_the_delay_while_it_is_open(company: LeadCompany, status: str) -> None:
    lead = await company.create(next_contact_date=None)
    after = await _called(company, lead, started_at=STARTED, status=status)
    assert after["status"] == status
    assert after["last_contact_date"] == STARTED
    assert after["next_contact_date"] == (A_MINUTE_LATER if status in OPEN else None)


async def test_a_call_reported_late_brings_no_lead_forward(company: LeadCompany) -> None:
    lead = await company.create(last_contact_date=None, next_contact_date=None)
    before = await _called(company, lead, started_at=STARTED, duration=0)
    after = await _called(company, lead, started_at="2024-02-01T12:00:00Z", duration=0)
    assert after["attempts"] == before["attempts"] + 1
    assert [after[name] for name in CONTACTS] == [before[name] for name in CONTACTS]


@pytest.mark.parametrize("minutes", [0, 1, 1440])
async def test_the_delay_is_the_campaigns(company: LeadCompany, minutes: int) -> None:
    campaign_id = await company.add_campaign(retry_delay_minutes=minutes)
    lead = await company.create(campaign_id=campaign_id, next_contact_date=None)
    after = await _called(company, lead, started_at=STARTED, duration=0)
    waited = datetime.fromisoformat(after["next_contact_date"]) - datetime.fromisoformat(STARTED)
    assert waited.total_seconds() == minutes * 60


@pytest.mark.parametrize(
    ("agreed", "next_contact"),
    [
        ("2024-03-05T09:00:00Z", "2024-03-05T09:00:00Z"),
        ("2024-02-28T09:00:00Z", A_MINUTE_LATER),
        (None, A_MINUTE_LATER),
    ],
)
async def test_a_later_scheduled_date_stays_while_the_lead_is_scheduled(
    company: LeadCompany, agreed: str | None, next_contact: str
) -> None:
    lead = await company.create(status="scheduled", next_contact_date=agreed)
    after = await _called(company, lead, started_at=STARTED, status="scheduled")
    assert after["next_contact_date"] == next_contact


async def test_a_scheduled_date_ends_with_the_status_scheduled(company: LeadCompany) -> None:
    lead = await company.create(status="scheduled", next_contact_date="2024-03-05T09:00:00Z")
    after = await _called(company, lead, started_at=STARTED, status="in_progress")
    assert after["next_contact_date"] == A_MINUTE_LATER


@pytest.mark.parametrize("ahead", [timedelta(minutes=6), timedelta(days=100_000)], ids=str)
async def test_a_call_that_has_not_begun_yet_is_refused(company: LeadCompany, ahead: timedelta) -> None:
    lead = await company.create()
    before = await company.stored()
    at = (datetime.now(timezone(timedelta(hours=2))) + ahead).isoformat(timespec="seconds")
    response = await company.on_lead("POST", lead, "/call-attempt", {"duration": 60, "started_at": at})
    assert response.status_code == 400, response.text
    [error] = response.json()["errors"]
    assert (error["field"], error["value"], error["message"]) == ("started_at", at, "Must not be in the future")
    assert await company.stored() == before


async def test_a_clock_may_be_a_little_fast(company: LeadCompany) -> None:
    lead = await company.create()
    await _called(company, lead, started_at=(datetime.now(UTC) + timedelta(minutes=4)).isoformat())


# What the lead becomes


def test_every_common_disposition_is_in_the_table() -> None:
    for name, (successful, status) in REQUIRED_ENDINGS.items():
        assert (DISPOSITIONS[name].successful, DISPOSITIONS[name].status) == (successful, status)


@pytest.mark.parametrize("name", DISPOSITIONS)
async def test_a_disposition_decides_status_and_success(company: LeadCompany, name: str) -> None:
    lead = await company.create()
    after = await _called(company, lead, disposition=name)
    [call] = await company.call_history(lead)
    assert after["status"] == call["status"] == DISPOSITIONS[name].status
    assert call["successful"] is DISPOSITIONS[name].successful
    assert call["disposition"] == name


@pytest.mark.parametrize("written", ["No answer", "NO_ANSWER", "no-answer", "no  answer"])
async def test_a_disposition_is_found_in_any_spelling(company: LeadCompany, written: str) -> None:
    campaign_id = await company.add_campaign(max_attempts_per_lead=1)
    lead = await company.create(campaign_id=campaign_id)
    assert (await _called(company, lead, disposition=written))["status"] == "failed"
    assert [call["disposition"] for call in await company.call_history(lead)] == [written]


@pytest.mark.parametrize("report", [{}, {"disposition": "left_waiting"}, {"disposition": None, "status": None}])
async def test_a_call_without_a_disposition_leaves_the_lead_in_progress(
    company: LeadCompany, report: dict[str, object]
) -> None:
    lead = await company.create()
    assert (await _called(company, lead, **report))["status"] == "in_progress"
    [call] = await company.call_history(lead)
    assert call["successful"] is False


async def test_a_reported_status_goes_before_the_disposition(company: LeadCompany) -> None:
    lead = await company.create()
    assert (await _called(company, lead, disposition="not_interested", status="scheduled"))["status"] == "scheduled"


@pytest.mark.parametrize(
    ("report", "successful"),
    [
        ({"successful": True, "disposition": "no_answer", "status": "failed"}, True),
        ({"successful": False, "disposition": "sale", "status": "completed"}, False),
        ({"disposition": "sale", "status": "failed"}, True),
        ({"disposition": "no_answer", "status": "completed"}, False),
        ({"disposition": "left_waiting", "status": "completed"}, True),
        ({"status": "completed"}, True),
        ({"status": "failed"}, False),
        ({}, False),
    ],
    ids=str,
)
async def test_success_is_as_reported_else_by_disposition_else_by_status(
    company: LeadCompany, report: dict[str, object], successful: bool
) -> None:
    lead = await company.create()
    await _called(company, lead, **report)
    [call] = await company.call_history(lead)
    assert call["successful"] is successful
    [event] = [event for event in await company.emitted_events() if isinstance(event, LeadCallAttempted)]
    assert event.call_attempts[0].successful is successful


async def test_a_lead_fails_after_too_many_unsuccessful_calls(company: LeadCompany) -> None:
    campaign_id = await company.add_campaign(max_attempts_per_lead=3)
    lead = await company.create(campaign_id=campaign_id)
    after = [await _called(company, lead, disposition="no_answer") for _ in range(3)]
    assert [current["status"] for current in after] == ["in_progress", "in_progress", "failed"]
    assert after[-1]["next_contact_date"] is None
    [*_, event] = [event for event in await company.emitted_events() if isinstance(event, LeadStatusChanged)]
    assert (event.leads[0].previous_status, event.leads[0].status, event.leads[0].version) == (
        "in_progress",
        "failed",
        4,
    )


@pytest.mark.parametrize("report", [{"status": "in_progress"}, {"status": "scheduled"}, {"disposition": "sale"}])
async def test_a_lead_does_not_fail_if_its_last_call_has_another_result(
    company: LeadCompany, report: dict[str, object]
) -> None:
    campaign_id = await company.add_campaign(max_attempts_per_lead=1)
    lead = await company.create(campaign_id=campaign_id)
    assert (await _called(company, lead, **report))["status"] != "failed"


async def test_a_call_emits_a_status_change_or_an_update(company: LeadCompany) -> None:
    lead = await company.create()
    for _ in range(2):
        await _called(company, lead, status="in_progress")
    emitted = await company.emitted_events()
    assert len([event for event in emitted if isinstance(event, LeadCallAttempted)]) == 2
    [change] = [event for event in emitted if isinstance(event, LeadStatusChanged)]
    assert (change.leads[0].previous_status, change.leads[0].status, change.leads[0].version) == (
        "pending",
        "in_progress",
        2,
    )


@pytest.mark.parametrize("target", ["pending", "failed"])
async def test_a_status_that_may_not_follow_is_refused(company: LeadCompany, target: str) -> None:
    lead = await company.create(status="completed")
    before = await company.stored()
    assert (await _call(company, lead, status=target)).status_code == 409
    assert await company.stored() == before


# Leads that must not be called


async def test_a_blacklisted_lead_takes_no_call(company: LeadCompany) -> None:
    lead = await company.create(status="blacklisted")
    before = await company.stored()
    for report in ({}, {"status": "pending"}, {"disposition": "no_answer"}):
        response = await _call(company, lead, **report)
        assert response.status_code == 409
        assert response.json()["message"] == "Lead is blacklisted"
    assert await company.stored() == before


@pytest.mark.parametrize("report", [{"disposition": "do_not_call"}, {"status": "blacklisted"}])
async def test_a_second_blacklisting_call_lists_the_number_again(
    company: LeadCompany, report: dict[str, object]
) -> None:
    lead = await company.create(status="blacklisted")
    taken_off = await company.send("DELETE", f"{company.path}/do-not-call?phone=%2B{lead['phone'][1:]}")
    assert taken_off.status_code == 200
    after = await _called(company, lead, **report)
    assert (after["status"], after["attempts"], after["next_contact_date"]) == ("blacklisted", 1, None)
    assert await company.listed_numbers() == [lead["phone"]]
    [call] = await company.call_history(lead)
    assert (call["status"], call["successful"]) == ("blacklisted", False)


async def test_a_deleted_campaign_takes_no_call(company: LeadCompany) -> None:
    lead = await company.create()
    await company.api.rows("UPDATE campaigns SET deleted = true WHERE id = $1", company.campaign_id)
    before = await company.stored()
    response = await _call(company, lead)
    assert response.status_code == 409
    assert response.json().keys() == {"message", "error"}
    assert await company.stored() == before


@pytest.mark.parametrize("report", [{"disposition": "do_not_call"}, {"status": "blacklisted"}])
async def test_a_call_that_blacklists_lists_the_number_for_the_company(
    company: LeadCompany, other_company: LeadCompany, report: dict[str, object]
) -> None:
    lead, sibling = await company.create(), await company.create(status="completed")
    bystander = await company.create(phone=phone_number(1))
    theirs = await other_company.create()
    after = await _called(company, lead, **report)
    assert (after["status"], after["attempts"], after["next_contact_date"]) == ("blacklisted", 1, None)
    assert (await company.read(sibling))["status"] == "blacklisted"
    assert await company.listed_numbers() == [lead["phone"]]
    assert (await company.create())["status"] == "blacklisted"
    assert await company.read(bystander) == bystander
    assert await other_company.read(theirs) == theirs
    changes = {
        (emitted.id, emitted.previous_status, emitted.status)
        for event in await company.emitted_events()
        if isinstance(event, LeadStatusChanged)
        for emitted in event.leads
    }
    assert changes == {(lead["id"], "pending", "blacklisted"), (sibling["id"], "completed", "blacklisted")}


# Idempotency-Key


async def _keyed(company: LeadCompany, lead: dict[str, Any], content: bytes, **changes: object) -> httpx.Response:
    headers = {"Idempotency-Key": f"call-{company.id}"}
    return await company.on_lead("POST", lead, "/call-attempt", content=content, headers=headers, **changes)


async def test_the_same_call_sent_twice_counts_once(company: LeadCompany) -> None:
    lead = await company.create()
    first, again = [await _keyed(company, lead, orjson.dumps(CONTRACT_CALL)) for _ in range(2)]
    assert (first.status_code, first.json()) == (again.status_code, again.json()) == (200, RECORDED)
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (await company.read(lead))["attempts"] == len(await company.call_history(lead)) == 1


async def test_the_same_call_sent_twice_at_once_counts_once(company: LeadCompany) -> None:
    lead = await company.create()
    responses = await asyncio.gather(*(_keyed(company, lead, orjson.dumps(CONTRACT_CALL)) for _ in range(8)))
    assert {response.status_code for response in responses} <= {200, 409}
    assert (await company.read(lead))["attempts"] == len(await company.call_history(lead)) == 1


async def test_a_call_that_blacklisted_is_answered_again_as_it_was(company: LeadCompany) -> None:
    lead = await company.create()
    content = orjson.dumps({"duration": 1, "disposition": "do_not_call"})
    assert [(await _keyed(company, lead, content)).status_code for _ in range(2)] == [200, 200]


async def test_another_call_with_a_used_key_is_refused(company: LeadCompany) -> None:
    lead = await company.create()
    await _keyed(company, lead, orjson.dumps(CONTRACT_CALL))
    before = await company.stored()
    assert (await _keyed(company, lead, orjson.dumps({"duration": 1}))).status_code == 422
    assert await company.stored() == before


async def test_keys_are_each_callers_and_each_leads_own(company: LeadCompany) -> None:
    lead, other = await company.create_many(2)
    content = orjson.dumps({"duration": 1})
    for subject in ("anna", "ben"):
        for called in (lead, other):
            response = await _keyed(company, called, content, sub=subject)
            assert response.status_code == 200
            assert "Idempotency-Replayed" not in response.headers
    assert [(await company.read(called))["attempts"] for called in (lead, other)] == [2, 2]


# What is no call


@pytest.mark.parametrize("body", [{}, {"duration": None}, {"notes": "x"}])
async def test_a_call_needs_its_duration(company: LeadCompany, body: object) -> None:
    lead = await company.create()
    before = await company.stored()
    response = await company.on_lead("POST", lead, "/call-attempt", body)
    assert _errors(response) == {"duration": "Missing required field: duration"}
    assert await company.stored() == before


WRONG: list[tuple[str, bytes]] = [
    ("duration", b"-1"),
    ("duration", b'"180"'),
    ("duration", b"1.5"),
    ("duration", b"true"),
    ("duration", b"99999999999999999999999999"),
    ("notes", b"1"),
    ("notes", b'"a\\u0000b"'),
    ("notes", b'"\\ud800"'),
    ("disposition", b"1"),
    ("disposition", b'"a\\u0000b"'),
    ("disposition", b'"\\ud800"'),
    ("status", b'"running"'),
    ("status", b'["pending"]'),
    ("successful", b'"maybe"'),
    ("successful", b"1"),
    ("agent_id", b"0"),
    ("agent_id", b'"me"'),
    ("started_at", b'"yesterday"'),
    ("started_at", b"1709294400"),
    ("cost", b"-0.01"),
    ("cost", b"1e999"),
    ("cost", b"NaN"),
    ("cost", b'"much"'),
    ("transcript", b"1"),
    ("transcript", b'"a\\u0000b"'),
    ("transcript", b'"\\ud800"'),
    ("keywords", b'"price"'),
    ("keywords", b"[1]"),
    ("keywords", b'["\\ud800"]'),
    ("quality", b'"good"'),
    ("quality", b'{"beauty": 1}'),
    ("quality", b'{"accuracy": -0.1}'),
    ("quality", b'{"accuracy": 100.1}'),
    ("quality", b'{"accuracy": NaN}'),
    ("quality", b'{"clarity": "clear"}'),
    ("quality", b'{"engagement": 101}'),
    ("quality", b'{"adherence_to_script": 101}'),
    ("quality", b'{"sentiment_score": 10.1}'),
    ("quality", b'{"sentiment_score": -10.1}'),
    ("quality", b'{"customer_satisfaction": 5.1}'),
    ("quality", b'{"customer_satisfaction": -1}'),
    ("quality", b'{"response_time_seconds": -1}'),
    ("quality", b'{"response_time_seconds": 1e999}'),
    ("quality", b'{"response_time_seconds": NaN}'),
    ("quality", b'{"regulatory_compliance": "perhaps"}'),
    ("quality", b'{"data_protection": 2}'),
    ("quality", b'{"issues": "none"}'),
    ("quality", b'{"issues": [1]}'),
    ("quality", b'{"issues": ["\\ud800"]}'),
    ("colour", b'"red"'),
]
"""What no call can have."""


@pytest.mark.parametrize(("field", "value"), WRONG)
async def test_a_value_that_cannot_be_is_refused_by_name(company: LeadCompany, field: str, value: bytes) -> None:
    lead = await company.create()
    before = await company.stored()
    content = orjson.dumps({"duration": 180, field: "here"}).replace(b'"here"', value)
    errors = _errors(await company.on_lead("POST", lead, "/call-attempt", content=content))
    assert {name.partition(".")[0] for name in errors} == {field}
    assert await company.stored() == before


@pytest.mark.parametrize(("field", "value"), [("agent_id", "me"), ("started_at", "yesterday"), ("cost", "much")])
async def test_an_error_message_names_its_own_field(company: LeadCompany, field: str, value: str) -> None:
    errors = _errors(await _call(company, await company.create(), **{field: value}))
    for words in ("contact", "assigned", "revenue"):
        assert words not in errors[field].lower()


async def test_one_response_names_every_error_of_a_call(company: LeadCompany) -> None:
    wrong = {"duration": -1, "status": "running", "cost": -1, "colour": "red", "quality": {"accuracy": 101}}
    errors = _errors(await _call(company, await company.create(), wrong))
    assert errors.keys() == {"duration", "status", "cost", "colour", "quality.accuracy"}
    assert errors["status"] == "Invalid status value"


async def test_disposition_do_not_call_blacklists_whatever_status_is_reported(company: LeadCompany) -> None:
    lead = await company.create()
    report = {"duration": 20, "disposition": "Do not call", "status": "failed"}
    response = await company.send("POST", f"/api/voice-leads/{lead['id']}/call-attempt", report)
    assert response.status_code == 200
    assert (await company.read(lead))["status"] == "blacklisted"
