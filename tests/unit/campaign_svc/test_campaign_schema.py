"""Rules of the fields of a campaign, with the errors that clients receive."""

import json
from typing import Any

import pytest
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.requests import Request

from services.campaign_svc.campaigns.schemas import CampaignCreate, CampaignUpdate
from shared.http.errors import handle_validation_error
from tests.fixtures.campaigns import campaign_body, smallest_body

TOO_LONG = "String should have at most {} characters"
TOO_MANY = "List should have at most {} items after validation, not {}"
FALSE_COUNT = "Input should be a valid integer"
DAY_NAMES = "Input should be 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday' or 'Sunday'"
MOMENT = "Must be a date and time, YYYY-MM-DD HH:MM:SS or ISO 8601 with an offset, from 1900 to 2999"
DATE = "Must be a date, YYYY-MM-DD, from 1900 to 2999"
TIME = "Must be a time of day, HH:MM:SS"
NEVER = "Never fires between the campaign's start and end"

RULES: list[tuple[dict[str, Any], str, str]] = [
    ({"name": None}, "name", "Missing required field: name"),
    ({"name": ""}, "name", "String should have at least 1 character"),
    ({"name": "   "}, "name", "String should have at least 1 character"),
    ({"name": "x" * 101}, "name", TOO_LONG.format(100)),
    ({"name": 5}, "name", "Input should be a valid string"),
    ({"name": "a\0b"}, "name", "must not contain a NUL character"),
    ({"description": "x" * 5001}, "description", TOO_LONG.format(5000)),
    ({"status": None}, "status", "Missing required field: status"),
    ({"status": "running"}, "status", "Input should be 'draft', 'active', 'paused' or 'completed'"),
    ({"status": "Draft"}, "status", "Input should be 'draft', 'active', 'paused' or 'completed'"),
    ({"priority": "urgent"}, "priority", "Input should be 'low', 'medium' or 'high'"),
    ({"campaign_type": ""}, "campaign_type", "String should have at least 1 character"),
    ({"campaign_type": "x" * 101}, "campaign_type", TOO_LONG.format(100)),
    ({"calls_per_day": None}, "calls_per_day", "Missing required field: calls_per_day"),
    ({"calls_per_day": 0}, "calls_per_day", "Input should be greater than or equal to 1"),
    ({"calls_per_day": -5}, "calls_per_day", "Input should be greater than or equal to 1"),
    ({"calls_per_day": 2**31}, "calls_per_day", "Input should be less than or equal to 2147483647"),
    ({"calls_per_day": "5"}, "calls_per_day", FALSE_COUNT),
    ({"calls_per_day": True}, "calls_per_day", FALSE_COUNT),
    ({"calls_per_day": 5.5}, "calls_per_day", FALSE_COUNT),
    ({"calling_hours_start": None}, "calling_hours_start", "Missing required field: calling_hours_start"),
    ({"calling_hours_start": "9:00:00"}, "calling_hours_start", TIME),
    ({"calling_hours_start": "09:00"}, "calling_hours_start", TIME),
    ({"calling_hours_start": "24:00:00"}, "calling_hours_start", TIME),
    ({"calling_hours_start": 32400}, "calling_hours_start", TIME),
    ({"calling_hours_end": "17:60:00"}, "calling_hours_end", TIME),
    ({"calling_hours_end": "09:00:00"}, "calling_hours_end", "Must differ from calling_hours_start"),
    (
        {"time_zone": "Mars/Olympus"},
        "time_zone",
        "Must be a time zone of the IANA database, such as Europe/Berlin",
    ),
    ({"working_days": []}, "working_days", "List should have at least 1 item after validation, not 0"),
    ({"working_days": ["Monday", "Mon"]}, "working_days.1", DAY_NAMES),
    ({"working_days": "Monday"}, "working_days", "Input should be a valid list"),
    ({"working_days": [1]}, "working_days.0", DAY_NAMES),
    ({"ai_voice_id": "x" * 101}, "ai_voice_id", TOO_LONG.format(100)),
    ({"ai_voice_language": "english_US"}, "ai_voice_language", "Must be a BCP 47 language tag, such as en-US"),
    ({"ai_voice_gender": 1}, "ai_voice_gender", "Input should be a valid string"),
    ({"system_prompt": None}, "system_prompt", "Missing required field: system_prompt"),
    ({"system_prompt": " "}, "system_prompt", "String should have at least 1 character"),
    ({"system_prompt": "x" * 20001}, "system_prompt", TOO_LONG.format(20000)),
    ({"script_template": None}, "script_template", "Missing required field: script_template"),
    ({"script_template": "x" * 20001}, "script_template", TOO_LONG.format(20000)),
    (
        {"script_template": "Hello {customer name}"},
        "script_template",
        "Malformed placeholder at character 7: '{customer name}' is not a name in braces, as in {customer_name}",
    ),
    (
        {"fallback_script": "Bye {"},
        "fallback_script",
        "Malformed placeholder at character 5: '{' is not a name in braces, as in {customer_name}",
    ),
    ({"max_attempts_per_lead": 0}, "max_attempts_per_lead", "Input should be greater than or equal to 1"),
    ({"retry_delay_minutes": 2**31}, "retry_delay_minutes", "Input should be less than or equal to 2147483647"),
    ({"call_duration_limit": -1}, "call_duration_limit", "Input should be greater than or equal to 1"),
    ({"success_criteria": "x" * 5001}, "success_criteria", TOO_LONG.format(5000)),
    ({"expected_completion_date": "2024-02-30"}, "expected_completion_date", DATE),
    ({"expected_completion_date": "2024-12-31T00:00:00"}, "expected_completion_date", DATE),
    ({"expected_completion_date": 1735603200}, "expected_completion_date", DATE),
    ({"budget": -0.01}, "budget", "Input should be greater than or equal to 0"),
    ({"budget": 10.001}, "budget", "Decimal input should have no more than 2 decimal places"),
    ({"budget": 10**10}, "budget", "Input should be less than or equal to 9999999999.99"),
    ({"budget": "1000.00"}, "budget", "Must be a number"),
    ({"budget": False}, "budget", "Must be a number"),
    ({"cost_per_call": 1e300}, "cost_per_call", "Input should be less than or equal to 9999999999.99"),
    ({"owner_id": 0}, "owner_id", "Input should be greater than or equal to 1"),
    ({"owner_id": 2**63}, "owner_id", "Input should be less than or equal to 9223372036854775807"),
    ({"team_members": [1, "2"]}, "team_members.1", FALSE_COUNT),
    ({"team_members": {"1": 2}}, "team_members", "Input should be a valid list"),
    ({"team_members": [*range(1, 1_002)]}, "team_members", TOO_MANY.format(1_000, 1_001)),
    ({"tags": ["ok", ""]}, "tags.1", "String should have at least 1 character"),
    ({"tags": ["x" * 51]}, "tags.0", TOO_LONG.format(50)),
    ({"tags": [f"tag {number}" for number in range(101)]}, "tags", TOO_MANY.format(100, 101)),
    ({"tags": ["a\0"]}, "tags.0", "must not contain a NUL character"),
    ({"notes": "x" * 10001}, "notes", TOO_LONG.format(10000)),
    ({"start_date": "2024-03-01"}, "start_date", MOMENT),
    ({"start_date": 1709283600}, "start_date", MOMENT),
    ({"end_date": "2025-02-29 00:00:00"}, "end_date", MOMENT),
    ({"end_date": "2024-03-01 09:00:00"}, "end_date", "Must be after start_date"),
    ({"end_date": "2024-03-01T09:59:00+01:00"}, "end_date", "Must be after start_date"),
    ({"recurrence_rule": "every day"}, "recurrence_rule", "Not a recurrence rule: 'EVERY DAY' is not NAME=VALUE"),
    ({"recurrence_rule": "FREQ=SECONDLY"}, "recurrence_rule", "FREQ must be one of DAILY, WEEKLY, MONTHLY, YEARLY"),
    ({"recurrence_rule": "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"}, "recurrence_rule", NEVER),
    ({"recurrence_rule": "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=1"}, "recurrence_rule", NEVER),
    ({"recurrence_rule": "FREQ=DAILY;UNTIL=20240229"}, "recurrence_rule", NEVER),
    ({"recurrence_rule": "X" * 256}, "recurrence_rule", TOO_LONG.format(255)),
    ({"company_id": None}, "company_id", "Missing required field: company_id"),
    ({"company_id": "1"}, "company_id", FALSE_COUNT),
    ({"company_id": 0}, "company_id", "Input should be greater than or equal to 1"),
    ({"colour": "red"}, "colour", "Unknown field: colour"),
    ({"colour": None}, "colour", "Unknown field: colour"),
    ({"id": 7}, "id", "Unknown field: id"),
]


async def _errors(body: object) -> list[tuple[str, str]]:
    """Field and message of each error in the response to a body."""
    with pytest.raises(ValidationError) as invalid:
        CampaignCreate.model_validate(body)
    details = [{**detail, "loc": ("body", *detail["loc"])} for detail in invalid.value.errors()]
    response = await handle_validation_error(Request({"type": "http"}), RequestValidationError(details))
    return [(error["field"], error["message"]) for error in json.loads(bytes(response.body))["errors"]]


@pytest.mark.parametrize(("changes", "field", "message"), RULES)
async def test_an_invalid_value_is_rejected_with_its_field(changes: dict[str, Any], field: str, message: str) -> None:
    assert await _errors(campaign_body(1, **changes)) == [(field, message)]


def test_an_update_has_the_rules_of_creation() -> None:
    for changes, _, _ in RULES:
        with pytest.raises(ValidationError):
            CampaignUpdate.model_validate(campaign_body(1, **changes))


async def test_without_a_start_a_rule_must_occur_from_today_on() -> None:
    past = smallest_body(1, recurrence_rule="FREQ=DAILY;UNTIL=20200101")
    assert await _errors(past) == [("recurrence_rule", NEVER)]
    future = smallest_body(1, recurrence_rule="FREQ=DAILY;UNTIL=29990101")
    assert CampaignCreate.model_validate(future).recurrence_rule == "FREQ=DAILY;UNTIL=29990101"
