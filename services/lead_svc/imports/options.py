"""Options of an import: on_error, on_duplicate, column_map and dry_run. The defaults are the contract's behaviour."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from services.lead_svc.values.jsonb import to_jsonb

Choice = TypeVar("Choice", bound=StrEnum)


class OnError(StrEnum):
    """What an import does with rows that have errors."""

    ABORT = "abort"
    """Import nothing if any row has an error."""
    SKIP = "skip"
    """Skip the rows with errors and import the others."""


class OnDuplicate(StrEnum):
    """What an import does with a row whose phone number the campaign, or an earlier row of the file, already has."""

    CREATE = "create"
    """Create one more lead."""
    SKIP = "skip"
    """Skip the row."""
    UPDATE = "update"
    """Update the existing lead; rows of the file with one number become one row."""
    ERROR = "error"
    """Report a row error."""


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """Options of one import.

    `column_map` maps headers, as they are written in the file, to fields of a lead.
    """

    column_map: Mapping[str, str] = field(default_factory=dict)
    on_error: OnError = OnError.ABORT
    on_duplicate: OnDuplicate = OnDuplicate.CREATE
    dry_run: bool = False


class InvalidOptionError(ValueError):
    """An option has a value that is not allowed."""

    def __init__(self, name: str, value: object, message: str) -> None:
        super().__init__(message)
        self.name = name
        self.value = value
        self.message = message


def parse_choice(choices: type[Choice], name: str, value: object) -> Choice:
    """Return the member of `choices` with this value.

    Raises
    ------
    InvalidOptionError
        If no member has the value.
    """
    for choice in choices:
        if choice == value:
            return choice
    *others, last = choices
    raise InvalidOptionError(name, value, f"{name} must be {', '.join(others)} or {last}")


def parse_column_map(value: object) -> dict[str, str]:
    """Return a JSON value as a column map. Headers and field names are checked later, against the file.

    Raises
    ------
    InvalidOptionError
        If the value is not an object of texts that PostgreSQL can store.
    """
    if isinstance(value, dict) and all(isinstance(name, str) for name in value.values()) and to_jsonb(value):
        return value
    raise InvalidOptionError("column_map", value, "column_map must be a JSON object of headers and fields")
