"""Texts that a spreadsheet would take for formulas.

An apostrophe in front makes such a text a text. So that nothing is lost, a text that has apostrophes in front of a
formula of its own accord gets one more, and an import takes exactly one away.
"""

from typing import Final

import polars as pl

_STARTS: Final = r"[=+@\t\r-]"
"""What a formula begins with; understood alike by PostgreSQL and by polars."""
_MARKED: Final = f"^'+{_STARTS}"


def defused(column: str) -> str:
    """SQL: the text of a column as a CSV file may hold it; null where it is empty."""
    return _with_apostrophe(column, f"^'*{_STARTS}")


def defused_in_cell(column: str) -> str:
    """SQL: the text of a column as a cell that is known to hold a text may; null where it is empty.

    No spreadsheet takes such a cell for a formula. Only what an import would take for a mark needs one more.
    """
    return _with_apostrophe(column, _MARKED)


def is_phone_number(column: str) -> str:
    """SQL: whether the text of a column is a plus sign and digits alone, which no formula is made of."""
    return f"ascii({column}) = {ord('+')} AND ltrim(substr({column}, 2), '0123456789') = ''"


def _with_apostrophe(column: str, pattern: str) -> str:
    # Nearly every text begins with a letter (past "@") or a digit: comparing numbers costs a fifth of an expression.
    literal = pattern.replace("'", "''")
    return (
        f"CASE WHEN ascii({column}) > {ord('@')} THEN {column} "
        f"WHEN ascii({column}) BETWEEN {ord('0')} AND {ord('9')} THEN {column} "
        f"WHEN {column} ~ '{literal}' THEN '''' || {column} ELSE nullif({column}, '') END"
    )


def restored(cells: pl.DataFrame) -> pl.DataFrame:
    """Cells of a file without the apostrophes that an export has put in front; all of them texts."""
    if cells.is_empty():
        return cells
    found = cells.select(pl.all().str.starts_with("'").any()).row(0)
    columns = [pl.col(name) for name, has_apostrophes in zip(cells.columns, found, strict=True) if has_apostrophes]
    if not columns:
        return cells
    return cells.with_columns(
        pl.when(column.str.contains(_MARKED)).then(column.str.slice(1)).otherwise(column) for column in columns
    )
