"""The records of a binary workbook, .xlsb (MS-XLSB)."""

import struct
from collections import Counter
from collections.abc import Iterator
from typing import Final

from services.lead_svc.spreadsheets.workbooks.archive import damaged_workbook_error
from services.lead_svc.spreadsheets.workbooks.sheet_scan import ERROR_TEXTS, ErrorValues, SheetScan, shown_bytes

MAX_ROWS: Final = 1_048_576
MAX_COLUMNS: Final = 16_384

_ROW: Final = 0
_ERRORS: Final = frozenset({3, 11})
_SHARED_TEXT: Final = 7
_CELLS: Final = frozenset({*range(2, 12), 62})
_TEXT_ITEM: Final = 19
_SHEET: Final = 156
_VISIBLE: Final = b"\0\0\0\0"


def sheets(workbook: bytes) -> list[tuple[str, bool]]:
    """The relation id of every sheet, and whether it is visible, in their order."""
    bodies = [body for kind, body in _records(workbook) if kind == _SHEET]
    return [(_text(body, 8), body[:4] == _VISIBLE) for body in bodies]


def text_lengths(shared_texts: bytes) -> list[int]:
    """How many bytes each of the shared texts has at most."""
    return [len(body) for kind, body in _records(shared_texts) if kind == _TEXT_ITEM]


def scan(sheet: bytes, lengths: list[int]) -> SheetScan:
    """The reach, texts and errors of a sheet, given the lengths of the shared texts."""
    row = rows = columns = 0
    shown: Counter[int] = Counter()
    errors = ErrorValues()
    for kind, body in _records(sheet):
        if kind == _ROW:
            (row,) = struct.unpack_from("<I", body)
        elif kind in _CELLS:
            column, _style = struct.unpack_from("<2I", body)
            if row >= MAX_ROWS or column >= MAX_COLUMNS:
                raise damaged_workbook_error()
            rows, columns = max(rows, row + 1), max(columns, column + 1)
            if kind == _SHARED_TEXT:
                shown[int.from_bytes(body[8:12], "little")] += 1
            elif kind in _ERRORS:
                errors.add(row, column, ERROR_TEXTS.get(body[8], "error"))
    return SheetScan(rows, columns, shown_bytes(lengths, shown), errors)


def _records(part: bytes) -> Iterator[tuple[int, bytes]]:
    at, end = 0, len(part)
    while at < end:
        kind, at = _number(part, at, 2)
        size, at = _number(part, at, 4)
        yield kind, part[at : at + size]
        at += size


def _number(part: bytes, at: int, most: int) -> tuple[int, int]:
    """A number in groups of seven bits, and where the next one starts."""
    number = 0
    for shift in range(0, 7 * most, 7):
        byte = part[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            break
    return number, at


def _text(body: bytes, at: int) -> str:
    (length,) = struct.unpack_from("<I", body, at)
    return body[at + 4 : at + 4 + 2 * length].decode("utf-16-le", "replace")
