"""Collects the errors of a sheet, in an amount of memory that does not grow with their number. Loads polars."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

import polars as pl

from services.lead_svc.spreadsheets.row_errors import MAX_REPORTED_ERRORS, FileRejectedError, RowError
from shared.text import shorten

Describe = Callable[[int, str], str]
"""Makes the message for the cell at a position of the rows, from that position and the cell's shortened text."""


@dataclass(frozen=True, slots=True)
class _InvalidCells:
    """The cells at some positions of one column."""

    column: int
    field: str
    positions: pl.Series
    texts: pl.Series
    describe: Describe


class RowErrorCollector:
    """Collects the errors of one sheet. For a column with a million invalid cells it makes a thousand objects.

    Parameters
    ----------
    rows
        The number of every row, in ascending order.
    array
        The name of the JSON array whose items the rows are, "" for a file.
    """

    def __init__(self, rows: Sequence[int], *, array: str = "") -> None:
        self._rows = rows
        self._array = array
        self._errors: list[tuple[int, int, RowError]] = []
        self._cells: list[_InvalidCells] = []
        self._total = 0
        self._unreadable_rows: set[int] = set()
        self.has_file_errors = False
        """Whether there is an error of the whole file, or one whose row is not known."""

    def add(self, column: int, error: RowError) -> None:
        """Add an error of a cell or row, or of the whole file; `column` is a position in the file."""
        self._errors.append((-1 if error.row is None else error.row, column, error))
        self._total += 1
        if error.row is None:
            self.has_file_errors = True
        elif self._position(error.row) is None:
            self._unreadable_rows.add(error.row)

    def add_unlisted(self, count: int) -> None:
        """Count errors that a reader found but did not list."""
        self._total += count
        self.has_file_errors |= count > 0

    def add_cells(
        self, column: int, field: str, invalid: pl.Series, texts: pl.Series, code: str, message: Callable[[str], str]
    ) -> None:
        """Add an error for each cell of a column where `invalid` is true; `message` takes the cell's text."""
        self.add_positions(column, field, invalid.arg_true(), texts, code, lambda _position, text: message(text))

    def add_positions(
        self, column: int, field: str, positions: pl.Series, texts: pl.Series, code: str, describe: Describe
    ) -> None:
        """Add an error for the cells of a column at some positions of the rows, in ascending order."""
        self._total += len(positions)
        self._cells.append(_InvalidCells(column, field, positions, texts, describe))
        reported = positions.head(MAX_REPORTED_ERRORS)
        for position, text in zip(reported, texts.gather(reported), strict=True):
            row, value = self._rows[position], None if text is None else shorten(text)
            error = RowError(row, field, value, code, describe(position, value or ""))
            self._errors.append((row, column, error))

    @property
    def total(self) -> int:
        """The number of all errors."""
        return self._total

    @property
    def unreadable_rows(self) -> Collection[int]:
        """The numbers of rows that have errors, but no cell that could be read."""
        return self._unreadable_rows

    def errors(self) -> list[RowError]:
        """Return the first `MAX_REPORTED_ERRORS` errors, in the order of rows and columns."""
        ordered = sorted(self._errors, key=lambda placed: placed[:2])[:MAX_REPORTED_ERRORS]
        return [self._with_path(error) for _, _, error in ordered]

    def raise_if_any(self) -> None:
        """Raise the collected errors.

        Raises
        ------
        FileRejectedError
            If there are any.
        """
        if self._total:
            raise FileRejectedError(self.errors(), self._total)

    def rows_with_errors(self) -> pl.Series:
        """Return for each row whether it has an error."""
        has_error = pl.zeros(len(self._rows), pl.Boolean, eager=True)
        single = [
            position
            for _, _, error in self._errors
            if error.row is not None and (position := self._position(error.row)) is not None
        ]
        for positions in (pl.Series(single, dtype=pl.UInt32), *(cells.positions for cells in self._cells)):
            has_error = has_error.scatter(positions, values=True) if len(positions) else has_error
        return has_error

    def messages(self, positions: Sequence[int]) -> list[str]:
        """Return the messages of the rows at these positions, in ascending order, joined for people."""
        messages: defaultdict[int, set[tuple[int, str]]] = defaultdict(set)
        for row, column, error in self._errors:
            position = self._position(row)
            if position is not None:
                messages[position].add((column, _with_field(error.field, error.message)))
        for cells in self._cells:
            included = list(takewhile(lambda position: position <= positions[-1], cells.positions))
            for position, text in zip(included, cells.texts.gather(included), strict=True):
                message = cells.describe(position, shorten(text or ""))
                messages[position].add((cells.column, _with_field(cells.field, message)))
        return ["; ".join(message for _, message in sorted(messages[position])) for position in positions]

    def _position(self, row: int) -> int | None:
        position = bisect_left(self._rows, row)
        return position if position < len(self._rows) and self._rows[position] == row else None

    def _with_path(self, error: RowError) -> RowError:
        if not self._array or error.row is None:
            return error
        return replace(error, field=".".join([self._array, str(error.row), *([error.field] if error.field else [])]))


def _with_field(field: str | None, message: str) -> str:
    return f"{field}: {message}" if field else message
