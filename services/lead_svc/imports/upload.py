"""Reads the form of an import request, and no more of it than a file may be large."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

import orjson
from fastapi import Request
from python_multipart.multipart import parse_options_header
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.responses import Response

from services.lead_svc.imports.errors import ImportRejected
from services.lead_svc.imports.formats import FileKind, identify
from services.lead_svc.imports.messages import (
    CAMPAIGN_REQUIRED,
    DEFAULTS_NOT_AN_OBJECT,
    DEFAULTS_NOT_STORABLE,
    FILE_TOO_LARGE,
    INVALID_CAMPAIGN,
    NO_FILE,
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
from services.lead_svc.imports.stored_json import as_jsonb
from shared.http.parameters import LARGEST_ID

LARGEST_FILE = 10 * 1024 * 1024
FORM_OVERHEAD = 64 * 1024
"""What boundaries, headers and the other fields may take on top."""
LONGEST_FILENAME = 255


@dataclass(frozen=True, slots=True)
class Upload:
    """A checked import request."""

    filename: str
    kind: FileKind
    content: bytes
    campaign_id: int
    default_values: dict[str, object]
    options: ImportOptions = field(default_factory=ImportOptions)


class CutOff(ImportRefused):
    """More is sent than a file may have: the rest is not taken in."""

    def response(self) -> Response:
        """The answer, after which the connection is closed."""
        response = super().response()
        response.headers["Connection"] = "close"
        return response


async def read_upload(request: Request) -> Upload:
    """Read and check the form.

    Raises
    ------
    ImportRefused
        With the contract's message for what is missing, too large or of a wrong kind.
    """
    form = await _read_form(request)
    filename, content = await _read_file(form)
    try:
        kind = identify(filename, content)
    except ImportRejected as rejection:
        raise ImportRefused(rejection.message) from rejection
    return Upload(
        filename=filename,
        kind=kind,
        content=content,
        campaign_id=_campaign_id(form),
        default_values=_default_values(form),
        options=_options(form),
    )


async def _read_form(request: Request) -> FormData:
    if not request.headers.get("Content-Type", "").lower().startswith("multipart/form-data"):
        raise ImportRefused(NO_FILE)
    # FastAPI's own parser would read the whole body, however large, before asking anyone.
    body = _Body(request)
    try:
        form = await MultiPartParser(request.headers, body.chunks(), max_files=1, max_fields=20).parse()
    except MultiPartException as error:
        raise ImportRefused(f"The form cannot be read: {error.message}") from error
    if not body.is_whole:
        await form.close()
        raise ImportRefused("The form cannot be read: its end is missing")
    return form


class _Body:
    """A form's bytes on their way to the parser, which minds neither their number nor whether they end too soon."""

    def __init__(self, request: Request) -> None:
        self._stream = request.stream()
        boundary = parse_options_header(request.headers["Content-Type"])[1].get(b"boundary", b"")
        self._last_boundary = b"--" + boundary + b"--"
        self._end = b""

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        received = 0
        async for chunk in self._stream:
            received += len(chunk)
            if received > LARGEST_FILE + FORM_OVERHEAD:
                raise CutOff(FILE_TOO_LARGE)
            self._end = (self._end + chunk)[-len(self._last_boundary) - len(b"\r\n") :]
            yield chunk

    @property
    def is_whole(self) -> bool:
        """Whether the boundary that closes the form is there, and nothing behind it but the end of its line."""
        return self._end.rstrip(b"\r\n").endswith(self._last_boundary)


async def _read_file(form: FormData) -> tuple[str, bytes]:
    file = form.get("file")
    if not isinstance(file, UploadFile) or not file.filename:
        raise ImportRefused(NO_FILE)
    content = await file.read()
    await file.close()
    if len(content) > LARGEST_FILE:
        raise ImportRefused(FILE_TOO_LARGE)
    # Some clients send a whole path; the name is for people and PostgreSQL holds no NUL.
    name = file.filename.replace("\\", "/").rsplit("/", 1)[-1].replace("\x00", "")
    return name[-LONGEST_FILENAME:], content


def _campaign_id(form: FormData) -> int:
    value = form.get("campaign_id")
    if not isinstance(value, str) or not value.strip():
        raise ImportRefused(CAMPAIGN_REQUIRED)
    digits = value.strip()
    if not (digits.isascii() and digits.isdigit() and 1 <= int(digits[:20]) <= LARGEST_ID):
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
    if as_jsonb(parsed) is None:
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
