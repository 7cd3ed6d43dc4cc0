"""Scan the records of an old Excel workbook, .xls (MS-XLS)."""

import struct
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from services.lead_svc.spreadsheets.row_errors import FileRejectedError
from services.lead_svc.spreadsheets.workbooks.archive import damaged_workbook_error
from services.lead_svc.spreadsheets.workbooks.sheet_scan import ERROR_TEXTS, ErrorValues, SheetScan, referenced_bytes

MAX_ROWS: Final = 65_536
MAX_COLUMNS: Final = 256

# Record types (MS-XLS 2.3): Formula, EOF, FilePass, Continue, BoundSheet8, MulRk, SST, LabelSst, BoolErr, Dimensions.
_FORMULA: Final = 0x0006
_END: Final = 0x000A
_PASSWORD: Final = 0x002F
_CONTINUE: Final = 0x003C
_SHEET: Final = 0x0085
_NUMBERS: Final = 0x00BD
_SHARED_TEXTS: Final = 0x00FC
_SHARED_TEXT: Final = 0x00FD
_ERROR: Final = 0x0205
_DIMENSIONS: Final = 0x0200
_HIDDEN: Final = 0x03
_MIN_TEXT_BYTES: Final = 3
_CELLS: Final = frozenset({_FORMULA, _NUMBERS, 0x00D6, _SHARED_TEXT, 0x0203, 0x0204, _ERROR, 0x027E})


def scan(workbook: bytes) -> Iterator[SheetScan]:
    """Scan every sheet, in the order of the workbook.

    Raises
    ------
    FileRejectedError
        If the workbook is protected with a password, or its sheets overlap.
    """
    sheets: list[tuple[int, bool]] = []
    text_parts: list[bytes] = []
    continued = False
    for kind, body in _records(workbook, 0):
        if kind == _PASSWORD:
            raise FileRejectedError.because("encrypted_file", "The file is protected with a password")
        if kind == _SHEET:
            sheets.append((int.from_bytes(body[:4], "little"), body[4] & _HIDDEN == 0))
        continued = kind == _SHARED_TEXTS or (kind == _CONTINUE and continued)
        if continued:
            text_parts.append(body)
    lengths = _text_lengths(text_parts) if text_parts else []
    # Sheets that share their records would be scanned, and read, again and again: time with the square of the size.
    bytes_left = len(workbook)
    for start, visible in sheets:
        if bytes_left < 0:
            raise damaged_workbook_error()
        sheet, size = _scan_sheet(workbook, start, lengths)
        bytes_left -= size
        yield replace(sheet, visible=visible)


def _scan_sheet(workbook: bytes, start: int, lengths: list[int]) -> tuple[SheetScan, int]:
    """Return the sheet that starts at a position, and the bytes of its records."""
    rows = columns = size = 0
    references: Counter[int] = Counter()
    error_values = ErrorValues()
    for kind, body in _records(workbook, start):
        size += 4 + len(body)
        if kind == _DIMENSIONS:
            _check_dimensions(body)
        if kind not in _CELLS:
            continue
        row, column = struct.unpack_from("<2H", body)
        last = int.from_bytes(body[-2:], "little") if kind == _NUMBERS else column
        if last >= MAX_COLUMNS:
            raise damaged_workbook_error()
        rows, columns = max(rows, row + 1), max(columns, last + 1)
        if kind == _SHARED_TEXT:
            references[int.from_bytes(body[6:10], "little")] += 1
        elif (error := _error(kind, body)) is not None:
            error_values.add(row, column, ERROR_TEXTS.get(error, "error"))
    return SheetScan(rows, columns, referenced_bytes(lengths, references), error_values), size


def _check_dimensions(body: bytes) -> None:
    """Reject dimensions outside the grid: the reader trusts them and reserves memory for them at once."""
    first_row, rows, first_column, columns = struct.unpack_from("<2I2H" if len(body) >= 14 else "<4H", body)
    if not (first_row <= rows <= MAX_ROWS and first_column <= columns <= MAX_COLUMNS):
        raise damaged_workbook_error()


def _error(kind: int, body: bytes) -> int | None:
    """Return the number of the error value of a cell, or of its formula's saved result."""
    if kind == _ERROR and body[7] == 1:
        return body[6]
    if kind == _FORMULA and body[6] == 2 and body[12:14] == b"\xff\xff":
        return body[8]
    return None


def _records(workbook: bytes, position: int) -> Iterator[tuple[int, bytes]]:
    """Iterate over type and body of the records from a position to the next end, which the reader reads too."""
    while position + 4 <= len(workbook):
        kind, size = struct.unpack_from("<2H", workbook, position)
        position += 4
        yield kind, workbook[position : position + size]
        position += size
        if kind == _END:
            return


def _text_lengths(parts: list[bytes]) -> list[int]:
    """Return the number of bytes of each shared text, at most; `parts` are the table and what continues it."""
    lengths: list[int] = []
    part, position = 0, 8
    (count,) = struct.unpack_from("<I", parts[0], 4)
    if count * _MIN_TEXT_BYTES > sum(map(len, parts)):  # the reader reserves memory for the announced number
        raise damaged_workbook_error()
    while len(lengths) < count:
        while position >= len(parts[part]):
            position -= len(parts[part])
            part += 1
            if part == len(parts):
                return lengths
        characters, flags = struct.unpack_from("<HB", parts[part], position)
        position += 3
        trailing = 0
        if flags & 0x08:
            trailing += 4 * struct.unpack_from("<H", parts[part], position)[0]
            position += 2
        if flags & 0x04:
            trailing += struct.unpack_from("<I", parts[part], position)[0]
            position += 4
        lengths.append(2 * characters)
        width = 2 if flags & 0x01 else 1
        while characters > (room := (len(parts[part]) - position) // width):
            characters -= room
            part, position = part + 1, 1
            width = 2 if parts[part][0] & 0x01 else 1
        position += characters * width + trailing
    return lengths
