"""What kind of file an upload is, told by its name and by its content.

Runs in the API process for every upload, so it looks at signatures alone; what is inside is the reader's business.
"""

import codecs
import re
from enum import StrEnum
from pathlib import PurePath
from typing import Final

from services.lead_svc.spreadsheets.row_errors import FileRejectedError


class FileKind(StrEnum):
    """What a file's content is, whatever its name says."""

    CSV = "csv"
    XLSX = "xlsx"
    XLSB = "xlsb"
    XLS = "xls"
    JSON = "json"
    """Leads that came in the body of a request. Never what an upload is identified as."""


LEADS_ARRAY: Final = "leads"
"""The array of such a body that holds them: the first is row 0."""

EXTENSIONS: Final = frozenset({".csv", ".xlsx", ".xls"})

_ZIP: Final = b"PK\x03\x04"
_COMPOUND_FILE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_WORKBOOK_STREAMS: Final = tuple(name.encode("utf-16-le") for name in ("Workbook", "Book"))
_ENCRYPTED_STREAM: Final = "EncryptedPackage".encode("utf-16-le")
_WIDE_TEXT: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_HEAD: Final = 4_096

# Text that is no table: PDF, PostScript, RTF, HTML and XML, JSON.
_OTHER_TEXT: Final = re.compile(rb'\s*(?:%PDF-|%!PS|\{\\rtf|<|\{\s*"|\[\s*\{)')
_WORKBOOK_MEMBER: Final = re.compile(rb"xl[/\\]workbook[0-9]*\.xml", re.IGNORECASE)


def identify_file_kind(filename: str, content: bytes) -> FileKind:
    """The kind of an upload; an empty file counts as CSV without rows.

    Raises
    ------
    FileRejectedError
        If the name or the content is none of CSV, Excel workbook (.xlsx, .xlsm, .xlsb) and old Excel workbook (.xls).
    """
    if PurePath(filename.strip()).suffix.lower() not in EXTENSIONS:
        raise _invalid_type()
    if content.startswith(_ZIP):
        return _kind_of_zip(content)
    if content.startswith(_COMPOUND_FILE):
        return _kind_of_compound_file(content)
    if _is_text(content[:_HEAD]):
        return FileKind.CSV
    raise _invalid_type()


def _kind_of_zip(content: bytes) -> FileKind:
    # The names of the members stand uncompressed in the archive's directory.
    if b"xl/workbook.bin" in content:
        return FileKind.XLSB
    if _WORKBOOK_MEMBER.search(content):
        return FileKind.XLSX
    raise _invalid_type()


def _kind_of_compound_file(content: bytes) -> FileKind:
    if _ENCRYPTED_STREAM in content:
        raise FileRejectedError.because("encrypted_file", "The file is protected with a password")
    if any(name in content for name in _WORKBOOK_STREAMS):
        return FileKind.XLS
    raise _invalid_type()


def _is_text(head: bytes) -> bool:
    if head.startswith(_WIDE_TEXT) or utf16_byte_order(head) is not None:
        return True
    return b"\0" not in head and not _OTHER_TEXT.match(head.removeprefix(codecs.BOM_UTF8))


def utf16_byte_order(head: bytes) -> str | None:
    """The byte order of UTF-16 text without a byte order mark, where Latin letters make it obvious, else None."""
    pairs = len(head) // 2
    if pairs == 0:
        return None
    low, high = head[0 : 2 * pairs : 2], head[1 : 2 * pairs : 2]
    if b"\0" not in low and high.count(0) * 10 >= pairs * 7:
        return "utf-16-le"
    if b"\0" not in high and low.count(0) * 10 >= pairs * 7:
        return "utf-16-be"
    return None


def _invalid_type() -> FileRejectedError:
    return FileRejectedError.because("invalid_file_type", "Invalid file type. Only CSV and Excel files are allowed.")
