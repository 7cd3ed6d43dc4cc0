"""Scan the records of a binary workbook, .xlsb (MS-XLSB)."""

import struct
from collections import Counter
from collections.abc import Iterator
from typing import Final

from services.lead_svc.spreadsheets.sheet import MAX_CELLS
from services.lead_svc.spreadsheets.workbooks.archive import damaged_workbook_error
from services.lead_svc.spreadsheets.workbooks.sheet_scan import (
    ERROR_TEXTS,
    ErrorValues,
    SheetScan,
    referenced_bytes,
    too_many_cells_error,
)

MAX_ROWS: Final = 1_048_576
MAX_COLUMNS: Final = 16_384
MAX_RECORDS: Final = 2 * MAX_CELLS
"""Most records of one part: cells, rows and what surrounds them. A record takes two bytes and half a microsecond."""

# Record types (MS-XLSB 2.3): BrtRowHdr, BrtCellError and BrtFmlaError, BrtCellIsst, all cells, BrtSSTItem, BrtBundleSh.
_ROW: Final = 0
_ERRORS: Final = frozenset({3, 11})
_SHARED_TEXT: Final = 7
_CELLS: Final = frozenset({*range(2, 12), 62})
_TEXT_ITEM: Final = 19
_SHEET: Final = 156
_VISIBLE: Final = b"\0\0\0\0"


def sheets(workbook: bytes) -> list[tuple[str, bool]]:
    """Return the relationship id of every sheet and whether the sheet is visible, in the order of the workbook."""
    bodies = [body for kind, body in _records(workbook) if kind == _SHEET]
    return [(_text(body, 8), body[:4] == _VISIBLE) for body in bodies]


def text_lengths(shared_texts: bytes) -> list[int]:
    """Return the number of bytes of each shared text, at most."""
    return [len(body) for kind, body in _records(shared_texts) if kind == _TEXT_ITEM]


def scan(sheet: bytes, lengths: list[int]) -> SheetScan:
    """Scan a sheet; `lengths` are those of the shared texts.

    Raises
    ------
    FileRejectedError
        If a cell is outside the grid, or the sheet has more than `MAX_CELLS` cells.
    """
    row = rows = columns = cells = 0
    references: Counter[int] = Counter()
    error_values = ErrorValues()
    for kind, body in _records(sheet):
        if kind == _ROW:
            (row,) = struct.unpack_from("<I", body)
        elif kind in _CELLS:
            column, _style = struct.unpack_from("<2I", body)
            if row >= MAX_ROWS or column >= MAX_COLUMNS:
                raise damaged_workbook_error()
            cells += 1
            if cells > MAX_CELLS:
                raise too_many_cells_error()
            rows, columns = max(rows, row + 1), max(columns, column + 1)
            if kind == _SHARED_TEXT:
                references[int.from_bytes(body[8:12], "little")] += 1
            elif kind in _ERRORS:
                error_values.add(row, column, ERROR_TEXTS.get(body[8], "error"))
    return SheetScan(rows, columns, referenced_bytes(lengths, references), error_values)


def _records(part: bytes) -> Iterator[tuple[int, bytes]]:
    """Iterate over type and body of every record (MS-XLSB 2.1.4)."""
    position, end, records_left = 0, len(part), MAX_RECORDS
    while position < end:
        kind, position = _number(part, position, 2)
        size, position = _number(part, position, 4)
        yield kind, part[position : position + size]
        position += size
        records_left -= 1
        if records_left < 0:
            raise too_many_cells_error()


def _number(part: bytes, position: int, max_bytes: int) -> tuple[int, int]:
    """Read a number in groups of seven bits; return it and the position behind it."""
    number = 0
    for shift in range(0, 7 * max_bytes, 7):
        byte = part[position]
        position += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            break
    return number, position


def _text(body: bytes, position: int) -> str:
    (length,) = struct.unpack_from("<I", body, position)
    return body[position + 4 : position + 4 + 2 * length].decode("utf-16-le", "replace")
