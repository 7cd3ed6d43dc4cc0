"""Read CSV files with any of the usual separators, line ends and encodings, quoted or not.

polars reads well-formed files, Python's csv module all others: it is ten times slower, but it knows the row of an
error. Both read the same from a file that both can read.
"""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from io import BytesIO, TextIOWrapper
from itertools import islice
from typing import Final

import polars as pl
from polars.exceptions import PolarsError

from services.lead_svc.spreadsheets.encoding import to_utf8
from services.lead_svc.spreadsheets.header import MAX_COLUMNS, field_for_header, too_many_columns_error
from services.lead_svc.spreadsheets.row_errors import MAX_REPORTED_ERRORS, FileRejectedError
from services.lead_svc.spreadsheets.sheet import MAX_TEXT_CELLS, CellError, Sheet, require_bounded_size

SEPARATORS: Final[tuple[str, ...]] = (",", ";", "\t", "|")

_MAX_ROWS_ABOVE: Final = 1_000
_CELLS_PER_PIECE: Final = 200_000
_MAX_CELL_CHARACTERS: Final = 256 * 1024 * 1024
csv.field_size_limit(_MAX_CELL_CHARACTERS)  # the default would reject a long cell without its row

# The first line that Excel writes to name the separator; it is not a row.
_SEPARATOR_LINE: Final = re.compile(rb'"?sep=(?![\w"])([\t!-~])"?(?:\r\n|\n|\r|$)', re.IGNORECASE)
_LINE_END: Final = re.compile(rb"\r\n|\n|\r")
_BLANK_LINES: Final = re.compile(rb"(?:[ \t]*(?:\r\n|\n|\r))++")
_BARE_CARRIAGE_RETURN: Final = re.compile(rb"\r(?!\n)")


@dataclass(frozen=True, slots=True)
class _Dialect:
    separator: str
    header: tuple[str, ...]
    """Empty when the file has no header, or none that can be read."""
    rows_above: int = 0
    """The number of blank rows above the header."""


def read_csv(content: bytes) -> Sheet:
    """Read the sheet of a CSV file; its header is the first row that is not blank.

    A row with more cells than the header is an error of the sheet; a row with fewer ends in empty cells.

    Raises
    ------
    FileRejectedError
        If the text cannot be decoded or contains NUL characters, its quoting makes rows unreadable, or it is too large.
    """
    text = to_utf8(content)
    declared = _SEPARATOR_LINE.match(text)
    separators = SEPARATORS
    if declared is not None:
        text, separators = text[declared.end() :], (declared[1].decode(),)
    blank = _BLANK_LINES.match(text)
    lines_above = 0
    if blank is not None:
        text, lines_above = text[blank.end() :], len(_LINE_END.findall(blank[0]))
    return _read(text, _dialect(text, separators), lines_above)


def _read(text: bytes, dialect: _Dialect, lines_above: int) -> Sheet:
    if len(dialect.header) > MAX_COLUMNS:
        raise too_many_columns_error()
    is_small = text.count(b"\n") * len(dialect.header) <= MAX_TEXT_CELLS
    if dialect.header and dialect.rows_above == 0 and is_small and _is_well_formed(text, dialect.separator):
        try:
            return _read_fast(text, dialect, lines_above)
        except PolarsError:
            return _read_exact(text, dialect, lines_above)
    return _read_exact(text, dialect, lines_above)


def _dialect(text: bytes, separators: tuple[str, ...]) -> _Dialect:
    """Return the separator with which most header cells are known fields; among equals, that with most cells."""
    return max(
        (_first_row(text, separator) for separator in separators),
        key=lambda dialect: (sum(field_for_header(cell) is not None for cell in dialect.header), len(dialect.header)),
    )


def _first_row(text: bytes, separator: str) -> _Dialect:
    try:
        for index, row in enumerate(islice(_rows(text, separator), _MAX_ROWS_ABOVE)):
            if any(cell.strip().strip("".join(SEPARATORS)) for cell in row):
                return _Dialect(separator, tuple(row[: MAX_COLUMNS + 1]), index)
    except csv.Error:
        return _Dialect(separator, ())
    return _Dialect(separator, ())


def _rows(text: bytes, separator: str) -> Iterator[list[str]]:
    # A space before a quote would make the quote a part of the text; cells are trimmed anyway.
    lines = TextIOWrapper(BytesIO(text), "utf-8", newline="")
    return csv.reader(lines, delimiter=separator, skipinitialspace=True, strict=True)


def _is_well_formed(text: bytes, separator: str) -> bool:
    """Return whether every quote opens or closes a whole cell or is doubled, and every line ends in LF or CRLF."""
    if _BARE_CARRIAGE_RETURN.search(text):
        return False
    return b'"' not in text or _well_quoted(separator).match(text) is not None


@cache
def _well_quoted(separator: str) -> re.Pattern[bytes]:
    before, after = rf"(?<![^{re.escape(separator)}\n])", rf"(?=[{re.escape(separator)}\r\n]|\Z)"
    return re.compile(rf'[^"]*+(?:{before}"[^"]*+(?:""[^"]*+)*+"{after}[^"]*+)*+\Z'.encode())


def _read_fast(text: bytes, dialect: _Dialect, lines_above: int) -> Sheet:
    schema = {str(position): pl.String for position in range(len(dialect.header))}
    rows = pl.read_csv(text, has_header=False, separator=dialect.separator, schema=schema)
    return Sheet(dialect.header, rows.slice(1), lines_above + 2)


def _read_exact(text: bytes, dialect: _Dialect, lines_above: int) -> Sheet:
    width = len(dialect.header)
    first_row = lines_above + dialect.rows_above + 2
    pieces = [_piece([], width)]
    rows: list[list[str]] = []
    errors: list[CellError] = []
    unlisted_error_count, number = 0, lines_above
    try:
        for number, row in enumerate(_rows(text, dialect.separator), start=lines_above + 1):
            if number < first_row or not width:
                continue
            if len(row) > width and any(cell.strip() for cell in row[width:]):
                if len(errors) < MAX_REPORTED_ERRORS:
                    errors.append(_too_many_cells(number, len(row), width))
                else:
                    unlisted_error_count += 1
            rows.append((row + [""] * (width - len(row)))[:width])
            if len(rows) * width >= _CELLS_PER_PIECE:
                require_bounded_size(number, width)
                pieces.append(_piece(rows, width))
                rows = []
    except csv.Error as error:
        raise _unreadable_row(number + 1, str(error)) from error
    pieces.append(_piece(rows, width))
    return Sheet(dialect.header, pl.concat(pieces), first_row, tuple(errors), unlisted_error_count)


def _piece(rows: list[list[str]], width: int) -> pl.DataFrame:
    columns = zip(*rows, strict=True) if rows else [()] * width
    return pl.DataFrame([pl.Series(str(position), column, dtype=pl.String) for position, column in enumerate(columns)])


def _too_many_cells(row: int, cells: int, width: int) -> CellError:
    return CellError(row, None, None, "too_many_cells", f"Row {row} has {cells} cells, but the header has {width}")


def _unreadable_row(row: int, reason: str) -> FileRejectedError:
    text = "there is text behind a closing quote" if "expected after" in reason else "a quoted cell is not closed"
    return FileRejectedError.because("malformed_row", f"Row {row} cannot be read: {text}", row=row)
