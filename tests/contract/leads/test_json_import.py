"""`import-json`: the contract's example, its messages word for word, and the path of every error."""

import re

import pytest

from tests.contract.leads.rejections import rejected
from tests.fixtures.gateway import Caller, phone_number
from tests.fixtures.lead_imports import json_imported, post_json, reported_errors

PHONE = "+14155550100"
INVALID_CAMPAIGN = "Invalid campaign_id or campaign does not belong to company"
NO_LEADS = "leads must be a non-empty array"
MAX_ID = 2**63 - 1

JOHN = {
    "first_name": "John",
    "last_name": "Doe",
    "phone": "+1234567890",
    "email": "john@example.com",
    "company_name": "ABC Corp",
    "job_title": "Manager",
    "industry": "Technology",
    "priority": 1,
    "lead_score": 85,
    "interest_level": "high",
    "tags": ["enterprise", "high-value"],
}
JANE = {
    "first_name": "Jane",
    "last_name": "Smith",
    "phone": "1234567890",
    "email": "jane@example.com",
    "company_name": "XYZ Inc",
    "job_title": "Director",
    "industry": "Healthcare",
    "priority": 2,
    "lead_score": 75,
    "interest_level": "medium",
    "tags": ["healthcare", "mid-market"],
}
DEFAULTS = {"status": "pending", "source": "api_import", "timezone": "UTC"}


async def test_the_contracts_example_gets_the_contracts_response(caller: Caller) -> None:
    campaign_id = await caller.create_campaign()

    response = await post_json(caller, {"campaign_id": campaign_id, "leads": [JOHN, JANE], "default_values": DEFAULTS})

    assert response.status_code == 201, response.text
    body = response.json()
    assert set(body) == {"message", "imported_count", "leads"}
    assert (body["message"], body["imported_count"]) == ("Leads imported successfully", 2)
    for sent, phone, lead in zip((JOHN, JANE), ("+1234567890", "+11234567890"), body["leads"], strict=True):
        expected = (
            sent
            | DEFAULTS
            | {
                "phone": phone,
                "campaign_id": campaign_id,
                "company_id": caller.company_id,
                "custom_fields": {"tags": sent["tags"]},
            }
        )
        assert {name: lead[name] for name in expected} == expected
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", lead["created_at"])
        assert lead["updated_at"] == lead["created_at"]
    assert await caller.leads() == body["leads"]


async def test_campaign_id_is_required(caller: Caller) -> None:
    rejected(await post_json(caller, {"leads": [{"phone": PHONE}]}), "campaign_id is required")


@pytest.mark.parametrize("campaign_id", [MAX_ID, "1"])
async def test_an_invalid_campaign_id_is_rejected(caller: Caller, campaign_id: object) -> None:
    rejected(await post_json(caller, {"campaign_id": campaign_id, "leads": [{"phone": PHONE}]}), INVALID_CAMPAIGN)


async def test_a_campaign_of_another_company_is_rejected(caller: Caller, stranger: Caller) -> None:
    theirs = await stranger.create_campaign()

    rejected(await post_json(caller, {"campaign_id": theirs, "leads": [{"phone": PHONE}]}), INVALID_CAMPAIGN)
    assert await stranger.leads() == []


async def test_leads_must_be_a_non_empty_array(caller: Caller) -> None:
    campaign_id = await caller.create_campaign()

    rejected(await post_json(caller, {"campaign_id": campaign_id, "leads": []}), NO_LEADS)
    rejected(await post_json(caller, {"campaign_id": campaign_id}), NO_LEADS)


@pytest.mark.parametrize(
    ("lead", "error"),
    [
        ({"phone": "123"}, "Invalid phone number format: 123"),
        ({"first_name": "John"}, "Missing required fields: phone"),
        ({"phone": PHONE, "email": "john.example.com"}, "Invalid email format"),
        ({"phone": PHONE, "shoe_size": 44}, "Unknown field: shoe_size"),
    ],
)
async def test_an_invalid_lead_is_rejected(caller: Caller, lead: object, error: str) -> None:
    response = await post_json(
        caller, {"campaign_id": await caller.create_campaign(), "leads": [{"phone": PHONE}, lead]}
    )

    rejected(response, error)
    assert {row_error["row"] for row_error in response.json()["errors"]} == {1}
    assert await caller.leads() == []


async def test_all_errors_are_reported_with_their_paths(caller: Caller) -> None:
    leads = [
        {"phone": PHONE},
        {"phone": "12", "email": "no-address", "lead_score": 101},
        {"first_name": "x" * 101, "shoe_size": 44},
        7,
        {},
    ]

    response = await post_json(
        caller,
        {"campaign_id": await caller.create_campaign(), "leads": leads, "default_values": {"priority": 9}},
    )

    assert reported_errors(response) == [
        (None, "default_values.priority", "Priority must be between 1 and 5"),
        (1, "leads.1.phone", "Invalid phone number format: 12"),
        (1, "leads.1.email", "Invalid email format"),
        (1, "leads.1.lead_score", "Lead score must be between 0 and 100"),
        (2, "leads.2.shoe_size", "Unknown field: shoe_size"),
        (2, "leads.2.phone", "Missing required fields: phone"),
        (2, "leads.2.first_name", "First name must be at most 100 characters"),
        (3, "leads.3", "A lead must be a JSON object"),
        (4, "leads.4.phone", "Missing required fields: phone"),
    ]
    assert await caller.leads() == []


async def test_all_errors_around_the_leads_are_reported(caller: Caller) -> None:
    response = await post_json(
        caller,
        {"leads": [], "default_values": [], "on_error": "ignore", "on_duplicate": 1, "dry_run": "yes", "colour": 1},
    )

    rejected(response, "campaign_id is required")
    assert reported_errors(response) == [
        (None, "campaign_id", "campaign_id is required"),
        (None, "leads", NO_LEADS),
        (None, "default_values", "default_values must be a JSON object"),
        (None, "colour", "Unknown field: colour"),
        (None, "on_error", "on_error must be abort or skip"),
        (None, "on_duplicate", "on_duplicate must be create, skip, update or error"),
        (None, "dry_run", "dry_run must be true or false"),
    ]


async def test_a_body_that_is_not_an_object_is_rejected(caller: Caller) -> None:
    rejected(await post_json(caller, b"[]"), "The body must be a JSON object")


async def test_leads_accept_values_of_every_kind(caller: Caller) -> None:
    lead = {
        "phone": " (415) 555-2671 ext. 12",
        "alternate_phone": "00442079460000",
        "first_name": "  Zoë ",
        "status": "scheduled",
        "annual_revenue": 5000000.5,
        "best_time_to_call": "14:00",
        "preferred_language": None,
        "assigned_to": 123,
        "pain_points": ["Too expensive"],
        "requirements": [],
        "custom_fields": {"seats": 12, "deep": {"a": [1, None]}},
        "postal_code": "",
    }

    [imported] = await json_imported(caller, [lead])

    expected = {
        "phone": "+14155552671",
        "alternate_phone": "+442079460000",
        "first_name": "Zoë",
        "status": "scheduled",
        "priority": 3,
        "annual_revenue": 5000000.5,
        "best_time_to_call": "14:00:00",
        "preferred_language": "en-US",
        "timezone": "UTC",
        "assigned_to": 123,
        "pain_points": ["Too expensive"],
        "requirements": [],
        "custom_fields": {"seats": 12, "deep": {"a": [1, None]}, "phone_extension": "12"},
        "postal_code": None,
    }
    assert {name: imported[name] for name in expected} == expected


async def test_a_thousand_leads_are_returned_in_order_and_one_more_is_rejected(caller: Caller) -> None:
    campaign_id = await caller.create_campaign()
    leads = [{"phone": phone_number(number)} for number in range(1001)]

    response = await post_json(caller, {"campaign_id": campaign_id, "leads": leads})
    assert response.status_code == 400
    assert "1,000" in response.json()["error"]
    assert "Prefer: respond-async" in response.json()["error"]

    imported = await json_imported(caller, leads[:1000], campaign_id=campaign_id)
    assert [lead["phone"] for lead in imported] == [lead["phone"] for lead in leads[:1000]]


async def test_a_caller_who_does_not_wait_may_send_more_leads(caller: Caller) -> None:
    leads = [{"phone": phone_number(number)} for number in range(1500)]

    response = await post_json(
        caller, {"campaign_id": await caller.create_campaign(), "leads": leads}, respond_async=True
    )

    assert response.status_code == 202
    assert response.headers["Preference-Applied"] == "respond-async"
    job = await caller.ended_job(response.headers["Location"])
    assert (job["status"], job["imported_count"], job["filename"]) == ("completed", 1500, "leads.json")


async def test_a_body_of_more_than_ten_megabytes_is_rejected(caller: Caller) -> None:
    body = b'{"campaign_id": 1, "leads": [' + b" " * (10 * 1024 * 1024) + b"]}"

    assert (await post_json(caller, body)).status_code in {400, 413}


async def test_text_is_stored_character_by_character(caller: Caller) -> None:
    notes = 'First, "maybe"\r\nthen no.\n\\u0000 ’=1+1 🎉'

    [lead] = await json_imported(caller, [{"phone": PHONE, "notes": notes, "city": "'=1+1"}])

    assert (lead["notes"], lead["city"]) == (notes, "'=1+1")


async def test_a_failed_import_has_the_location_of_its_job(caller: Caller) -> None:
    response = await post_json(caller, {"campaign_id": await caller.create_campaign(), "leads": [{"phone": "1"}]})

    job = (await caller.get(response.headers["Location"])).json()
    assert (job["status"], job["error"]) == ("failed", "Invalid phone number format: 1")
    assert job["errors"] == response.json()["errors"]
