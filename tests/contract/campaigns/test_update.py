"""Endpoint 12: update campaign, which replaces every field."""

from typing import Any

import pytest

from shared.events.campaigns import CampaignStatusChanged, CampaignUpdated
from tests.contract.campaigns.test_validation import WIRING
from tests.fixtures.campaigns import (
    CONTRACT_EXAMPLE,
    CampaignApi,
    as_body,
    bearer,
    campaign_body,
    claims,
    smallest_body,
)

UPDATED = {"message": "Voice campaign updated successfully"}
NOT_FOUND = {"message": "Voice campaign not found", "error": "Voice campaign not found"}
UNCHANGED = {"id", "created_at", "company_id"}

OTHER_VALUES: dict[str, Any] = {
    "name": "Winter Survey",
    "description": None,
    "status": "active",
    "priority": "low",
    "campaign_type": "inbound",
    "calls_per_day": 51,
    "calling_hours_start": "10:00:00",
    "calling_hours_end": "17:00:01",
    "time_zone": "Europe/Berlin",
    "working_days": ["Monday", "Sunday"],
    "ai_voice_id": "voice-124",
    "ai_voice_language": "de-DE",
    "ai_voice_gender": None,
    "system_prompt": "You are brief",
    "script_template": "Hi {customer_name}",
    "fallback_script": None,
    "max_attempts_per_lead": 4,
    "retry_delay_minutes": 61,
    "call_duration_limit": None,
    "success_criteria": "Customer answers",
    "expected_completion_date": "2025-01-01",
    "budget": 1000.01,
    "cost_per_call": 0,
    "owner_id": None,
    "team_members": [126, 125, 124],
    "tags": [],
    "notes": "",
    "start_date": "2024-03-01T09:00:01Z",
    "end_date": None,
    "recurrence_rule": "FREQ=WEEKLY",
}
"""Another value for each field that can change."""

SAME_VALUES: list[dict[str, Any]] = [
    {},
    {"name": "  Customer Survey Campaign "},
    {"working_days": ["friday", "THURSDAY", "Wednesday", "Tuesday", "Monday", "monday"]},
    {"budget": 1000, "cost_per_call": 0.5},
    {"team_members": [124, 125, 126, 124]},
    {"tags": [" customer-survey ", "satisfaction", "q4-2024", "satisfaction"]},
    {"start_date": "2024-03-01T10:00:00+01:00"},
    {"end_date": "2024-12-31T17:00:00Z"},
]
"""Other ways to write values that are equal to the contract's example."""


def test_other_values_has_every_field_but_the_company() -> None:
    assert OTHER_VALUES.keys() == CONTRACT_EXAMPLE.keys() - {"company_id"}


async def test_the_response_is_that_of_the_contract(campaign_api: CampaignApi, company: int) -> None:
    created = await campaign_api.create(campaign_body(company))
    response = await campaign_api.put(created["id"], campaign_body(company, name="Changed"), company)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.json() == UPDATED


@pytest.mark.parametrize("field", OTHER_VALUES)
async def test_each_field_can_be_changed_alone(campaign_api: CampaignApi, company: int, field: str) -> None:
    created = await campaign_api.create(campaign_body(company))
    response = await campaign_api.put(created["id"], as_body(created, **{field: OTHER_VALUES[field]}), company)
    assert response.status_code == 200, response.text
    current = await campaign_api.read(created)
    assert current["version"] == 2
    changed = {name for name in created if current[name] != created[name]} - {"version", "updated_at"}
    assert changed == {field}
    assert current[field] == OTHER_VALUES[field]


async def test_a_change_sets_updated_at_and_no_other_column(campaign_api: CampaignApi, company: int) -> None:
    created = await campaign_api.create(campaign_body(company))
    [before] = await campaign_api.rows("SELECT * FROM campaigns WHERE id = $1", created["id"])
    await campaign_api.put(created["id"], campaign_body(company, notes="Changed"), company)
    [after] = await campaign_api.rows("SELECT * FROM campaigns WHERE id = $1", created["id"])
    assert after["updated_at"] > before["updated_at"]
    assert dict(after) == dict(before) | {"notes": "Changed", "version": 2, "updated_at": after["updated_at"]}


async def test_all_fields_can_be_changed_at_once(campaign_api: CampaignApi, company: int) -> None:
    created = await campaign_api.create(campaign_body(company))
    body = OTHER_VALUES | {"company_id": company}
    assert (await campaign_api.put(created["id"], body, company)).json() == UPDATED
    current = await campaign_api.read(created)
    assert as_body(current) == body
    assert {name: current[name] for name in UNCHANGED} == {name: created[name] for name in UNCHANGED}
    assert current["version"] == 2


@pytest.mark.parametrize("left_out", ["absent", "null"])
async def test_an_absent_field_gets_its_default(campaign_api: CampaignApi, company: int, left_out: str) -> None:
    full = await campaign_api.create(campaign_body(company))
    small = await campaign_api.create(smallest_body(company))
    optional = CONTRACT_EXAMPLE.keys() - smallest_body(company).keys()
    body = smallest_body(company, **(dict.fromkeys(optional) if left_out == "null" else {}))
    assert (await campaign_api.put(full["id"], body, company)).status_code == 200
    assert as_body(await campaign_api.read(full)) == as_body(small)


@pytest.mark.parametrize("changes", SAME_VALUES, ids=lambda changes: ", ".join(changes) or "the same body")
async def test_an_equal_update_changes_nothing(
    campaign_api: CampaignApi, company: int, changes: dict[str, Any]
) -> None:
    created = await campaign_api.create(campaign_body(company))
    before = await campaign_api.stored(company)
    response = await campaign_api.put(created["id"], campaign_body(company, **changes), company)
    assert response.status_code == 200
    assert response.json() == UPDATED
    assert await campaign_api.stored(company) == before


@pytest.mark.parametrize(
    "changes",
    [
        {"time_zone": "America/New_York"},
        {"working_days": ["sunday"], "tags": [" a "]},
        {"start_date": "2024-03-01T09:00:00.250Z"},
        {"end_date": "2024-12-31T17:00:00.999999999Z"},
        {"budget": 0.1, "cost_per_call": 9999999999.99},
        {"time_zone": "Europe/Berlin", "start_date": "2024-10-27 02:30:00"},
    ],
    ids=lambda changes: ", ".join(f"{name}={value}" for name, value in changes.items()),
)
async def test_a_returned_campaign_sent_back_changes_nothing(
    campaign_api: CampaignApi, company: int, changes: dict[str, Any]
) -> None:
    created = await campaign_api.create(campaign_body(company, **changes))
    before = await campaign_api.stored(company)
    assert (await campaign_api.put(created["id"], as_body(created), company)).status_code == 200
    assert await campaign_api.stored(company) == before


async def test_the_same_local_time_in_another_zone_is_another_time(campaign_api: CampaignApi, company: int) -> None:
    created = await campaign_api.create(campaign_body(company))
    await campaign_api.put(created["id"], campaign_body(company, time_zone="America/New_York"), company)
    current = await campaign_api.read(created)
    assert current["start_date"] == "2024-03-01T14:00:00Z"


async def test_the_event_of_an_update_contains_the_changed_campaign(campaign_api: CampaignApi, company: int) -> None:
    created = await campaign_api.create(campaign_body(company))
    await campaign_api.put(created["id"], campaign_body(company, name="Changed", budget=7.5), company)
    current = await campaign_api.read(created)
    [_, event] = await campaign_api.events(company)
    assert (event.type, event.companyid) == ("campaign.updated.v1", company)
    emitted = CampaignUpdated.model_validate(event.data).campaign.model_dump(mode="json")
    times = {"created_at", "updated_at"}
    assert all(emitted[name][:19] == current[name][:19] for name in times)
    assert {name: value for name, value in emitted.items() if name not in times} == {
        name: current[name] for name in emitted.keys() - times
    }
    assert (emitted["name"], emitted["budget"], emitted["version"]) == ("Changed", 7.5, 2)


async def test_a_change_of_a_field_outside_the_event_emits_an_event(campaign_api: CampaignApi, company: int) -> None:
    created = await campaign_api.create(campaign_body(company))
    await campaign_api.put(created["id"], campaign_body(company, notes="Changed"), company)
    assert [event.type for event in await campaign_api.events(company)] == [
        "campaign.created.v1",
        "campaign.updated.v1",
    ]


async def test_a_new_status_alone_emits_status_changed_only(campaign_api: CampaignApi, company: int) -> None:
    created = await campaign_api.create(campaign_body(company))
    await campaign_api.put(created["id"], campaign_body(company, status="active"), company)
    [_, event] = await campaign_api.events(company)
    assert event.type == "campaign.status_changed.v1"
    change = CampaignStatusChanged.model_validate(event.data)
    assert (change.previous_status, change.campaign.status, change.campaign.version) == ("draft", "active", 2)


async def test_a_new_status_with_another_change_emits_both_events_of_one_version(
    campaign_api: CampaignApi, company: int
) -> None:
    created = await campaign_api.create(campaign_body(company))
    await campaign_api.put(created["id"], campaign_body(company, status="active", name="Changed"), company)
    [_, *events] = await campaign_api.events(company)
    assert {event.type for event in events} == {"campaign.status_changed.v1", "campaign.updated.v1"}
    assert len(events) == 2
    [first, second] = [event.data["campaign"] for event in events]
    assert first == second
    assert isinstance(first, dict)
    assert (first["status"], first["name"], first["version"]) == ("active", "Changed", 2)
    assert (await campaign_api.read(created))["version"] == 2


async def test_a_completed_campaign_cannot_be_edited(campaign_api: CampaignApi, company: int) -> None:
    created = await campaign_api.create(campaign_body(company, status="completed"))
    before = await campaign_api.stored(company)
    response = await campaign_api.put(created["id"], campaign_body(company, status="completed", name="New"), company)
    assert response.status_code == 409
    assert response.json().keys() == {"message", "error"}
    assert await campaign_api.stored(company) == before


@pytest.mark.parametrize("status", ["draft", "active", "paused"])
async def test_any_other_campaign_can_be_edited(campaign_api: CampaignApi, company: int, status: str) -> None:
    created = await campaign_api.create(campaign_body(company, status=status))
    response = await campaign_api.put(created["id"], campaign_body(company, status=status, name="New"), company)
    assert response.status_code == 200
    assert (await campaign_api.read(created))["name"] == "New"


async def test_a_forbidden_status_rejects_the_whole_update(campaign_api: CampaignApi, company: int) -> None:
    created = await campaign_api.create(campaign_body(company, status="active"))
    before = await campaign_api.stored(company)
    response = await campaign_api.put(created["id"], campaign_body(company, status="draft", name="New"), company)
    assert response.status_code == 409
    assert await campaign_api.stored(company) == before


@pytest.mark.parametrize(("changes", "field", "message"), WIRING)
async def test_an_invalid_update_is_rejected_with_the_field_and_changes_nothing(
    campaign_api: CampaignApi, company: int, changes: dict[str, Any], field: str, message: str
) -> None:
    created = await campaign_api.create(campaign_body(company))
    before = await campaign_api.stored(company)
    response = await campaign_api.put(created["id"], campaign_body(company, **changes), company)
    assert response.status_code == 400, response.text
    answer = response.json()
    assert [(error["field"], error["message"]) for error in answer["errors"]] == [(field, message)]
    assert answer["error"] == f"{field}: {message}"
    assert await campaign_api.stored(company) == before


async def test_one_response_contains_every_error_of_a_body(campaign_api: CampaignApi, company: int) -> None:
    created = await campaign_api.create(campaign_body(company))
    body = campaign_body(company, name="", status="running", working_days=["Monday", "Funday"], budget=-1, colour="red")
    del body["script_template"]
    answer = (await campaign_api.put(created["id"], body, company)).json()
    assert {error["field"] for error in answer["errors"]} == {
        "name",
        "status",
        "working_days.1",
        "script_template",
        "budget",
        "colour",
    }


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b'"text"', b"\xff\xfe", b'{"name": "\\ud800"}'])
async def test_a_body_that_is_not_a_json_object_is_rejected(
    campaign_api: CampaignApi, company: int, content: bytes
) -> None:
    created = await campaign_api.create(campaign_body(company))
    before = await campaign_api.stored(company)
    response = await campaign_api.client.put(
        f"/api/voice-campaigns/{created['id']}",
        content=content,
        headers={**bearer(claims(company)), "Content-Type": "application/json"},
    )
    assert response.status_code == 400, response.text
    assert response.json().keys() >= {"message", "error"}
    assert await campaign_api.stored(company) == before


async def test_the_company_cannot_be_changed(campaign_api: CampaignApi, company: int) -> None:
    other = company + 1_000_000
    created = await campaign_api.create(campaign_body(company))
    before = await campaign_api.stored(company)
    response = await campaign_api.put(created["id"], campaign_body(other), company, other)
    assert response.status_code == 400
    assert [error["field"] for error in response.json()["errors"]] == ["company_id"]
    assert await campaign_api.stored(company) == before
    assert (await campaign_api.get("", other)).json() == []


async def test_a_company_outside_the_token_is_rejected(campaign_api: CampaignApi, company: int) -> None:
    created = await campaign_api.create(campaign_body(company))
    before = await campaign_api.stored(company)
    response = await campaign_api.put(created["id"], campaign_body(company + 1_000_000), company)
    assert response.status_code == 403
    assert response.json()["message"] == "Access denied"
    assert await campaign_api.stored(company) == before


async def test_another_companys_campaign_is_not_found(campaign_api: CampaignApi, company: int) -> None:
    other = company + 1_000_000
    theirs = await campaign_api.create(campaign_body(other))
    before = await campaign_api.stored(other)
    response = await campaign_api.put(theirs["id"], campaign_body(company), company)
    assert response.status_code == 404
    assert response.json() == NOT_FOUND
    assert await campaign_api.stored(other) == before


async def test_a_campaign_that_does_not_exist_is_not_found(campaign_api: CampaignApi, company: int) -> None:
    response = await campaign_api.put(2**63 - 1, campaign_body(company), company)
    assert response.status_code == 404
    assert response.json() == NOT_FOUND


async def test_each_change_is_the_next_version(campaign_api: CampaignApi, company: int) -> None:
    created = await campaign_api.create(campaign_body(company))
    for number in range(2, 6):
        await campaign_api.put(created["id"], campaign_body(company, name=f"Name {number}"), company)
        assert (await campaign_api.read(created))["version"] == number
