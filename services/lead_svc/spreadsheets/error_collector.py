"""Collects everything that is wrong with a sheet, and keeps of it what a report can show."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

import polars as pl

from services.lead_svc.spreadsheets.row_errors import MAX_REPORTED_ERRORS, ImportRejected, RowError, shorten

Describe = Callable[[int, str], str]
"""Says what is wrong with the cell at a position of the rows, whose shortened text it is given."""


@dataclass(frozen=True, slots=True)
class _WrongCells:
    """The cells at some positions of one column."""

    column: int
    field: str
    positions: pl.Series
    texts: pl.Series
    describe: Describe


class Objections:
    """The objections to the rows of one sheet. Of a column with a million wrong cells it makes a thousand objects."""

    def __init__(self, rows: Sequence[int], *, array: str = "") -> None:
        """`rows` holds the number of every row, in their order; `array` is the name of the JSON array they are of."""
        self._rows = rows
        self._array = array
        self._found: list[tuple[int, int, RowError]] = []
        self._cells: list[_WrongCells] = []
        self._total = 0
        self._strays: set[int] = set()
        self.of_the_file = False
        """Whether something is wrong that is not a matter of single rows, or of rows that are not known."""

    def add(self, column: int, error: RowError) -> None:
        """Object to one cell, or to a row, of a column's position in the file; or to the file."""
        self._found.append((-1 if error.row is None else error.row, column, error))
        self._total += 1
        if error.row is None:
            self.of_the_file = True
        elif self._position(error.row) is None:
            self._strays.add(error.row)

    def add_unnamed(self, count: int) -> None:
        """Count objections that are not named."""
        self._total += count
        self.of_the_file |= count > 0

    def add_cells(
        self, column: int, field: str, wrong: pl.Series, texts: pl.Series, code: str, message: Callable[[str], str]
    ) -> None:
        """Object to the cells of a column where `wrong` is true; `message` makes the words from the cell's text."""
        self.add_positions(column, field, wrong.arg_true(), texts, code, lambda _position, text: message(text))

    def add_positions(
        self, column: int, field: str, positions: pl.Series, texts: pl.Series, code: str, describe: Describe
    ) -> None:
        """Object to the cells of a column at some positions of the rows."""
        self._total += len(positions)
        self._cells.append(_WrongCells(column, field, positions, texts, describe))
        shown = positions.head(MAX_REPORTED_ERRORS)
        for position, text in zip(shown, texts.gather(shown), strict=True):
            row, value = self._rows[position], None if text is None else shorten(text)
            error = RowError(row, field, value, code, describe(position, value or ""))
            self._found.append((row, column, error))

    @property
    def total(self) -> int:
        """How many there are."""
        return self._total

    @property
    def strays(self) -> Collection[int]:
        """Numbers of rows that have objections, but hold nothing that could be read."""
        return self._strays

    def errors(self) -> list[RowError]:
        """The first of them, in the order of rows and columns."""
        ordered = sorted(self._found, key=lambda found: found[:2])[:MAX_REPORTED_ERRORS]
        return [self._placed(error) for _, _, error in ordered]

    def raise_if_any(self) -> None:
        """Raise what was collected.

        Raises
        ------
        ImportRejected
            If anything was.
        """
        if self._total:
            raise ImportRejected(self.errors(), self._total)

    def wrong_rows(self) -> pl.Series:
        """For each row, whether there is an objection to it."""
        wrong = pl.zeros(len(self._rows), pl.Boolean, eager=True)
        known = [
            at for _, _, error in self._found if error.row is not None and (at := self._position(error.row)) is not None
        ]
        for positions in (pl.Series(known, dtype=pl.UInt32), *(cells.positions for cells in self._cells)):
            wrong = wrong.scatter(positions, values=True) if len(positions) else wrong
        return wrong

    def texts(self, positions: Sequence[int]) -> list[str]:
        """What is wrong with the rows at these positions, in ascending order, for people."""
        said: defaultdict[int, set[tuple[int, str]]] = defaultdict(set)
        for row, column, error in self._found:
            position = self._position(row)
            if position is not None:
                said[position].add((column, _text(error.field, error.message)))
        for cells in self._cells:
            wanted = list(takewhile(lambda position: position <= positions[-1], cells.positions))
            for position, text in zip(wanted, cells.texts.gather(wanted), strict=True):
                message = cells.describe(position, shorten(text or ""))
                said[position].add((cells.column, _text(cells.field, message)))
        return ["; ".join(text for _, text in sorted(said[position])) for position in positions]

    def _position(self, row: int) -> int | None:
        position = bisect_left(self._rows, row)
        return position if position < len(self._rows) and self._rows[position] == row else None

    def _placed(self, error: RowError) -> RowError:
        if not self._array or error.row is None:
            return error
        return replace(error, field=".".join([self._array, str(error.row), *([error.field] if error.field else [])]))


def _text(field: str | None, message: str) -> str:
    return f"{field}: {message}" if field else message
