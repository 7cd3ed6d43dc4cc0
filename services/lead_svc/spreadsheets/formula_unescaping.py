"""Takes away again what an export has put in front of texts that a spreadsheet would take for formulas."""

import polars as pl

from services.lead_svc.spreadsheets.formula_escaping import MARKED


def restored(cells: pl.DataFrame) -> pl.DataFrame:
    """Cells of a file without the apostrophes that an export has put in front; all of them texts."""
    if cells.is_empty():
        return cells
    found = cells.select(pl.all().str.starts_with("'").any()).row(0)
    columns = [pl.col(name) for name, has_apostrophes in zip(cells.columns, found, strict=True) if has_apostrophes]
    if not columns:
        return cells
    return cells.with_columns(
        pl.when(column.str.contains(MARKED)).then(column.str.slice(1)).otherwise(column) for column in columns
    )
