"""The records of an old Excel workbook, .xls (MS-XLS)."""

import struct
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from services.lead_svc.spreadsheets.row_errors import FileRejectedError
from services.lead_svc.spreadsheets.workbooks.archive import damaged_workbook_error
from services.lead_svc.spreadsheets.workbooks.sheet_scan import ERROR_TEXTS, ErrorValues, SheetScan, shown_bytes

MAX_ROWS: Final = 65_536
MAX_COLUMNS: Final = 256

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
_LEAST_TEXT: Final = 3
_CELLS: Final = frozenset({_FORMULA, _NUMBERS, 0x00D6, _SHARED_TEXT, 0x0203, 0x0204, _ERROR, 0x027E})


def scan(workbook: bytes) -> Iterator[SheetScan]:
    """The reach, texts and errors of every sheet, in their order.

    Raises
    ------
    FileRejectedError
        If the workbook is protected with a password.
    """
    sheets: list[tuple[int, bool]] = []
    texts: list[bytes] = []
    continued = False
    for kind, body in _records(workbook, 0):
        if kind == _PASSWORD:
            raise FileRejectedError.because("encrypted_file", "The file is protected with a password")
        if kind == _SHEET:
            sheets.append((int.from_bytes(body[:4], "little"), body[4] & _HIDDEN == 0))
        continued = kind == _SHARED_TEXTS or (kind == _CONTINUE and continued)
        if continued:
            texts.append(body)
    lengths = _text_lengths(texts) if texts else []
    for start, visible in sheets:
        yield replace(_scan_sheet(workbook, start, lengths), visible=visible)


def _scan_sheet(workbook: bytes, start: int, lengths: list[int]) -> SheetScan:
    rows = columns = 0
    shown: Counter[int] = Counter()
    errors = ErrorValues()
    for kind, body in _records(workbook, start):
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
            shown[int.from_bytes(body[6:10], "little")] += 1
        elif (error := _error(kind, body)) is not None:
            errors.add(row, column, ERROR_TEXTS.get(error, "error"))
    return SheetScan(rows, columns, shown_bytes(lengths, shown), errors)


def _check_dimensions(body: bytes) -> None:
    """Refuse dimensions that no sheet can have: the reader believes them, and reserves memory for them at once."""
    first_row, rows, first_column, columns = struct.unpack_from("<2I2H" if len(body) >= 14 else "<4H", body)
    if not (first_row <= rows <= MAX_ROWS and first_column <= columns <= MAX_COLUMNS):
        raise damaged_workbook_error()


def _error(kind: int, body: bytes) -> int | None:
    """The number of the error that a cell holds, or that its formula came to."""
    if kind == _ERROR and body[7] == 1:
        return body[6]
    if kind == _FORMULA and body[6] == 2 and body[12:14] == b"\xff\xff":
        return body[8]
    return None


def _records(workbook: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    """The records from a place to the next end, as far as the reader goes."""
    while at + 4 <= len(workbook):
        kind, size = struct.unpack_from("<2H", workbook, at)
        at += 4
        yield kind, workbook[at : at + size]
        at += size
        if kind == _END:
            return


def _text_lengths(parts: list[bytes]) -> list[int]:
    """How many bytes each of the shared texts has at most. The table goes on in records that continue its first."""
    lengths: list[int] = []
    part, at = 0, 8
    (count,) = struct.unpack_from("<I", parts[0], 4)
    if count * _LEAST_TEXT > sum(map(len, parts)):  # the reader reserves memory for as many as are announced
        raise damaged_workbook_error()
    while len(lengths) < count:
        while at >= len(parts[part]):
            at -= len(parts[part])
            part += 1
            if part == len(parts):
                return lengths
        characters, flags = struct.unpack_from("<HB", parts[part], at)
        at += 3
        behind = 0
        if flags & 0x08:
            behind += 4 * struct.unpack_from("<H", parts[part], at)[0]
            at += 2
        if flags & 0x04:
            behind += struct.unpack_from("<I", parts[part], at)[0]
            at += 4
        lengths.append(2 * characters)
        width = 2 if flags & 0x01 else 1
        while characters > (room := (len(parts[part]) - at) // width):
            characters -= room
            part, at = part + 1, 1
            width = 2 if parts[part][0] & 0x01 else 1
        at += characters * width + behind
    return lengths
