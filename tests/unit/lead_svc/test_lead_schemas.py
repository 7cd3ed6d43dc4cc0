"""Rules of the values in the bodies of leads: which values are invalid, and the messages of their errors."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from services.lead_svc.leads.schemas import LeadCreate, LeadUpdate
from tests.fixtures.leads import CONTRACT_LEAD

MAX_ID = 2**63 - 1

CONTRACT_MESSAGES: list[tuple[str, Any, str]] = [
    ("phone", "12", "Invalid phone number format: 12"),
    ("phone", "call me", "Invalid phone number format: call me"),
    ("alternate_phone", "+123", "Invalid phone number format: +123"),
    ("email", "john.doe", "Invalid email format"),
    ("email", "john@doe@example.com", "Invalid email format"),
    ("lead_score", -1, "Lead score must be between 0 and 100"),
    ("lead_score", 101, "Lead score must be between 0 and 100"),
    ("status", "running", "Invalid status value"),
    ("status", "Pending", "Invalid status value"),
    ("status", "", "Invalid status value"),
    ("interest_level", "burning", "Invalid interest level"),
    *((name, value, f"Missing required field: {name}") for name in ("first_name", "last_name") for value in ("", "  ")),
]
"""Invalid values, with the messages of the contract."""

INVALID: list[tuple[str, Any]] = [
    ("campaign_id", "1"),
    ("campaign_id", 0),
    ("campaign_id", -1),
    ("campaign_id", MAX_ID + 1),
    ("campaign_id", True),
    ("company_id", "x"),
    ("company_id", 1.5),
    ("first_name", 5),
    ("first_name", "x" * 101),
    ("first_name", "a\0b"),
    ("last_name", ["Doe"]),
    ("phone", 14155552671),
    ("phone", {}),
    ("status", 1),
    ("priority", 0),
    ("priority", 6),
    ("priority", "high"),
    ("priority", True),
    ("priority", 1.5),
    ("priority", MAX_ID + 1),
    ("best_time_to_call", "25:00:00"),
    ("best_time_to_call", "2 pm"),
    ("best_time_to_call", 14),
    ("timezone", "Mars/Olympus"),
    ("preferred_language", "English, please"),
    ("annual_revenue", "a lot"),
    ("annual_revenue", -0.01),
    ("annual_revenue", 1e15),
    ("annual_revenue", True),
    ("lead_score", "85"),
    ("lead_score", 8.5),
    ("lead_score", True),
    ("pain_points", "Slow"),
    ("pain_points", [1]),
    ("requirements", {"a": 1}),
    ("custom_fields", ["a"]),
    ("custom_fields", "a"),
    ("custom_fields", {"a": "x" * 10_001}),
    ("assigned_to", 0),
    ("assigned_to", -5),
    ("assigned_to", "me"),
    ("assigned_to", MAX_ID + 1),
    ("assigned_to", True),
    ("notes", 1),
    ("notes", "a\0b"),
    ("tags", "enterprise"),
    ("tags", ["a", None]),
    ("last_contact_date", "yesterday"),
    ("last_contact_date", "2024-02-30T10:30:00Z"),
    ("next_contact_date", 1708425000),
    ("next_contact_date", "2024-02-20"),
]
"""Invalid values, whatever their message."""

MESSAGES: list[tuple[str, Any, str]] = [
    ("first_name", 5, "First name must be a text"),
    ("first_name", "x" * 101, "First name must be at most 100 characters"),
    ("notes", ["a"], "Notes must be a text"),
    ("notes", "a\0b", "Notes must not contain a NUL character or half a surrogate pair"),
    ("email", 5, "Email must be a text"),
    ("priority", "high", "Priority must be a whole number"),
    ("priority", 1.5, "Priority must be a whole number"),
    ("priority", 6, "Priority must be between 1 and 5"),
    ("lead_score", True, "Lead score must be a whole number"),
    ("annual_revenue", "a lot", "Annual revenue must be a number"),
    ("assigned_to", "me", "Assigned to must be the id of an agent"),
    ("tags", "enterprise", "Tags must be a list of texts"),
    ("tags", ["x" * 10_001], "Tags must be at most 10,000 characters in all"),
    ("custom_fields", ["a"], "Custom fields must be a JSON object"),
    ("custom_fields", {"a": "x" * 10_001}, "Custom fields must be at most 10,000 characters in all"),
]
"""Invalid values, with our messages."""

UNUSUAL_JSON = [
    *((field, b"99999999999999999999999999") for field in ("priority", "lead_score", "assigned_to", "first_name")),
    *((field, b'"\\ud800"') for field in ("first_name", "notes", "phone", "email", "status", "timezone")),
    ("tags", b'["\\ud800"]'),
    ("pain_points", b'["\\ud800"]'),
    ("custom_fields", b'{"a": "\\ud800"}'),
    ("custom_fields", b'{"a": "\\u0000"}'),
    ("custom_fields", b'{"\\u0000": 1}'),
    ("custom_fields", b'{"a": 99999999999999999999999999}'),
    ("phone", b'["\\ud800"]'),
    ("phone", b"[" * 500 + b"]" * 500),
    ("custom_fields", b'{"a":' * 500 + b"1" + b"}" * 500),
    ("annual_revenue", b"1e999"),
    ("annual_revenue", b"-1e999"),
    ("lead_score", b"1e999"),
    ("lead_score", b"NaN"),
    ("next_contact_date", b'"2024-02-20T14:00:00+99:99"'),
]
"""JSON of invalid values that parsers or PostgreSQL could fail on."""


def errors_of(body: object, schema: type[LeadCreate] = LeadCreate) -> dict[str, str]:
    """The messages of the errors of a body by field, as an error response has them."""
    try:
        schema.model_validate(body)
    except ValidationError as error:
        details = error.errors()
    else:
        details = []
    return {
        str(detail["loc"][0]): f"Missing required field: {detail['loc'][0]}"
        if detail["type"] == "missing"
        else detail["msg"]
        for detail in details
    }


@pytest.mark.parametrize("schema", [LeadCreate, LeadUpdate])
def test_the_contracts_example_is_valid(schema: type[LeadCreate]) -> None:
    assert errors_of(CONTRACT_LEAD, schema) == {}


@pytest.mark.parametrize("schema", [LeadCreate, LeadUpdate])
@pytest.mark.parametrize(
    ("field", "value", "message"), [*CONTRACT_MESSAGES, *MESSAGES], ids=lambda item: str(item)[:30]
)
def test_an_invalid_value_has_the_message_of_its_field(
    schema: type[LeadCreate], field: str, value: object, message: str
) -> None:
    """Fails when a value is accepted, or its message is not that of the contract or of the field."""
    assert errors_of({**CONTRACT_LEAD, field: value}, schema) == {field: message}


@pytest.mark.parametrize(("field", "value"), INVALID, ids=lambda item: str(item)[:30])
def test_an_invalid_value_is_an_error_of_its_field(field: str, value: object) -> None:
    assert errors_of({**CONTRACT_LEAD, field: value}).keys() == {field}


@pytest.mark.parametrize(("field", "value"), UNUSUAL_JSON, ids=lambda item: repr(item)[:40])
def test_unusual_json_is_an_error_of_its_field(field: str, value: bytes) -> None:
    body = json.dumps({**CONTRACT_LEAD, field: "here"}).encode().replace(b'"here"', value)
    assert errors_of(json.loads(body)).keys() == {field}
