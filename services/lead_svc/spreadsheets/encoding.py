"""Decode the text of a CSV file, in any encoding that spreadsheets write."""

import codecs
from typing import Final

from services.lead_svc.spreadsheets.file_kind import utf16_byte_order
from services.lead_svc.spreadsheets.row_errors import FileRejectedError

_BYTE_ORDER_MARKS: Final = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark is the beginning of this one
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_HEAD: Final = 4_096


def to_utf8(content: bytes) -> bytes:
    """Decode a text and return it in UTF-8, without byte order mark.

    The encoding is that of the byte order mark, else UTF-16 if that is obvious, else UTF-8, else Windows-1252.

    Raises
    ------
    FileRejectedError
        If the text cannot be decoded, or contains NUL characters, which PostgreSQL cannot store.
    """
    text = _as_utf8(content)
    if b"\0" in text:
        raise FileRejectedError.because("nul_character", "The file contains NUL characters")
    return text


def _as_utf8(content: bytes) -> bytes:
    if content.isascii() and b"\0" not in content:
        return content
    if content.startswith(codecs.BOM_UTF8):
        return _decoded(content[len(codecs.BOM_UTF8) :], "utf-8")
    for mark, encoding in _BYTE_ORDER_MARKS:
        if content.startswith(mark):
            return _decoded(content[len(mark) :], encoding)
    utf16 = utf16_byte_order(content[:_HEAD])
    if utf16 is not None:
        return _decoded(content, utf16)
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return _decoded(content, "windows-1252")
    return content


def _decoded(content: bytes, encoding: str) -> bytes:
    try:
        return content.decode(encoding).encode("utf-8")
    except UnicodeError as error:
        raise FileRejectedError.because(
            "unknown_encoding", "The file's text encoding is not recognised; save it as UTF-8"
        ) from error
