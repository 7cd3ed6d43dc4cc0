"""Collects everything that is wrong with a sheet, and keeps of it what a report can show."""

from collections.abc import Callable, Sequence

import polars as pl

from services.lead_svc.imports.errors import MAX_REPORTED_ERRORS, ImportRejected, RowError, shorten


class Objections:
    """The objections to the rows of one sheet. Of a column with a million wrong cells it makes a thousand objects."""

    def __init__(self, rows: Sequence[int]) -> None:
        """`rows` holds the number of every row, in their order."""
        self._rows = rows
        self._found: list[tuple[int, int, RowError]] = []
        self._total = 0

    def add(self, column: int, error: RowError) -> None:
        """Object to one cell, or to a row, of a column's position in the file."""
        self._found.append((error.row or 0, column, error))
        self._total += 1

    def add_unnamed(self, count: int) -> None:
        """Count objections that are not named."""
        self._total += count

    def add_cells(
        self, column: int, field: str, wrong: pl.Series, texts: pl.Series, code: str, message: Callable[[str], str]
    ) -> None:
        """Object to the cells of a column where `wrong` is true; `message` makes the words from the cell's text."""
        positions = wrong.arg_true()
        self._total += len(positions)
        shown = positions.head(MAX_REPORTED_ERRORS)
        for position, text in zip(shown, texts.gather(shown), strict=True):
            row, value = self._rows[position], None if text is None else shorten(text)
            self._found.append((row, column, RowError(row, field, value, code, message(value or ""))))

    def raise_if_any(self) -> None:
        """Raise what was collected, in the order of rows and columns.

        Raises
        ------
        ImportRejected
            If anything was.
        """
        if self._found:
            ordered = sorted(self._found, key=lambda found: found[:2])
            raise ImportRejected([error for _, _, error in ordered], self._total)
