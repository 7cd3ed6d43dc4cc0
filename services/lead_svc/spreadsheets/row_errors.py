"""Row errors of a file: what is wrong, in which row and field; and the error that rejects a file.

Loaded by lead-api, so without polars; `error_collector` gathers the errors of a whole sheet.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

MAX_REPORTED_ERRORS = 1_000
PHONE_MISSING: Final = "Missing required fields: phone"
"""Message of a file without a phone column, and of a row without a phone number; the contract gives the words."""


@dataclass(frozen=True, slots=True)
class RowError:
    """One error of a file.

    `row` is the row number that a spreadsheet displays (the header is row 1), or the position of an item in a JSON
    array, which counts from 0; None for an error of the whole file. `field` is the lead's field, or the column's header
    where the column is not a field of a lead, below its path in JSON; `code` is stable for programs, `message` is for
    people.
    """

    row: int | None
    field: str | None
    value: str | None
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class ErrorSummary:
    """The errors of a file: the first `MAX_REPORTED_ERRORS` in the order of the file, the number of all errors, and the
    rows that have errors, in the form that `failed_rows` writes.
    """

    errors: tuple[RowError, ...] = ()
    total: int = 0
    failed_rows: bytes | None = None


NO_ERRORS: Final = ErrorSummary()


class FileRejectedError(Exception):
    """The file cannot be used, because of the errors in `error_summary`.

    `row_count` is the number of rows that are not blank; None where the rows were not read.
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
        self.error_summary = ErrorSummary(
            tuple(errors[:MAX_REPORTED_ERRORS]), len(errors) if total is None else total, failed_rows
        )
        super().__init__(self.message)

    @classmethod
    def because(cls, code: str, message: str, *, row: int | None = None, field: str | None = None) -> Self:
        """Return the rejection because of one error."""
        return cls([RowError(row, field, None, code, message)])

    @property
    def errors(self) -> tuple[RowError, ...]:
        """The first errors, at most `MAX_REPORTED_ERRORS`."""
        return self.error_summary.errors

    @property
    def total(self) -> int:
        """The number of all errors."""
        return self.error_summary.total

    @property
    def message(self) -> str:
        """The message of the first error, the rejection in one line."""
        return self.errors[0].message
