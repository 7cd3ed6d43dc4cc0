"""Identify the kind of an uploaded file by its name and its content (decision 5).

Runs in lead-api for every upload, so it checks signatures alone; the readers check the rest of the content.
"""

import codecs
import re
from enum import StrEnum
from pathlib import PurePath
from typing import Final

from services.lead_svc.spreadsheets.row_errors import FileRejectedError


class FileKind(StrEnum):
    """The kind of a file's content, regardless of its name."""

    CSV = "csv"
    XLSX = "xlsx"
    XLSB = "xlsb"
    XLS = "xls"
    JSON = "json"
    """Leads in the body of a request. An upload is never identified as JSON."""


LEADS_ARRAY: Final = "leads"
"""The name of the array of leads in such a body; its first item is row 0."""

EXTENSIONS: Final = frozenset({".csv", ".xlsx", ".xls"})

_ZIP: Final = b"PK\x03\x04"
_COMPOUND_FILE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_WORKBOOK_STREAMS: Final = tuple(name.encode("utf-16-le") for name in ("Workbook", "Book"))
_ENCRYPTED_STREAM: Final = "EncryptedPackage".encode("utf-16-le")
_WIDE_TEXT: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_HEAD: Final = 4_096

# Text that is not a table: PDF, PostScript, RTF, HTML and XML, JSON.
_OTHER_TEXT: Final = re.compile(rb'\s*(?:%PDF-|%!PS|\{\\rtf|<|\{\s*"|\[\s*\{)')
_WORKBOOK_MEMBER: Final = re.compile(rb"xl[/\\]workbook[0-9]*\.xml", re.IGNORECASE)


def identify_file_kind(filename: str, content: bytes) -> FileKind:
    """Identify the kind of an upload; an empty file is a CSV file without rows.

    Raises
    ------
    FileRejectedError
        If the name or the content is not that of CSV, an Excel workbook (.xlsx, .xlsm, .xlsb) or an old one (.xls).
    """
    if PurePath(filename.strip()).suffix.lower() not in EXTENSIONS:
        raise _invalid_type_error()
    if content.startswith(_ZIP):
        return _kind_of_zip(content)
    if content.startswith(_COMPOUND_FILE):
        return _kind_of_compound_file(content)
    if _is_text(content[:_HEAD]):
        return FileKind.CSV
    raise _invalid_type_error()


def _kind_of_zip(content: bytes) -> FileKind:
    # The archive's directory has the names of the members, not compressed.
    if b"xl/workbook.bin" in content:
        return FileKind.XLSB
    if _WORKBOOK_MEMBER.search(content):
        return FileKind.XLSX
    raise _invalid_type_error()


def _kind_of_compound_file(content: bytes) -> FileKind:
    if _ENCRYPTED_STREAM in content:
        raise FileRejectedError.because("encrypted_file", "The file is protected with a password")
    if any(name in content for name in _WORKBOOK_STREAMS):
        return FileKind.XLS
    raise _invalid_type_error()


def _is_text(head: bytes) -> bool:
    if head.startswith(_WIDE_TEXT) or utf16_byte_order(head) is not None:
        return True
    return b"\0" not in head and not _OTHER_TEXT.match(head.removeprefix(codecs.BOM_UTF8))


def utf16_byte_order(head: bytes) -> str | None:
    """Return the encoding of UTF-16 text without a byte order mark if Latin letters make it obvious, else None."""
    pairs = len(head) // 2
    if pairs == 0:
        return None
    low, high = head[0 : 2 * pairs : 2], head[1 : 2 * pairs : 2]
    if b"\0" not in low and high.count(0) * 10 >= pairs * 7:
        return "utf-16-le"
    if b"\0" not in high and low.count(0) * 10 >= pairs * 7:
        return "utf-16-be"
    return None


def _invalid_type_error() -> FileRejectedError:
    return FileRejectedError.because("invalid_file_type", "Invalid file type. Only CSV and Excel files are allowed.")
