"""`default_values`: what the leads of a file get where the file says nothing."""

import json
from typing import Any

import pytest

from tests.contract.leads.refusals import refused
from tests.fixtures.gateway import Caller, csv_of

PHONE = "+14155550100"
NOT_AN_OBJECT = "default_values must be a JSON object"


async def only_lead(caller: Caller, row: dict[str, object], default_values: object) -> dict[str, Any]:
    """The lead that a file of one row becomes."""
    campaign_id = await caller.create_campaign()
    [lead] = await caller.imported(csv_of([row]), campaign_id, default_values=default_values)
    return lead


async def test_they_fill_what_is_empty_and_leave_what_is_not(caller: Caller) -> None:
    rows = [
        {"phone": PHONE, "source": "Fair", "city": "", "lead_score": "0", "status": " "},
        {"phone": PHONE, "source": "  ", "city": "Oslo", "lead_score": "", "status": "failed"},
    ]
    defaults = {"source": " bulk_import ", "city": "Rome", "lead_score": 50, "status": "scheduled", "country": "Norway"}

    leads = await caller.imported(csv_of(rows), await caller.create_campaign(), default_values=defaults)

    assert [(lead["source"], lead["city"], lead["lead_score"], lead["status"], lead["country"]) for lead in leads] == [
        ("Fair", "Rome", 0, "scheduled", "Norway"),
        ("bulk_import", "Oslo", 50, "failed", "Norway"),
    ]


async def test_without_them_a_lead_has_the_contracts_defaults(caller: Caller) -> None:
    lead = await only_lead(caller, {"phone": PHONE}, None)

    assert (lead["status"], lead["timezone"], lead["preferred_language"]) == ("pending", "UTC", "en-US")
    assert (lead["priority"], lead["custom_fields"], lead["tags"], lead["source"]) == (3, {}, None, None)


@pytest.mark.parametrize("nothing", ["", "{}", '{"source": null, "city": ""}'])
async def test_they_may_say_nothing(caller: Caller, nothing: str) -> None:
    lead = await only_lead(caller, {"phone": PHONE}, nothing)

    assert (lead["source"], lead["city"]) == (None, None)


async def test_they_take_json_values_of_every_kind(caller: Caller) -> None:
    defaults = {
        "priority": 1,
        "lead_score": "85",
        "annual_revenue": 5000000.5,
        "best_time_to_call": "14:00:00",
        "timezone": "America/New_York",
        "interest_level": "high",
        "assigned_to": 123,
        "tags": ["enterprise", "high-value"],
        "pain_points": ["Too expensive"],
        "custom_fields": {"referred_by": "Jane Smith", "seats": 12},
    }

    lead = await only_lead(caller, {"phone": PHONE}, defaults)

    custom_fields = {"referred_by": "Jane Smith", "seats": 12, "tags": ["enterprise", "high-value"]}
    expected = defaults | {"lead_score": 85, "custom_fields": custom_fields}
    assert {name: lead[name] for name in expected} == expected


@pytest.mark.parametrize("text", ['{"status":', "status=pending", "[]", '"pending"', "null", "1", "NaN", '{"a": NaN}'])
async def test_they_must_be_a_json_object(caller: Caller, text: str) -> None:
    response = await caller.import_file(f"phone\n{PHONE}", await caller.create_campaign(), default_values=text)

    refused(response, NOT_AN_OBJECT)


@pytest.mark.parametrize(
    ("defaults", "error"),
    [
        ({"status": "running"}, "Invalid status value"),
        ({"interest_level": "huge"}, "Invalid interest level"),
        ({"lead_score": 101}, "Lead score must be between 0 and 100"),
        ({"lead_score": 10.5}, "Lead score must be between 0 and 100"),
        ({"email": "nobody"}, "Invalid email format"),
    ],
)
async def test_they_obey_the_rules_of_the_file(caller: Caller, defaults: dict[str, object], error: str) -> None:
    response = await caller.import_file(f"phone\n{PHONE}", await caller.create_campaign(), default_values=defaults)

    refused(response, error)


@pytest.mark.parametrize(
    "defaults",
    [
        {"shoe_size": 44},
        {"id": 1},
        {"company_id": 1},
        {"campaign_id": 1},
        {"created_at": "2024-01-01"},
        {"phone": PHONE},
        {"source": 5},
        {"source": ["a"]},
        {"source": True},
        {"lead_score": True},
        {"lead_score": [1]},
        {"tags": {"a": 1}},
        {"tags": [1]},
        {"custom_fields": ["a"]},
        {"annual_revenue": -1},
        {"annual_revenue": 1e300},
        {"assigned_to": 2**70},
        {"assigned_to": 0},
        {"source": "x" * 101},
        {"timezone": "Mars/Olympus"},
        {"best_time_to_call": "25:00:00"},
    ],
    ids=lambda defaults: json.dumps(defaults)[:40],
)
async def test_a_default_that_no_lead_can_have_is_refused_by_name(caller: Caller, defaults: dict[str, object]) -> None:
    response = await caller.import_file(f"phone\n{PHONE}", await caller.create_campaign(), default_values=defaults)

    body = response.json()
    assert (response.status_code, body["message"]) == (400, "Error importing leads"), body
    assert body["error"] == body["errors"][0]["message"]
    [name] = defaults
    assert [fault["field"] for fault in body["errors"]] == [f"default_values.{name}"]
    assert await caller.leads() == []


async def test_every_bad_default_is_named(caller: Caller) -> None:
    response = await caller.import_file(
        f"phone\n{PHONE}",
        await caller.create_campaign(),
        default_values={"shoe_size": 44, "lead_score": 1, "priority": 9},
    )

    assert response.status_code == 400
    fields = {fault["field"] for fault in response.json()["errors"]}
    assert fields == {"default_values.shoe_size", "default_values.priority"}


@pytest.mark.parametrize(
    "defaults",
    [
        pytest.param('{"source": "a\\u0000b"}', id="NUL in a value"),
        pytest.param('{"custom_fields": {"a": ["\\u0000"]}}', id="NUL inside"),
        pytest.param('{"\\u0000": "a"}', id="NUL in a name"),
        pytest.param('{"custom_fields":' + '{"a":' * 300 + "1" + "}" * 301, id="nested too deeply"),
    ],
)
async def test_defaults_that_cannot_be_stored_are_refused(caller: Caller, defaults: str) -> None:
    response = await caller.import_file(f"phone\n{PHONE}", await caller.create_campaign(), default_values=defaults)

    refused(response, "default_values must not contain NUL characters or be nested more than 254 levels deep")


async def test_a_backslash_in_front_of_u0000_is_no_nul(caller: Caller) -> None:
    lead = await only_lead(caller, {"phone": PHONE}, {"source": "\\u0000"})

    assert lead["source"] == "\\u0000"
