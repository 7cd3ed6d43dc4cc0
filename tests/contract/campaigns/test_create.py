"""Endpoint 1: create voice campaign."""

import re
from typing import Any

import pytest

from services.campaign_svc.campaigns.schemas import CampaignRead, CampaignResponse
from tests.fixtures.campaigns import CONTRACT_EXAMPLE, CampaignApi, campaign_body, smallest_body

UTC_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
RETURNED = {"start_date": "2024-03-01T09:00:00Z", "end_date": "2024-12-31T17:00:00Z"}
"""Fields of the contract's example that a response has in another form than the request."""


async def test_the_response_contains_the_whole_example_of_the_contract(campaign_api: CampaignApi, company: int) -> None:
    response = await campaign_api.post(campaign_body(company), company)

    assert response.status_code == 201
    assert response.headers["content-type"] == "application/json"
    answer = response.json()
    assert answer.keys() == {"message", "data"}
    assert answer["message"] == "Voice campaign created successfully"
    campaign = answer["data"]
    assert isinstance(campaign.pop("id"), int)
    assert campaign.pop("version") == 1
    assert UTC_TIME.fullmatch(campaign.pop("created_at"))
    assert UTC_TIME.fullmatch(campaign.pop("updated_at"))
    expected = campaign_body(company) | RETURNED
    assert campaign == expected
    assert {name: type(value) for name, value in campaign.items()} == {
        name: type(value) for name, value in expected.items()
    }


async def test_the_response_matches_its_schema(campaign_api: CampaignApi, company: int) -> None:
    response = await campaign_api.post(campaign_body(company), company)
    CampaignResponse.model_validate_json(response.content)
    assert response.json()["data"].keys() == CampaignRead.model_fields.keys()


async def test_an_absent_field_gets_its_documented_default(campaign_api: CampaignApi, company: int) -> None:
    campaign = await campaign_api.create(smallest_body(company))
    left_out = {name: campaign[name] for name in CONTRACT_EXAMPLE.keys() - smallest_body(company).keys()}
    assert left_out == {
        "description": None,
        "priority": "medium",
        "campaign_type": "outbound",
        "time_zone": "UTC",
        "working_days": ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"],
        "ai_voice_id": None,
        "ai_voice_language": "en-US",
        "ai_voice_gender": None,
        "fallback_script": None,
        "max_attempts_per_lead": 3,
        "retry_delay_minutes": 60,
        "call_duration_limit": None,
        "success_criteria": None,
        "expected_completion_date": None,
        "budget": None,
        "cost_per_call": None,
        "owner_id": None,
        "team_members": [],
        "tags": [],
        "notes": None,
        "start_date": None,
        "end_date": None,
        "recurrence_rule": None,
    }


async def test_a_null_field_is_the_same_as_an_absent_one(campaign_api: CampaignApi, company: int) -> None:
    optional = CONTRACT_EXAMPLE.keys() - smallest_body(company).keys()
    nulls = await campaign_api.create(smallest_body(company, **dict.fromkeys(optional)))
    left_out = await campaign_api.create(smallest_body(company))
    assert {name: nulls[name] for name in optional} == {name: left_out[name] for name in optional}


@pytest.mark.parametrize("status", ["draft", "active", "paused", "completed"])
async def test_a_campaign_may_begin_in_any_status(campaign_api: CampaignApi, company: int, status: str) -> None:
    assert (await campaign_api.create(campaign_body(company, status=status)))["status"] == status


@pytest.mark.parametrize(
    ("changes", "returned"),
    [
        ({"name": "  Padded  "}, {"name": "Padded"}),
        ({"name": "x" * 100}, {"name": "x" * 100}),
        ({"name": "Ćáłł ☎️ 電話"}, {"name": "Ćáłł ☎️ 電話"}),
        ({"working_days": ["SUNDAY", "monday", "Monday"]}, {"working_days": ["Monday", "Sunday"]}),
        ({"calling_hours_start": "22:00:00", "calling_hours_end": "06:00:00"}, {"calling_hours_end": "06:00:00"}),
        ({"budget": 0, "cost_per_call": 9999999999.99}, {"budget": 0, "cost_per_call": 9999999999.99}),
        ({"budget": 0.07}, {"budget": 0.07}),
        ({"calls_per_day": 2**31 - 1}, {"calls_per_day": 2**31 - 1}),
        ({"owner_id": 2**63 - 1}, {"owner_id": 2**63 - 1}),
        ({"team_members": [3, 1, 3]}, {"team_members": [3, 1]}),
        ({"tags": [" a ", "b", "a"]}, {"tags": ["a", "b"]}),
        ({"time_zone": "America/New_York"}, {"start_date": "2024-03-01T14:00:00Z", "end_date": "2024-12-31T22:00:00Z"}),
        ({"start_date": "2024-03-01T09:00:00+02:00"}, {"start_date": "2024-03-01T07:00:00Z"}),
        ({"start_date": "2024-03-01T09:00:00.250Z"}, {"start_date": "2024-03-01T09:00:00Z"}),
    ],
)
async def test_values_are_normalized(
    campaign_api: CampaignApi, company: int, changes: dict[str, Any], returned: dict[str, Any]
) -> None:
    created = await campaign_api.create(campaign_body(company, **changes))
    assert {name: created[name] for name in returned} == returned
    assert (await campaign_api.get(f"/{created['id']}", company)).json() == created
