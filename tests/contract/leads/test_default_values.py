"""`default_values`: values for the fields that a row leaves empty."""

from typing import Any

import pytest

from tests.contract.leads.rejections import rejected
from tests.fixtures.gateway import Caller, csv_of

PHONE = "+14155550100"
NOT_AN_OBJECT = "default_values must be a JSON object"


async def only_lead(caller: Caller, row: dict[str, object], default_values: object) -> dict[str, Any]:
    """Import a file of one row; return its lead."""
    campaign_id = await caller.create_campaign()
    [lead] = await caller.imported(csv_of([row]), campaign_id, default_values=default_values)
    return lead


async def test_default_values_fill_empty_cells_only(caller: Caller) -> None:
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


async def test_a_lead_has_the_contracts_defaults(caller: Caller) -> None:
    lead = await only_lead(caller, {"phone": PHONE}, None)

    assert (lead["status"], lead["timezone"], lead["preferred_language"]) == ("pending", "UTC", "en-US")
    assert (lead["priority"], lead["custom_fields"], lead["tags"], lead["source"]) == (3, {}, None, None)


@pytest.mark.parametrize("nothing", ["", "{}", '{"source": null, "city": ""}'])
async def test_empty_default_values_are_no_value(caller: Caller, nothing: str) -> None:
    lead = await only_lead(caller, {"phone": PHONE}, nothing)

    assert (lead["source"], lead["city"]) == (None, None)


async def test_default_values_accept_json_values_of_every_kind(caller: Caller) -> None:
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


async def test_default_values_must_be_a_json_object(caller: Caller) -> None:
    response = await caller.import_file(f"phone\n{PHONE}", await caller.create_campaign(), default_values="[]")

    rejected(response, NOT_AN_OBJECT)


async def test_an_invalid_default_value_is_rejected(caller: Caller) -> None:
    response = await caller.import_file(
        f"phone\n{PHONE}", await caller.create_campaign(), default_values={"status": "running"}
    )

    rejected(response, "Invalid status value")
    assert [row_error["field"] for row_error in response.json()["errors"]] == ["default_values.status"]
    assert await caller.leads() == []


async def test_every_invalid_default_value_is_reported(caller: Caller) -> None:
    response = await caller.import_file(
        f"phone\n{PHONE}",
        await caller.create_campaign(),
        default_values={"shoe_size": 44, "lead_score": 1, "priority": 9},
    )

    assert response.status_code == 400
    fields = {row_error["field"] for row_error in response.json()["errors"]}
    assert fields == {"default_values.shoe_size", "default_values.priority"}


async def test_a_backslash_before_u0000_is_not_a_nul(caller: Caller) -> None:
    lead = await only_lead(caller, {"phone": PHONE}, {"source": "\\u0000"})

    assert lead["source"] == "\\u0000"
