"""A sheet's rows with their space trimmed and its blank rows left out."""

from dataclasses import dataclass

import polars as pl

from services.lead_svc.imports.sheet import Sheet


@dataclass(frozen=True, slots=True)
class Table:
    """`cells` as in the sheet, but trimmed, null where empty and without blank rows; `rows` holds the number of each
    row; `longest` the bytes in the longest cell of each column.
    """

    cells: pl.DataFrame
    rows: pl.Series
    longest: tuple[int, ...]


def tidy(sheet: Sheet, *, always_filled: int) -> Table:
    """The rows of a sheet that hold something.

    `always_filled` is the position of a column that is filled in every row of a good file: where it is, there is no
    need to look for blank rows.
    """
    cells = sheet.cells.select(pl.all().str.strip_chars())
    rows = pl.int_range(sheet.first_row, sheet.first_row + cells.height, dtype=pl.UInt32, eager=True)
    if cells.is_empty():
        return Table(cells, rows, (0,) * cells.width)
    length = pl.all().str.len_bytes()
    shortest = cells.select(length.min()).row(0)
    longest = cells.select(length.max()).row(0)
    emptied = [pl.col(str(at)) for at, least in enumerate(shortest) if least == 0]
    if emptied:
        cells = cells.with_columns(pl.when(column != "").then(column) for column in emptied)
    if cells[str(always_filled)].has_nulls():
        filled = cells.select(pl.any_horizontal(pl.all().is_not_null())).to_series()
        cells, rows = cells.filter(filled), rows.filter(filled)
    return Table(cells, rows, tuple(most or 0 for most in longest))
