"""Forms with one file (``multipart/form-data``), read only up to the size limit of the file."""

from collections.abc import AsyncGenerator, Collection
from dataclasses import dataclass
from typing import Final, Protocol

from fastapi import Request
from pydantic import BaseModel
from python_multipart.multipart import parse_options_header
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.responses import Response

from shared.http.errors import BadRequest, FieldError, display_value

MEGABYTE: Final = 1024 * 1024
FORM_OVERHEAD: Final = 64 * 1024
"""Bytes that boundaries, headers and the other fields may take on top of the file's."""
MAX_FIELDS: Final = 20
MAX_FILENAME_LENGTH: Final = 255


@dataclass(frozen=True, slots=True)
class FileForm:
    """A form, and its file."""

    fields: FormData
    filename: str
    content: bytes


class FormFieldError(Protocol):
    """Makes the error of one part of a form, in the shape that the endpoint's errors have."""

    def __call__(self, *, field: str, code: str, message: str) -> BaseModel:
        """Return the error of a part."""


def _field_error(*, field: str, code: str, message: str) -> BaseModel:
    return FieldError(field=field, value=None, code=code, message=message)


class BodyTooLargeError(BadRequest):
    """The body is larger than it may be; the rest of it is not read."""

    def response(self) -> Response:
        """Return the response, after which the server closes the connection."""
        response = super().response()
        response.headers["Connection"] = "close"
        return response


def file_too_large(max_megabytes: int) -> str:
    """Return the error text for a file that is larger than it may be."""
    return f"File size exceeds {max_megabytes}MB limit"


NO_FILE: Final = "No file uploaded"
"""The error text for a body without a file."""


async def read_file_form(
    request: Request,
    *,
    max_megabytes: int,
    failure: str,
    fields: Collection[str] = (),
    field_error: FormFieldError = _field_error,
) -> FileForm:
    """Read a form whose part `file` is a file.

    Parameters
    ----------
    max_megabytes
        Largest size of the file.
    failure
        What could not be done with a form that is refused: the `message` of the error.
    fields
        The other parts that the form may have, each once.
    field_error
        Makes the errors of parts that are not known, or are there more than once.

    Raises
    ------
    BadRequest
        If the body is not a form, has no file, a larger one than allowed, or a part that is not known.
    """
    if not request.headers.get("Content-Type", "").lower().startswith("multipart/form-data"):
        raise BadRequest(failure, NO_FILE)
    too_large = BodyTooLargeError(failure, file_too_large(max_megabytes))
    # FastAPI's own parser would read the whole body, however large, before the caller is authenticated.
    body = _Body(request, max_megabytes * MEGABYTE + FORM_OVERHEAD, too_large)
    try:
        form = await MultiPartParser(request.headers, body.chunks(), max_files=1, max_fields=MAX_FIELDS).parse()
    except MultiPartException as error:
        raise BadRequest(failure, f"The form cannot be read: {error.message}") from error
    if not body.is_whole:
        await form.close()
        raise BadRequest(failure, "The form cannot be read: its end is missing")
    file = form.get("file")
    if not isinstance(file, UploadFile) or not file.filename:
        raise BadRequest(failure, NO_FILE)
    content = await file.read()
    await file.close()
    if len(content) > max_megabytes * MEGABYTE:
        raise BadRequest(failure, file_too_large(max_megabytes))
    _require_known_parts(form, {"file", *fields}, failure, field_error)
    # Some clients send a whole path; the name is for people, and PostgreSQL stores no NUL and no half surrogate pair.
    name = file.filename.replace("\\", "/").rsplit("/", 1)[-1].replace("\x00", "").encode(errors="replace").decode()
    return FileForm(form, name[-MAX_FILENAME_LENGTH:], content)


def _require_known_parts(form: FormData, known: Collection[str], failure: str, field_error: FormFieldError) -> None:
    """Refuse parts that would be ignored, as `dryrun` or a second `dry_run`: their meaning would be lost silently."""
    names = [display_value(name) for name, _ in form.multi_items()]
    found = [("unknown_field", f"Unknown field: {name}", name) for name in dict.fromkeys(names) if name not in known]
    found += [
        ("repeated_field", f"Given more than once: {name}", name) for name in sorted(known) if names.count(name) > 1
    ]
    if found:
        errors = [field_error(field=name, code=code, message=message) for code, message, name in found]
        raise BadRequest(failure, found[0][1], errors)


class _Body:
    """A form's bytes on their way to the parser, which limits neither their number nor notices a missing end."""

    def __init__(self, request: Request, max_bytes: int, too_large: BodyTooLargeError) -> None:
        self._stream = request.stream()
        self._max_bytes = max_bytes
        self._too_large = too_large
        boundary = parse_options_header(request.headers["Content-Type"])[1].get(b"boundary", b"")
        self._last_boundary = b"--" + boundary + b"--"
        self._end = b""

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        received = 0
        async for chunk in self._stream:
            received += len(chunk)
            if received > self._max_bytes:
                raise self._too_large
            self._end = (self._end + chunk)[-len(self._last_boundary) - len(b"\r\n") :]
            yield chunk

    @property
    def is_whole(self) -> bool:
        """Whether the boundary that closes the form is there, and after it nothing but the end of its line."""
        return self._end.rstrip(b"\r\n").endswith(self._last_boundary)
