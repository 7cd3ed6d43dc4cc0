"""A sheet's rows with their space trimmed and its blank rows left out."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress

import polars as pl

from services.lead_svc.spreadsheets.sheet import Sheet


@dataclass(frozen=True, slots=True)
class Table:
    """`cells` as in the sheet, but trimmed, null where empty and without blank rows; `rows` holds the number of each
    row; `longest` the bytes in the longest cell of each column.
    """

    cells: pl.DataFrame
    rows: Sequence[int]
    longest: tuple[int, ...]


def tidy(sheet: Sheet, *, always_filled: int | None) -> Table:
    """The rows of a sheet that hold something, or all where they are the items of an array.

    `always_filled` is the position of a column that is filled in every row of a good file: where it is, there is no
    need to look for blank rows.
    """
    cells = sheet.cells.select(pl.all().str.strip_chars())
    rows: Sequence[int] = range(sheet.first_row, sheet.first_row + cells.height)
    if cells.is_empty():
        return Table(cells, rows, (0,) * cells.width)
    length = pl.all().str.len_bytes()
    lengths = cells.select(length.min().name.prefix("shortest "), length.max().name.prefix("longest ")).row(0)
    shortest, longest = lengths[: cells.width], lengths[cells.width :]
    emptied = [pl.col(str(at)) for at, least in enumerate(shortest) if least == 0]
    if emptied:
        cells = cells.with_columns(pl.when(column != "").then(column) for column in emptied)
    if not sheet.array and (always_filled is None or cells[str(always_filled)].has_nulls()):
        filled = cells.select(pl.any_horizontal(pl.all().is_not_null())).to_series()
        cells, rows = cells.filter(filled), list(compress(rows, filled))
    return Table(cells, rows, tuple(most or 0 for most in longest))
