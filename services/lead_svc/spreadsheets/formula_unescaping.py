"""Unescape the columns of a file: `formula_escaping.unescape` for all cells at once. Loads polars."""

import polars as pl

from services.lead_svc.spreadsheets.formula_escaping import ESCAPED_PATTERN


def unescape_cells(cells: pl.DataFrame) -> pl.DataFrame:
    """Remove the apostrophes of an export from the cells of a file, all of them texts."""
    if cells.is_empty():
        return cells
    has_apostrophes = cells.select(pl.all().str.starts_with("'").any()).row(0)
    columns = [pl.col(name) for name, has in zip(cells.columns, has_apostrophes, strict=True) if has]
    if not columns:
        return cells
    return cells.with_columns(
        pl.when(column.str.contains(ESCAPED_PATTERN)).then(column.str.slice(1)).otherwise(column) for column in columns
    )
