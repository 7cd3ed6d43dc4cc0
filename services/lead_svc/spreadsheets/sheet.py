"""A table of texts: what every reader makes of its file, and all that validation knows of it."""

from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True, slots=True)
class CellFault:
    """Something that could not be read. `column` counts from 0; None means the whole row.

    `field` names what is meant where the column's header does not.
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
    characters; an empty cell is null or "", and a blank row is a row of those. `first_row` is the number that a
    spreadsheet shows beside the first of the rows, and each further row counts one. `faults` are the first of what
    could not be read, `more_faults` says how many there are beyond them.

    `array` is the name of the JSON array whose items the rows are, "" for a file: an item counts, though it be blank.
    """

    headers: tuple[str, ...]
    cells: pl.DataFrame
    first_row: int = 2
    faults: tuple[CellFault, ...] = ()
    more_faults: int = 0
    array: str = ""

    def name_of(self, row: int) -> str:
        """A row, as messages name it: ``row 2``, or ``leads.0``."""
        return f"{self.array}.{row}" if self.array else f"row {row}"
