"""Reads the form of an import request."""

from dataclasses import dataclass, field, fields
from typing import Final

import orjson
from fastapi import Request
from starlette.datastructures import FormData

from services.lead_svc.imports.api.multipart import read_file_form
from services.lead_svc.imports.errors import (
    CAMPAIGN_REQUIRED,
    DEFAULTS_NOT_AN_OBJECT,
    DEFAULTS_NOT_STORABLE,
    IMPORT_FAILED,
    INVALID_CAMPAIGN,
    ImportRefused,
)
from services.lead_svc.imports.options import (
    ImportOptions,
    InvalidOption,
    OnDuplicate,
    OnError,
    choice_of,
    column_map_of,
)
from services.lead_svc.spreadsheets.file_kind import FileKind, identify_file_kind
from services.lead_svc.spreadsheets.row_errors import FileRejectedError
from services.lead_svc.values.jsonb import to_jsonb
from shared.http.parameters import MAX_ID

LARGEST_MEGABYTES: Final = 10
"""Of a file, and of a body of JSON."""
_FIELDS_OF_FORM: Final = ("campaign_id", "default_values", *(option.name for option in fields(ImportOptions)))


@dataclass(frozen=True, slots=True)
class Upload:
    """A checked import request."""

    filename: str
    kind: FileKind
    content: bytes
    campaign_id: int
    default_values: dict[str, object]
    options: ImportOptions = field(default_factory=ImportOptions)

    def said(self) -> tuple[bytes, bytes]:
        """What is asked for, and the content, to know the request again; a file may have got another name meanwhile."""
        without = ("content", "filename")
        asked = {part.name: getattr(self, part.name) for part in fields(self) if part.name not in without}
        return orjson.dumps(asked, option=orjson.OPT_SORT_KEYS), self.content


async def read_upload(request: Request) -> Upload:
    """Read and check the form.

    Raises
    ------
    BadRequest
        With the contract's message for what is missing, too large or of a wrong kind.
    """
    form = await read_file_form(
        request, most_megabytes=LARGEST_MEGABYTES, failure=IMPORT_FAILED, fields=_FIELDS_OF_FORM
    )
    try:
        kind = identify_file_kind(form.filename, form.content)
    except FileRejectedError as rejection:
        raise ImportRefused(rejection.message) from rejection
    return Upload(
        filename=form.filename,
        kind=kind,
        content=form.content,
        campaign_id=_campaign_id(form.fields),
        default_values=_default_values(form.fields),
        options=_options(form.fields),
    )


def _campaign_id(form: FormData) -> int:
    value = form.get("campaign_id")
    if not isinstance(value, str) or not value.strip():
        raise ImportRefused(CAMPAIGN_REQUIRED)
    digits = value.strip()
    if not (digits.isascii() and digits.isdigit() and 1 <= int(digits[:20]) <= MAX_ID):
        raise ImportRefused(INVALID_CAMPAIGN)
    return int(digits)


def _default_values(form: FormData) -> dict[str, object]:
    value = form.get("default_values")
    if value is None or (isinstance(value, str) and not value.strip()):
        return {}
    try:
        parsed = orjson.loads(value) if isinstance(value, str) else None
    except orjson.JSONDecodeError as error:
        raise ImportRefused(DEFAULTS_NOT_AN_OBJECT) from error
    if not isinstance(parsed, dict):
        raise ImportRefused(DEFAULTS_NOT_AN_OBJECT)
    if to_jsonb(parsed) is None:
        raise ImportRefused(DEFAULTS_NOT_STORABLE)
    return parsed


def _options(form: FormData) -> ImportOptions:
    try:
        return ImportOptions(
            column_map=column_map_of(_json(_text(form, "column_map", "{}"))),
            on_error=choice_of(OnError, "on_error", _text(form, "on_error", OnError.ABORT)),
            on_duplicate=choice_of(OnDuplicate, "on_duplicate", _text(form, "on_duplicate", OnDuplicate.CREATE)),
            dry_run=_truth("dry_run", _text(form, "dry_run", "false")),
        )
    except InvalidOption as invalid:
        raise ImportRefused(invalid.message) from invalid


def _text(form: FormData, name: str, default: str) -> object:
    """A part of the form; one that is left blank counts as left out."""
    value = form.get(name)
    if value is None or (isinstance(value, str) and not value.strip()):
        return default
    return value.strip() if isinstance(value, str) else value


def _json(value: object) -> object:
    try:
        return orjson.loads(value) if isinstance(value, str) else None
    except orjson.JSONDecodeError:
        return None


def _truth(name: str, value: object) -> bool:
    if value not in ("true", "false"):
        raise InvalidOption(name, value, f"{name} must be true or false")
    return value == "true"
