"""A sheet: the header and the rows of a file as texts, the common result of the CSV, Excel and JSON readers."""

from dataclasses import dataclass
from typing import Final

import polars as pl

from services.lead_svc.spreadsheets.row_errors import FileRejectedError

MAX_CELLS: Final = 3_000_000
"""Most cells of a sheet of a workbook, blank ones included."""
MAX_TEXT_CELLS: Final = 20_000_000
"""Most cells of a CSV file or JSON array, missing ones included: twice as many as 10 MB of complete rows can have."""


@dataclass(frozen=True, slots=True)
class CellError:
    """An error that a reader found in a cell or row.

    `column` is the position of the cell's column, from 0; None for an error of the whole row. `field` names the field
    where the column's header does not.
    """

    row: int
    column: int | None
    value: str | None
    code: str
    message: str
    field: str | None = None


@dataclass(frozen=True, slots=True)
class Sheet:
    """The header and the rows below it.

    `headers` are as written. `cells` has one String column per header, named "0", "1", … in their order, without NUL
    characters; an empty cell is null or "", and a blank row is a row of empty cells. `first_row` is the number that a
    spreadsheet displays beside the first row of `cells`, and each row after it counts one. `errors` are the first cells
    and rows that could not be read, `unlisted_error_count` is the number of errors beyond them.

    `array` is the name of the JSON array whose items the rows are, "" for a file: an item counts even if it is blank.
    """

    headers: tuple[str, ...]
    cells: pl.DataFrame
    first_row: int = 2
    errors: tuple[CellError, ...] = ()
    unlisted_error_count: int = 0
    array: str = ""

    def row_label(self, row: int) -> str:
        """Return the name of a row in messages: ``row 2``, or ``leads.0``."""
        return f"{self.array}.{row}" if self.array else f"row {row}"


def require_bounded_size(rows: int, columns: int) -> None:
    """Reject a text that is small but makes a huge table: a missing cell takes no bytes in a text, but 16 in a table.

    Raises
    ------
    FileRejectedError
        If the table would have more than `MAX_TEXT_CELLS` cells.
    """
    if rows * columns > MAX_TEXT_CELLS:
        message = f"The file is too large: {rows:,} rows of {columns:,} columns are more than {MAX_TEXT_CELLS:,} cells"
        raise FileRejectedError.because("sheet_too_large", message)
