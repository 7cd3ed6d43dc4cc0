"""What an import can object to in a file, and how it says so."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

MAX_REPORTED_ERRORS = 1_000
MAX_REPORTED_LENGTH = 100


@dataclass(frozen=True, slots=True)
class RowError:
    """One objection.

    `row` is the row a spreadsheet shows (the header is row 1), or the place of an item in a JSON array, which counts
    from 0; None when the whole file is meant. `field` is the lead's field, or the column's header where it is no field
    of a lead, below its path in JSON; `code` is stable for programs, `message` is for people.
    """

    row: int | None
    field: str | None
    value: str | None
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Faults:
    """All that is wrong with a file: the first `MAX_REPORTED_ERRORS` objections in the order of the file, the number of
    all of them, and the rows that have any, as `failed_rows` writes them.
    """

    errors: tuple[RowError, ...] = ()
    total: int = 0
    failed_rows: bytes | None = None


NO_FAULTS: Final = Faults()


class ImportRejected(Exception):
    """The file cannot be imported, because of its `faults`.

    `row_count` is of its rows that hold something; None where they were not read.
    """

    def __init__(
        self,
        errors: Sequence[RowError],
        total: int | None = None,
        failed_rows: bytes | None = None,
        *,
        row_count: int | None = None,
    ) -> None:
        self.row_count = row_count
        self.faults = Faults(tuple(errors[:MAX_REPORTED_ERRORS]), len(errors) if total is None else total, failed_rows)
        super().__init__(self.message)

    @classmethod
    def because(cls, code: str, message: str, *, row: int | None = None, field: str | None = None) -> Self:
        """The rejection for one reason."""
        return cls([RowError(row, field, None, code, message)])

    @property
    def errors(self) -> tuple[RowError, ...]:
        """The first objections."""
        return self.faults.errors

    @property
    def total(self) -> int:
        """How many objections there are."""
        return self.faults.total

    @property
    def message(self) -> str:
        """The first objection, which stands for the whole in one line."""
        return self.errors[0].message


def shorten(value: str) -> str:
    """The value as a report shows it: a cell of megabytes must not come back in the answer."""
    return value if len(value) <= MAX_REPORTED_LENGTH else value[:MAX_REPORTED_LENGTH] + "…"
