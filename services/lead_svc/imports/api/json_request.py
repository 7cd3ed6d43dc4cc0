"""Reads the body of a JSON import. What is wrong with its leads themselves the worker finds, as it does in a file."""

import json
from codecs import BOM_UTF8
from collections.abc import Iterator, Mapping
from typing import Any, Final

import orjson
from fastapi import Request

from services.lead_svc.domain.fields import FIELDS, Field, Kind
from services.lead_svc.imports.api.multipart import MEGABYTE, CutOff
from services.lead_svc.imports.api.schemas import RowErrorRead
from services.lead_svc.imports.api.upload import LARGEST_MEGABYTES, Upload
from services.lead_svc.imports.errors import (
    BODY_NOT_AN_OBJECT,
    BODY_TOO_LARGE,
    CAMPAIGN_REQUIRED,
    DEFAULTS_NOT_AN_OBJECT,
    DEFAULTS_NOT_STORABLE,
    IMPORT_FAILED,
    INVALID_CAMPAIGN,
    LEADS_NESTED_TOO_DEEPLY,
    NO_LEADS_IN_BODY,
    NOT_FINITE,
    ImportRefused,
)
from services.lead_svc.imports.options import ImportOptions, InvalidOption, OnDuplicate, OnError, choice_of
from services.lead_svc.spreadsheets.file_kind import LEADS_ARRAY, FileKind
from services.lead_svc.spreadsheets.row_errors import MAX_REPORTED_ERRORS
from services.lead_svc.values.jsonb import has_finite_numbers, to_jsonb
from services.lead_svc.values.to_text import display_text
from shared.http.errors import display_value
from shared.http.parameters import MAX_ID

FILENAME: Final = "leads.json"
"""What the job shows as its file."""
_KNOWN: Final = frozenset({"campaign_id", LEADS_ARRAY, "default_values", "on_error", "on_duplicate", "dry_run"})


async def read_json_upload(request: Request) -> Upload:
    """Read and check the body, down to its leads.

    Raises
    ------
    BadRequest
        Naming everything that is wrong, the first in the contract's words.
    """
    body = await _read_body(request)
    faults = [
        _fault(name, value, "unknown_field", f"Unknown field: {display_text(name)}")
        for name, value in body.items()
        if name not in _KNOWN
    ]
    given = {name: value for name, value in body.items() if value is not None}
    faults = [*_campaign_faults(given), *_leads_faults(given), *_defaults_faults(given), *faults]
    options, invalid = _options(given)
    faults += invalid
    if faults:
        raise ImportRefused(faults[0].message, faults)
    return Upload(
        filename=FILENAME,
        kind=FileKind.JSON,
        content=orjson.dumps(given[LEADS_ARRAY]),
        campaign_id=given["campaign_id"],
        default_values=given.get("default_values", {}),
        options=options,
    )


async def _read_body(request: Request) -> dict[str, Any]:
    received = bytearray()
    async for chunk in request.stream():
        received += chunk
        if len(received) > LARGEST_MEGABYTES * MEGABYTE:
            raise CutOff(IMPORT_FAILED, BODY_TOO_LARGE)
    try:
        # Some programs put a mark before JSON in UTF-8; it says nothing (RFC 8259, 8.1).
        body = orjson.loads(received.removeprefix(BOM_UTF8))
    except orjson.JSONDecodeError as error:
        faults = _faults_of_numbers(received)
        raise ImportRefused(faults[0].message if faults else BODY_NOT_AN_OBJECT, faults) from error
    if not isinstance(body, dict):
        raise ImportRefused(BODY_NOT_AN_OBJECT)
    return body


def _faults_of_numbers(received: bytes | bytearray) -> list[RowErrorRead]:
    """Every field of a body that is no JSON only because it holds NaN, Infinity or a number that large."""
    try:
        body = json.loads(received)
        if not isinstance(body, dict) or has_finite_numbers(body):
            return []
        faults = [
            RowErrorRead(
                row=row, field=field, value=display_value(value), code="not_a_number", message=f"{field} {NOT_FINITE}"
            )
            for row, field, value in _fields_of(body)
            if not has_finite_numbers(value)
        ]
    except (ValueError, RecursionError):
        return []
    return faults[:MAX_REPORTED_ERRORS]


def _fields_of(body: Mapping[str, Any]) -> Iterator[tuple[int | None, str, object]]:
    """The fields of a body, below its leads and defaults: the row of each, its path and its value."""
    for name, value in body.items():
        if name == LEADS_ARRAY and isinstance(value, list):
            for row, lead in enumerate(value):
                within = lead.items() if isinstance(lead, dict) else [("", lead)]
                yield from (
                    (row, f"{LEADS_ARRAY}.{row}.{display_text(field)}".rstrip("."), of_lead)
                    for field, of_lead in within
                )
        elif name == "default_values" and isinstance(value, dict):
            yield from ((None, f"{name}.{display_text(field)}", default) for field, default in value.items())
        else:
            yield None, display_text(name), value


def _campaign_faults(given: Mapping[str, Any]) -> list[RowErrorRead]:
    campaign_id = given.get("campaign_id")
    if campaign_id is None or campaign_id == "":
        return [_fault("campaign_id", campaign_id, "missing", CAMPAIGN_REQUIRED)]
    if isinstance(campaign_id, bool) or not isinstance(campaign_id, int) or not 1 <= campaign_id <= MAX_ID:
        return [_fault("campaign_id", campaign_id, "invalid_campaign", INVALID_CAMPAIGN)]
    return []


def _leads_faults(given: Mapping[str, Any]) -> list[RowErrorRead]:
    leads = given.get(LEADS_ARRAY)
    if isinstance(leads, list) and leads:
        if _encoded(leads) is None:
            return [_fault(LEADS_ARRAY, None, "not_storable", LEADS_NESTED_TOO_DEEPLY)]
        return []
    return [_fault(LEADS_ARRAY, leads, "missing" if leads is None else "no_leads", NO_LEADS_IN_BODY)]


def _defaults_faults(given: Mapping[str, Any]) -> list[RowErrorRead]:
    defaults = given.get("default_values", {})
    if not isinstance(defaults, dict):
        return [_fault("default_values", defaults, "wrong_type", DEFAULTS_NOT_AN_OBJECT)]
    if to_jsonb(defaults) is None:
        return [_fault("default_values", None, "not_storable", DEFAULTS_NOT_STORABLE)]
    return []


def _encoded(leads: list[object]) -> bytes | None:
    try:
        return orjson.dumps(leads)
    except orjson.JSONEncodeError:
        return None


def _options(given: Mapping[str, Any]) -> tuple[ImportOptions, list[RowErrorRead]]:
    faults = []
    on_error, on_duplicate, dry_run = OnError.ABORT, OnDuplicate.CREATE, given.get("dry_run", False)
    try:
        on_error = choice_of(OnError, "on_error", given.get("on_error", on_error))
    except InvalidOption as invalid:
        faults.append(_fault(invalid.name, invalid.value, "invalid_choice", invalid.message))
    try:
        on_duplicate = choice_of(OnDuplicate, "on_duplicate", given.get("on_duplicate", on_duplicate))
    except InvalidOption as invalid:
        faults.append(_fault(invalid.name, invalid.value, "invalid_choice", invalid.message))
    if not isinstance(dry_run, bool):
        faults.append(_fault("dry_run", dry_run, "wrong_type", "dry_run must be true or false"))
    return ImportOptions(on_error=on_error, on_duplicate=on_duplicate, dry_run=dry_run is True), faults


def _fault(field: str, value: object, code: str, message: str) -> RowErrorRead:
    return RowErrorRead(
        row=None, field=field, value=None if value is None else display_text(value), code=code, message=message
    )


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


_READ_AS_A_CELL: Final = "A text is read as a file's cell is; an empty one is no value."


def _schema_of(spec: Field) -> dict[str, Any]:
    match spec.kind:
        case Kind.INTEGER:
            number = {"type": ["integer", "string", "null"], "description": _READ_AS_A_CELL}
            return number | {"minimum": spec.minimum, "maximum": spec.maximum}
        case Kind.MONEY:
            number = {"type": ["number", "string", "null"], "description": _READ_AS_A_CELL}
            return number | {"minimum": 0, "maximum": spec.maximum + 0.99}
        case Kind.LIST:
            items = {"type": "string"}
            return {"type": ["array", "string", "null"], "items": items, "description": _READ_AS_A_CELL}
        case Kind.OBJECT:
            return {"type": ["object", "string", "null"], "description": "A text is JSON; an empty one is no value."}
        case Kind.CHOICE:
            choices = ", ".join(f"`{choice}`" for choice in sorted(spec.choices))
            return {"type": ["string", "null"], "description": f"{choices}, in any case; an empty one is no value."}
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
            "description": "Up to 1,000 while the caller waits. A field that is not here is refused by its name; "
            "`custom_fields` takes what is none.",
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
            "description": "Values for the fields that a lead leaves out.",
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
"""What the API's document says of the body."""
