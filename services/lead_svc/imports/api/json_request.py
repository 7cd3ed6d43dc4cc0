"""The body of a JSON import: the reader that turns it into an `ImportRequest`.

The reader validates the body except for its leads; the worker validates the leads, by the rules of a file.
"""

import json
from codecs import BOM_UTF8
from collections.abc import Iterator, Mapping
from typing import Any, Final

import orjson
from fastapi import Request

from services.lead_svc.campaigns.errors import INVALID_CAMPAIGN
from services.lead_svc.imports.api.upload import MAX_MEGABYTES
from services.lead_svc.imports.errors import (
    BODY_NOT_AN_OBJECT,
    BODY_TOO_LARGE,
    CAMPAIGN_REQUIRED,
    DEFAULTS_NOT_AN_OBJECT,
    DEFAULTS_NOT_STORABLE,
    IMPORT_FAILED,
    LEADS_NESTED_TOO_DEEPLY,
    NO_LEADS_IN_BODY,
    NOT_FINITE,
    ImportRequestError,
)
from services.lead_svc.imports.options import (
    Choice,
    ImportOptions,
    InvalidOptionError,
    OnDuplicate,
    OnError,
    parse_choice,
)
from services.lead_svc.imports.records import ImportRequest
from services.lead_svc.spreadsheets.file_kind import LEADS_ARRAY, FileKind
from services.lead_svc.spreadsheets.row_errors import MAX_REPORTED_ERRORS
from services.lead_svc.spreadsheets.schemas import RowErrorRead
from services.lead_svc.values.jsonb import has_finite_numbers, to_jsonb
from services.lead_svc.values.to_text import display_text
from shared.http.errors import display_value
from shared.http.multipart import MEGABYTE, BodyTooLargeError
from shared.ids import MAX_ID

FILENAME: Final = "leads.json"
"""The `filename` of the job."""
_KNOWN_MEMBERS: Final = frozenset({"campaign_id", LEADS_ARRAY, "default_values", "on_error", "on_duplicate", "dry_run"})


async def read_json_request(request: Request) -> ImportRequest:
    """Read and validate the body, except for its leads.

    Raises
    ------
    BadRequest
        With every error; the first has the contract's message.
    """
    body = await _read_body(request)
    members = {name: value for name, value in body.items() if value is not None}
    options, option_errors = _options(members)
    errors = [
        *_campaign_errors(members),
        *_leads_errors(members),
        *_defaults_errors(members),
        *_unknown_member_errors(body),
        *option_errors,
    ]
    if errors:
        raise ImportRequestError(errors[0].message, errors)
    return ImportRequest(
        filename=FILENAME,
        kind=FileKind.JSON,
        content=orjson.dumps(members[LEADS_ARRAY]),
        campaign_id=members["campaign_id"],
        default_values=members.get("default_values", {}),
        options=options,
    )


async def _read_body(request: Request) -> dict[str, Any]:
    received = bytearray()
    async for chunk in request.stream():
        received += chunk
        if len(received) > MAX_MEGABYTES * MEGABYTE:
            raise BodyTooLargeError(IMPORT_FAILED, BODY_TOO_LARGE)
    try:
        # Some programs write a byte order mark before JSON in UTF-8; a parser may ignore it (RFC 8259, 8.1).
        body = orjson.loads(received.removeprefix(BOM_UTF8))
    except orjson.JSONDecodeError as error:
        errors = _not_finite_errors(received)
        raise ImportRequestError(errors[0].message if errors else BODY_NOT_AN_OBJECT, errors) from error
    if not isinstance(body, dict):
        raise ImportRequestError(BODY_NOT_AN_OBJECT)
    return body


def _not_finite_errors(received: bytes | bytearray) -> list[RowErrorRead]:
    """Return an error for each field of a body that is not JSON only because of NaN, Infinity or too large a number."""
    try:
        body = json.loads(received)
        if not isinstance(body, dict) or has_finite_numbers(body):
            return []
        errors = [
            RowErrorRead(
                row=row, field=path, value=display_value(value), code="not_a_number", message=f"{path} {NOT_FINITE}"
            )
            for row, path, value in _body_fields(body)
            if not has_finite_numbers(value)
        ]
    except (ValueError, RecursionError):
        return []
    return errors[:MAX_REPORTED_ERRORS]


def _body_fields(body: Mapping[str, Any]) -> Iterator[tuple[int | None, str, object]]:
    """Yield row, path and value of each field of the leads, of each default value and of each other member."""
    for name, value in body.items():
        if name == LEADS_ARRAY and isinstance(value, list):
            for row, lead in enumerate(value):
                lead_fields = lead.items() if isinstance(lead, dict) else [("", lead)]
                yield from (
                    (row, f"{LEADS_ARRAY}.{row}.{display_text(field)}".rstrip("."), field_value)
                    for field, field_value in lead_fields
                )
        elif name == "default_values" and isinstance(value, dict):
            yield from ((None, f"{name}.{display_text(field)}", default) for field, default in value.items())
        else:
            yield None, display_text(name), value


def _unknown_member_errors(body: Mapping[str, Any]) -> list[RowErrorRead]:
    return [
        _error(name, value, "unknown_field", f"Unknown field: {display_text(name)}")
        for name, value in body.items()
        if name not in _KNOWN_MEMBERS
    ]


def _campaign_errors(members: Mapping[str, Any]) -> list[RowErrorRead]:
    campaign_id = members.get("campaign_id")
    if campaign_id is None or campaign_id == "":
        return [_error("campaign_id", campaign_id, "missing", CAMPAIGN_REQUIRED)]
    if isinstance(campaign_id, bool) or not isinstance(campaign_id, int) or not 1 <= campaign_id <= MAX_ID:
        return [_error("campaign_id", campaign_id, "invalid_campaign", INVALID_CAMPAIGN)]
    return []


def _leads_errors(members: Mapping[str, Any]) -> list[RowErrorRead]:
    leads = members.get(LEADS_ARRAY)
    if not isinstance(leads, list) or not leads:
        return [_error(LEADS_ARRAY, leads, "missing" if leads is None else "no_leads", NO_LEADS_IN_BODY)]
    try:
        orjson.dumps(leads)
    except orjson.JSONEncodeError:
        return [_error(LEADS_ARRAY, None, "not_storable", LEADS_NESTED_TOO_DEEPLY)]
    return []


def _defaults_errors(members: Mapping[str, Any]) -> list[RowErrorRead]:
    defaults = members.get("default_values", {})
    if not isinstance(defaults, dict):
        return [_error("default_values", defaults, "wrong_type", DEFAULTS_NOT_AN_OBJECT)]
    if to_jsonb(defaults) is None:
        return [_error("default_values", None, "not_storable", DEFAULTS_NOT_STORABLE)]
    return []


def _options(members: Mapping[str, Any]) -> tuple[ImportOptions, list[RowErrorRead]]:
    errors: list[RowErrorRead] = []
    on_error = _choice(OnError.ABORT, "on_error", members, errors)
    on_duplicate = _choice(OnDuplicate.CREATE, "on_duplicate", members, errors)
    dry_run = members.get("dry_run", False)
    if not isinstance(dry_run, bool):
        errors.append(_error("dry_run", dry_run, "wrong_type", "dry_run must be true or false"))
    return ImportOptions(on_error=on_error, on_duplicate=on_duplicate, dry_run=dry_run is True), errors


def _choice(default: Choice, name: str, members: Mapping[str, Any], errors: list[RowErrorRead]) -> Choice:
    """Return the choice of a member, or the default; an invalid value is added to `errors`."""
    try:
        return parse_choice(type(default), name, members.get(name, default))
    except InvalidOptionError as error:
        errors.append(_error(name, error.value, "invalid_choice", error.message))
        return default


def _error(field: str, value: object, code: str, message: str) -> RowErrorRead:
    return RowErrorRead(
        row=None, field=field, value=None if value is None else display_text(value), code=code, message=message
    )
