"""A table: the rows of a sheet that are not blank, with their cells trimmed; what validation works on."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress

import polars as pl

from services.lead_svc.spreadsheets.sheet import Sheet


@dataclass(frozen=True, slots=True)
class Table:
    """`cells` as in the sheet, but trimmed, null where empty and without blank rows; `rows` has the number of each row;
    `max_bytes` is the number of bytes of the longest cell of each column.
    """

    cells: pl.DataFrame
    rows: Sequence[int]
    max_bytes: tuple[int, ...]


def trim_sheet(sheet: Sheet, *, required_column: int | None) -> Table:
    """Return the rows of a sheet that are not blank; all rows where they are the items of an array.

    `required_column` is the position of a column that is filled in every row of a valid file: where it is, the search
    for blank rows is skipped.
    """
    cells = sheet.cells.select(pl.all().str.strip_chars())
    rows: Sequence[int] = range(sheet.first_row, sheet.first_row + cells.height)
    if cells.is_empty():
        return Table(cells, rows, (0,) * cells.width)
    length = pl.all().str.len_bytes()
    lengths = cells.select(length.min().name.prefix("min "), length.max().name.prefix("max ")).row(0)
    shortest, longest = lengths[: cells.width], lengths[cells.width :]
    with_empty_texts = [pl.col(str(position)) for position, length in enumerate(shortest) if length == 0]
    if with_empty_texts:
        cells = cells.with_columns(pl.when(column != "").then(column) for column in with_empty_texts)
    if not sheet.array and (required_column is None or cells[str(required_column)].has_nulls()):
        filled = cells.select(pl.any_horizontal(pl.all().is_not_null())).to_series()
        cells, rows = cells.filter(filled), list(compress(rows, filled))
    return Table(cells, rows, tuple(length or 0 for length in longest))
