"""Kinds of values that requests carry."""

import re
from collections.abc import Sequence
from datetime import date
from functools import cache
from typing import Annotated, Final
from zoneinfo import available_timezones

from fastapi import Path
from pydantic import AfterValidator, BeforeValidator, StrictBool, WithJsonSchema
from pydantic_core import PydanticCustomError, PydanticKnownError

from shared.http.errors import BadRequest, FieldError, display_value, invalid_request

MAX_ID = 2**63 - 1
"""Ids are PostgreSQL bigints; a larger number is nobody's id."""


def _digits(value: object) -> object:
    # pydantic would also take 1_0, 1.0, +1 and 01: another number than was meant, or one more address of one thing.
    if isinstance(value, str) and not _WHOLE_NUMBER.fullmatch(value):
        raise PydanticKnownError("int_parsing")
    return value


_WHOLE_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)", re.ASCII)
StrictIntText = BeforeValidator(_digits)
"""A number of path or query is written in digits and nothing else."""

IdInPath = Annotated[int, Path(alias="id", ge=1, le=MAX_ID, description="Its id.", examples=[1]), StrictIntText]
"""``{id}`` of the path."""


def _storable(value: str) -> str:
    if "\x00" in value:
        raise ValueError("must not hold a NUL character")
    return value


NoNulText = AfterValidator(_storable)
"""Text that PostgreSQL can hold: anything without a NUL."""


def _true_or_false(value: object) -> object:
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


StrictBoolText = Annotated[StrictBool, BeforeValidator(_true_or_false)]
"""A yes or no of the query: ``true`` or ``false``, and nothing else that could be taken for one."""


_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def _day(value: str) -> date:
    # pydantic would also take a Unix time, and Python the other forms of ISO 8601.
    if not _DAY.fullmatch(value):
        raise ValueError("must be a date written YYYY-MM-DD")
    return date.fromisoformat(value)


Day = Annotated[date, BeforeValidator(_day)]
"""A day of the query, ``YYYY-MM-DD``."""


def end_before_start(end: date) -> BadRequest:
    """The error for a period that ends before it begins."""
    message = "must not be before start_date"
    return invalid_request(
        FieldError(field="end_date", value=end.isoformat(), code="before_start_date", message=message)
    )


_ID: Final = re.compile(r"[1-9][0-9]{0,18}", re.ASCII)

IdListText = Annotated[
    list[str], WithJsonSchema({"type": "string", "pattern": "^[1-9][0-9]*(,[1-9][0-9]*)*$", "examples": ["1,2"]})
]
"""Ids of the query with commas between them; several lists where the parameter is repeated."""


def invalid_campaign_ids(given: str) -> BadRequest:
    """The error for a list that is none, or holds something that is no id."""
    message = "must be ids of campaigns with commas between them"
    return invalid_request(
        FieldError(field="campaign_ids", value=display_value(given), code="invalid_ids", message=message)
    )


def campaign_ids(lists: Sequence[str]) -> tuple[int, ...]:
    """The ids of a ``campaign_ids`` parameter, each once, in order; raises ``BadRequest`` if it holds anything else."""
    written = [part.strip() for ids in lists for part in ids.split(",")]
    if not all(_ID.fullmatch(part) and int(part) <= MAX_ID for part in written):
        raise invalid_campaign_ids(",".join(lists))
    return tuple(sorted({int(part) for part in written}))


_NOT_ZONES: Final = frozenset({"localtime", "Factory"})
"""Names in the database that mean something else on every machine."""


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones() - _NOT_ZONES)


def time_zone(name: str) -> str:
    """Accept the name of a time zone in the IANA database; of use as a validator."""
    if name not in _time_zones():
        raise PydanticCustomError("time_zone", "Must be a time zone of the IANA database, such as Europe/Berlin")
    return name
