"""Types of a campaign's fields: the JSON form and the limits of each."""

import re
from collections.abc import Hashable
from contextlib import suppress
from datetime import date, datetime, time
from decimal import Decimal
from typing import Annotated, Any, Final, TypeVar
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainValidator,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from services.campaign_svc.campaigns.campaign import WEEK, Weekday
from services.campaign_svc.campaigns.scripts import check_placeholders
from shared.datetimes import DATE_PATTERN, MAX_YEAR, MIN_YEAR, parse_datetime, to_utc
from shared.ids import MAX_ID
from shared.schema import JsonNumber, Money, NoNulText, require_language_tag, require_time_zone

MAX_COUNT: Final = 2**31 - 1
MAX_TEAM_MEMBERS: Final = 1_000
MAX_TAGS: Final = 100
MAX_AMOUNT: Final = Decimal("9999999999.99")

_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]")
_DATE = re.compile(DATE_PATTERN)
_YEARS = f"from {MIN_YEAR} to {MAX_YEAR}"


def _time_of_day(value: object) -> time:
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        raise PydanticCustomError("time_of_day", "Must be a time of day, HH:MM:SS")
    return time.fromisoformat(value)


def _calendar_date(value: object) -> date:
    if isinstance(value, str) and _DATE.fullmatch(value):
        with suppress(ValueError):  # no such day: the same error as for any other text
            return date.fromisoformat(value)
    raise PydanticCustomError("calendar_date", f"Must be a date, YYYY-MM-DD, {_YEARS}")


def require_datetime(value: object, zone: ZoneInfo) -> datetime:
    """Parse an ISO 8601 datetime. Without an offset from UTC it is local time in ``zone`` (see ``to_utc``).

    Returns
    -------
    The datetime in UTC, in whole seconds.

    Raises
    ------
    PydanticCustomError
        If it is not a datetime, or its year is not from 1900 to 2999.
    """
    moment = parse_datetime(value, require_seconds=True) if isinstance(value, str) else None
    if moment is None:
        raise PydanticCustomError(
            "moment", f"Must be a date and time, YYYY-MM-DD HH:MM:SS or ISO 8601 with an offset, {_YEARS}"
        )
    # Whole seconds, as in responses: a value of a response can be sent back and is equal.
    return to_utc(moment.replace(microsecond=0), zone)


def _weekday(value: object) -> object:
    return value.strip().capitalize() if isinstance(value, str) else value


def _in_week_order(days: list[Weekday]) -> list[Weekday]:
    return [day for day in WEEK if day in days]


T = TypeVar("T", bound=Hashable)


def _without_repeats(values: list[T]) -> list[T]:
    return list(dict.fromkeys(values))


def _json(**schema: Any) -> WithJsonSchema:  # noqa: ANN401
    return WithJsonSchema(schema)


_TRIMMED = StringConstraints(strip_whitespace=True)

Name = Annotated[str, _TRIMMED, Field(min_length=1, max_length=100)]
Label = Annotated[str, _TRIMMED, Field(max_length=100)]
RequiredLabel = Annotated[str, _TRIMMED, Field(min_length=1, max_length=100)]
Paragraph = Annotated[str, _TRIMMED, Field(max_length=5_000)]
Notes = Annotated[str, _TRIMMED, Field(max_length=10_000)]
Prompt = Annotated[str, _TRIMMED, Field(min_length=1, max_length=20_000)]
Script = Annotated[Prompt, AfterValidator(check_placeholders)]
"""Text with placeholders such as ``{customer_name}``."""

Language = Annotated[str, _TRIMMED, Field(max_length=35), AfterValidator(require_language_tag)]
TimeZone = Annotated[str, _TRIMMED, Field(max_length=64), AfterValidator(require_time_zone)]

Count = Annotated[int, Field(strict=True, ge=1, le=MAX_COUNT)]
Id = Annotated[int, Field(strict=True, ge=1, le=MAX_ID)]
Amount = Annotated[
    Money,
    Field(ge=0, le=MAX_AMOUNT, decimal_places=2),
    JsonNumber,
    _json(type="number", minimum=0, maximum=float(MAX_AMOUNT), multipleOf=0.01),
]
"""Money with two decimal places, not negative."""

TimeOfDay = Annotated[
    time, PlainValidator(_time_of_day), _json(type="string", pattern=f"^{_TIME.pattern}$", examples=["09:00:00"])
]
CalendarDate = Annotated[date, PlainValidator(_calendar_date), _json(type="string", format="date")]

WorkingDays = Annotated[
    list[Annotated[Weekday, BeforeValidator(_weekday)]],
    Field(min_length=1, max_length=50),
    AfterValidator(_in_week_order),
]
"""Accepted in any case and order; stored capitalised, each once, in the order of the week."""
TeamMembers = Annotated[list[Id], Field(max_length=MAX_TEAM_MEMBERS), AfterValidator(_without_repeats)]
Tags = Annotated[
    list[Annotated[str, _TRIMMED, Field(min_length=1, max_length=50), NoNulText]],
    Field(max_length=MAX_TAGS),
    AfterValidator(_without_repeats),
]
