"""The form of a file import: its schema, and the reader that turns it into an `ImportRequest`."""

from dataclasses import fields
from typing import Any, Final

import orjson
from fastapi import Request
from starlette.datastructures import FormData

from services.lead_svc.campaigns.errors import INVALID_CAMPAIGN
from services.lead_svc.imports.errors import (
    CAMPAIGN_REQUIRED,
    DEFAULTS_NOT_AN_OBJECT,
    DEFAULTS_NOT_STORABLE,
    IMPORT_FAILED,
    ImportRequestError,
)
from services.lead_svc.imports.options import (
    ImportOptions,
    InvalidOptionError,
    OnDuplicate,
    OnError,
    parse_choice,
    parse_column_map,
)
from services.lead_svc.imports.records import ImportRequest
from services.lead_svc.spreadsheets.file_kind import identify_file_kind
from services.lead_svc.spreadsheets.row_errors import FileRejectedError
from services.lead_svc.spreadsheets.schemas import form_field_error
from services.lead_svc.values.jsonb import to_jsonb
from shared.http.multipart import read_file_form
from shared.ids import MAX_ID, CampaignId

MAX_MEGABYTES: Final = 10
"""Maximum size of a file, and of a JSON body."""
_FORM_FIELDS: Final = ("campaign_id", "default_values", *(option.name for option in fields(ImportOptions)))

FORM_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["file", "campaign_id"],
    "additionalProperties": False,
    "properties": {
        "file": {
            "type": "string",
            "format": "binary",
            "description": "CSV or Excel file, at most 10 MB. The first row is the header.",
        },
        "campaign_id": {
            "type": "integer",
            "description": "The company's campaign that is to call the leads.",
            "examples": [123],
        },
        "default_values": {
            "type": "string",
            "description": "JSON object: values for the fields that a row leaves empty.",
            "examples": ['{"source": "bulk_import", "status": "pending"}'],
        },
        "column_map": {
            "type": "string",
            "description": "JSON object that maps headers of the file to fields of a lead.",
            "examples": ['{"Kundenname": "last_name", "Rufnummer": "phone"}'],
        },
        "on_error": {
            "type": "string",
            "enum": list(OnError),
            "default": OnError.ABORT,
            "description": "`abort`: if a row has an error, nothing is imported. `skip`: rows with errors are skipped "
            "and reported.",
        },
        "on_duplicate": {
            "type": "string",
            "enum": list(OnDuplicate),
            "default": OnDuplicate.CREATE,
            "description": "What happens to a row whose phone number the campaign or an earlier row of the file "
            "already has. `create`: one more lead is created. `skip`: the row is skipped. `update`: the lead is "
            "updated from the row. `error`: the row has an error.",
        },
        "dry_run": {
            "type": "boolean",
            "default": False,
            "description": "Validate the file and write nothing.",
        },
    },
}
"""The form in the API document."""


async def read_file_request(request: Request) -> ImportRequest:
    """Read and validate the form.

    Raises
    ------
    BadRequest
        With the contract's message for a missing part, a file that is too large, or an unknown kind of file.
    """
    form = await read_file_form(
        request, max_megabytes=MAX_MEGABYTES, failure=IMPORT_FAILED, fields=_FORM_FIELDS, field_error=form_field_error
    )
    try:
        kind = identify_file_kind(form.filename, form.content)
    except FileRejectedError as rejection:
        raise ImportRequestError(rejection.message) from rejection
    return ImportRequest(
        filename=form.filename,
        kind=kind,
        content=form.content,
        campaign_id=_campaign_id(form.fields),
        default_values=_default_values(form.fields),
        options=_options(form.fields),
    )


def fingerprint_parts(request: ImportRequest) -> tuple[bytes, bytes]:
    """Return the parameters and the content of a request, for the fingerprint of its idempotency key.

    The name of the file is not included: it may differ between a request and its repetition.
    """
    names = (part.name for part in fields(request) if part.name not in ("content", "filename"))
    parameters = {name: getattr(request, name) for name in names}
    return orjson.dumps(parameters, option=orjson.OPT_SORT_KEYS), request.content


def _campaign_id(form: FormData) -> CampaignId:
    value = form.get("campaign_id")
    if not isinstance(value, str) or not value.strip():
        raise ImportRequestError(CAMPAIGN_REQUIRED)
    digits = value.strip()
    if not (digits.isascii() and digits.isdigit() and 1 <= int(digits[:20]) <= MAX_ID):
        raise ImportRequestError(INVALID_CAMPAIGN)
    return CampaignId(int(digits))


def _default_values(form: FormData) -> dict[str, object]:
    value = form.get("default_values")
    if value is None or (isinstance(value, str) and not value.strip()):
        return {}
    try:
        parsed = orjson.loads(value) if isinstance(value, str) else None
    except orjson.JSONDecodeError as error:
        raise ImportRequestError(DEFAULTS_NOT_AN_OBJECT) from error
    if not isinstance(parsed, dict):
        raise ImportRequestError(DEFAULTS_NOT_AN_OBJECT)
    if to_jsonb(parsed) is None:
        raise ImportRequestError(DEFAULTS_NOT_STORABLE)
    return parsed


def _options(form: FormData) -> ImportOptions:
    try:
        return ImportOptions(
            column_map=parse_column_map(_parse_json(_text(form, "column_map", "{}"))),
            on_error=parse_choice(OnError, "on_error", _text(form, "on_error", OnError.ABORT)),
            on_duplicate=parse_choice(OnDuplicate, "on_duplicate", _text(form, "on_duplicate", OnDuplicate.CREATE)),
            dry_run=_parse_bool("dry_run", _text(form, "dry_run", "false")),
        )
    except InvalidOptionError as error:
        raise ImportRequestError(error.message) from error


def _text(form: FormData, name: str, default: str) -> object:
    """Return a part of the form; a blank part counts as missing."""
    value = form.get(name)
    if value is None or (isinstance(value, str) and not value.strip()):
        return default
    return value.strip() if isinstance(value, str) else value


def _parse_json(value: object) -> object:
    try:
        return orjson.loads(value) if isinstance(value, str) else None
    except orjson.JSONDecodeError:
        return None


def _parse_bool(name: str, value: object) -> bool:
    if value not in ("true", "false"):
        raise InvalidOptionError(name, value, f"{name} must be true or false")
    return value == "true"
