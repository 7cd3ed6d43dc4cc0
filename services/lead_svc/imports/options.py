"""How a caller wants its import done; what it does not say is as the contract has it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from services.lead_svc.values.jsonb import to_jsonb

Choice = TypeVar("Choice", bound=StrEnum)


class OnError(StrEnum):
    """What becomes of a file in which rows have errors."""

    ABORT = "abort"
    SKIP = "skip"


class OnDuplicate(StrEnum):
    """What becomes of a row whose phone number the campaign has already, or an earlier row of the file."""

    CREATE = "create"
    SKIP = "skip"
    UPDATE = "update"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """`column_map` says which field of a lead a header means, by the header as it is written in the file."""

    column_map: Mapping[str, str] = field(default_factory=dict)
    on_error: OnError = OnError.ABORT
    on_duplicate: OnDuplicate = OnDuplicate.CREATE
    dry_run: bool = False


class InvalidOption(ValueError):
    """An option has a value that it cannot have."""

    def __init__(self, name: str, value: object, message: str) -> None:
        super().__init__(message)
        self.name = name
        self.value = value
        self.message = message


def choice_of(choices: type[Choice], name: str, value: object) -> Choice:
    """The choice that a value names.

    Raises
    ------
    InvalidOption
        If it names none.
    """
    for choice in choices:
        if choice == value:
            return choice
    *most, last = choices
    raise InvalidOption(name, value, f"{name} must be {', '.join(most)} or {last}")


def column_map_of(value: object) -> dict[str, str]:
    """The map that a JSON value is; which headers and fields there are is not known here.

    Raises
    ------
    InvalidOption
        If it is none.
    """
    if isinstance(value, dict) and all(isinstance(name, str) for name in value.values()) and to_jsonb(value):
        return value
    raise InvalidOption("column_map", value, "column_map must be a JSON object of headers and fields")
