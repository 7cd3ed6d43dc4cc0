"""Types of a campaign's fields: the JSON form and the limits of each."""

import re
from collections.abc import Hashable
from contextlib import suppress
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Annotated, Any, Final, TypeVar
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    PlainValidator,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from services.campaign_svc.campaigns.campaign import WEEK, Weekday
from services.campaign_svc.campaigns.scripts import check_placeholders
from shared.http.parameters import MAX_ID, NoNulText, time_zone

MAX_COUNT: Final = 2**31 - 1
MAX_TEAM_MEMBERS: Final = 1_000
MAX_TAGS: Final = 100
MAX_AMOUNT: Final = Decimal("9999999999.99")

_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]")
_DATE = re.compile(r"(19|2[0-9])[0-9]{2}-[0-9]{2}-[0-9]{2}")
_YEARS = "from 1900 to 2999"
"""Far from the ends of the calendar, which a conversion to another zone or the next recurrence could leave."""
_DATETIME = re.compile(_DATE.pattern + r"[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})?")

_LANGUAGE = re.compile(
    r"""
    ([A-Za-z]{2,3}(-[A-Za-z]{3}){0,3} | [A-Za-z]{4,8})   # language, with extensions of it
    (-[A-Za-z]{4})?                                      # script
    (-([A-Za-z]{2}|[0-9]{3}))?                           # region
    (-([A-Za-z0-9]{5,8}|[0-9][A-Za-z0-9]{3}))*           # variants
    (-[A-WY-Za-wy-z0-9](-[A-Za-z0-9]{2,8})+)*            # extensions
    (-[Xx](-[A-Za-z0-9]{1,8})+)?                         # for private use
    """,
    re.VERBOSE,
)
"""RFC 5646, section 2.1: the syntax of a tag. Whether its parts are registered is not checked."""


def _language(tag: str) -> str:
    if not _LANGUAGE.fullmatch(tag):
        raise PydanticCustomError("language", "Must be a BCP 47 language tag, such as en-US")
    return tag


def _time_of_day(value: object) -> time:
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        raise PydanticCustomError("time_of_day", "Must be a time of day, HH:MM:SS")
    return time.fromisoformat(value)


def _calendar_date(value: object) -> date:
    if isinstance(value, str) and _DATE.fullmatch(value):
        with suppress(ValueError):  # no such day: the same error as for any other text
            return date.fromisoformat(value)
    raise PydanticCustomError("calendar_date", f"Must be a date, YYYY-MM-DD, {_YEARS}")


def parse_datetime(value: object, zone: ZoneInfo) -> datetime:
    """Parse an ISO 8601 datetime. Without an offset from UTC it is local time in ``zone``.

    A local time that occurs twice (the end of summer time) is the first of the two; one that is skipped is as many
    minutes later: where 02:00 is followed by 03:00, 02:30 is 03:30.

    Returns
    -------
    The datetime in UTC, in whole seconds.

    Raises
    ------
    PydanticCustomError
        If it is not a datetime, or its year is not from 1900 to 2999.
    """
    if isinstance(value, str) and _DATETIME.fullmatch(value):
        with suppress(ValueError):  # no such day, hour or offset: the same error as for any other text
            moment = datetime.fromisoformat(value)
            # Whole seconds, as in responses: a value of a response can be sent back and is equal.
            moment = moment.replace(microsecond=0)
            return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    raise PydanticCustomError(
        "moment", f"Must be a date and time, YYYY-MM-DD HH:MM:SS or ISO 8601 with an offset, {_YEARS}"
    )


def _weekday(value: object) -> object:
    return value.strip().capitalize() if isinstance(value, str) else value


def _in_week_order(days: list[Weekday]) -> list[Weekday]:
    return [day for day in WEEK if day in days]


T = TypeVar("T", bound=Hashable)


def _without_repeats(values: list[T]) -> list[T]:
    return list(dict.fromkeys(values))


def _number(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise PydanticCustomError("amount", "Must be a number")
    return value


def _json(**schema: Any) -> WithJsonSchema:  # noqa: ANN401
    return WithJsonSchema(schema)


_TRIMMED = StringConstraints(strip_whitespace=True)

Name = Annotated[str, _TRIMMED, Field(min_length=1, max_length=100), NoNulText]
Label = Annotated[str, _TRIMMED, Field(max_length=100), NoNulText]
RequiredLabel = Annotated[str, _TRIMMED, Field(min_length=1, max_length=100), NoNulText]
Paragraph = Annotated[str, _TRIMMED, Field(max_length=5_000), NoNulText]
Notes = Annotated[str, _TRIMMED, Field(max_length=10_000), NoNulText]
Prompt = Annotated[str, _TRIMMED, Field(min_length=1, max_length=20_000), NoNulText]
Script = Annotated[Prompt, AfterValidator(check_placeholders)]
"""Text with placeholders such as ``{customer_name}``."""

Language = Annotated[str, _TRIMMED, Field(max_length=35), AfterValidator(_language)]
TimeZone = Annotated[str, _TRIMMED, Field(max_length=64), AfterValidator(time_zone)]

Count = Annotated[int, Field(strict=True, ge=1, le=MAX_COUNT)]
Id = Annotated[int, Field(strict=True, ge=1, le=MAX_ID)]
Money = Annotated[
    Decimal,
    Field(ge=0, le=MAX_AMOUNT, decimal_places=2),
    BeforeValidator(_number),
    PlainSerializer(float, return_type=float, when_used="json"),
    _json(type="number", minimum=0, maximum=float(MAX_AMOUNT), multipleOf=0.01),
]
"""Stored as an exact decimal, a number in JSON."""

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
