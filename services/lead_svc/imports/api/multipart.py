"""Reads a form with a file, and no more of it than the file may be large."""

from collections.abc import AsyncGenerator, Collection
from dataclasses import dataclass
from typing import Final

from fastapi import Request
from python_multipart.multipart import parse_options_header
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.responses import Response

from services.lead_svc.imports.errors import NO_FILE, file_too_large
from services.lead_svc.spreadsheets.schemas import RowErrorRead
from shared.http.errors import BadRequest, display_value

MEGABYTE: Final = 1024 * 1024
FORM_OVERHEAD: Final = 64 * 1024
"""What boundaries, headers and the other fields may take on top."""
LONGEST_FILENAME: Final = 255


@dataclass(frozen=True, slots=True)
class FileForm:
    """A form, and its file."""

    fields: FormData
    filename: str
    content: bytes


class CutOff(BadRequest):
    """More is sent than may be: the rest is not taken in."""

    def response(self) -> Response:
        """The answer, after which the connection is closed."""
        response = super().response()
        response.headers["Connection"] = "close"
        return response


async def read_file_form(
    request: Request, *, most_megabytes: int, failure: str, fields: Collection[str] = ()
) -> FileForm:
    """Read a form whose part `file` is a file.

    Parameters
    ----------
    failure
        What could not be done with a form that is refused: the `message` of the error.
    fields
        The other parts that it may have.

    Raises
    ------
    BadRequest
        If the body is no form, has no file, a larger one than it may have, or a part that is not known.
    """
    if not request.headers.get("Content-Type", "").lower().startswith("multipart/form-data"):
        raise BadRequest(failure, NO_FILE)
    too_large = CutOff(failure, file_too_large(most_megabytes))
    # FastAPI's own parser would read the whole body, however large, before asking anyone.
    body = _Body(request, most_megabytes * MEGABYTE + FORM_OVERHEAD, too_large)
    try:
        form = await MultiPartParser(request.headers, body.chunks(), max_files=1, max_fields=20).parse()
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
    if len(content) > most_megabytes * MEGABYTE:
        raise BadRequest(failure, file_too_large(most_megabytes))
    _require_known(form, {"file", *fields}, failure)
    # Some clients send a whole path; the name is for people, and PostgreSQL holds no NUL and no half surrogate pair.
    name = file.filename.replace("\\", "/").rsplit("/", 1)[-1].replace("\x00", "").encode(errors="replace").decode()
    return FileForm(form, name[-LONGEST_FILENAME:], content)


def _require_known(form: FormData, known: Collection[str], failure: str) -> None:
    """Refuse parts that nobody would read, as `dryrun` or a second `dry_run`: what they were to say would be lost."""
    names = [display_value(name) for name, _ in form.multi_items()]
    faults = [
        RowErrorRead(row=None, field=name, value=None, code="unknown_field", message=f"Unknown field: {name}")
        for name in dict.fromkeys(names)
        if name not in known
    ]
    faults += [
        RowErrorRead(row=None, field=name, value=None, code="repeated_field", message=f"Given more than once: {name}")
        for name in sorted(known)
        if names.count(name) > 1
    ]
    if faults:
        raise BadRequest(failure, faults[0].message, faults)


class _Body:
    """A form's bytes on their way to the parser, which minds neither their number nor whether they end too soon."""

    def __init__(self, request: Request, most_bytes: int, cut_off: CutOff) -> None:
        self._stream = request.stream()
        self._most_bytes = most_bytes
        self._cut_off = cut_off
        boundary = parse_options_header(request.headers["Content-Type"])[1].get(b"boundary", b"")
        self._last_boundary = b"--" + boundary + b"--"
        self._end = b""

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        received = 0
        async for chunk in self._stream:
            received += len(chunk)
            if received > self._most_bytes:
                raise self._cut_off
            self._end = (self._end + chunk)[-len(self._last_boundary) - len(b"\r\n") :]
            yield chunk

    @property
    def is_whole(self) -> bool:
        """Whether the boundary that closes the form is there, and nothing behind it but the end of its line."""
        return self._end.rstrip(b"\r\n").endswith(self._last_boundary)
