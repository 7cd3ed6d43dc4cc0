"""Schema of the body of a JSON import, for the API document."""

from typing import Any, Final

from services.lead_svc.domain.fields import FIELDS, Field, Kind
from services.lead_svc.imports.options import OnDuplicate, OnError
from services.lead_svc.spreadsheets.file_kind import LEADS_ARRAY

_EXAMPLE: Final = {
    "campaign_id": 123,
    "leads": [
        {
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
        },
        {
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
        },
    ],
    "default_values": {"status": "pending", "source": "api_import", "timezone": "UTC"},
}


_NO_VALUE: Final = "an empty text is no value."
_PARSED_AS_CELL: Final = f"A text is parsed like a cell of a file; {_NO_VALUE}"


def _schema_of(spec: Field) -> dict[str, Any]:
    match spec.kind:
        case Kind.INTEGER:
            number = {"type": ["integer", "string", "null"], "description": _PARSED_AS_CELL}
            return number | {"minimum": spec.minimum, "maximum": spec.maximum}
        case Kind.MONEY:
            number = {"type": ["number", "string", "null"], "description": _PARSED_AS_CELL}
            return number | {"minimum": 0, "maximum": spec.maximum + 0.99}
        case Kind.LIST:
            items = {"type": "string"}
            return {"type": ["array", "string", "null"], "items": items, "description": _PARSED_AS_CELL}
        case Kind.OBJECT:
            return {
                "type": ["object", "string", "null"],
                "description": f"A text is parsed as JSON; {_NO_VALUE}",
            }
        case Kind.CHOICE:
            choices = ", ".join(f"`{choice}`" for choice in sorted(spec.choices))
            return {
                "type": ["string", "null"],
                "description": f"{choices}, in upper or lower case; {_NO_VALUE}",
            }
        case _:
            return {"type": ["string", "null"]} | ({"maxLength": spec.max_length} if spec.max_length else {})


BODY_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["campaign_id", LEADS_ARRAY],
    "additionalProperties": False,
    "properties": {
        "campaign_id": {"type": "integer", "description": "The company's campaign that is to call the leads."},
        LEADS_ARRAY: {
            "type": "array",
            "minItems": 1,
            "description": "Up to 1,000 if the caller waits. Any other field is an error; put other values into "
            "`custom_fields`.",
            "items": {
                "type": "object",
                "required": ["phone"],
                "additionalProperties": False,
                "properties": {spec.name: _schema_of(spec) for spec in FIELDS if spec.importable}
                | {"phone": {"type": "string"}},
            },
        },
        "default_values": {
            "type": "object",
            "description": "Values for the fields that a lead omits.",
            "properties": {
                spec.name: _schema_of(spec) for spec in FIELDS if spec.importable and spec.kind is not Kind.PHONE
            },
        },
        "on_error": {"type": "string", "enum": list(OnError), "default": OnError.ABORT},
        "on_duplicate": {"type": "string", "enum": list(OnDuplicate), "default": OnDuplicate.CREATE},
        "dry_run": {"type": "boolean", "default": False},
    },
    "examples": [_EXAMPLE],
}
"""The body in the API document."""
