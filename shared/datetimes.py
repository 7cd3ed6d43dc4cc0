"""Datetimes: how they are read from JSON, converted to UTC and derived from days."""

import re
from contextlib import suppress
from datetime import UTC, date, datetime, time
from typing import Final
from zoneinfo import ZoneInfo

MIN_YEAR: Final = 1900
MAX_YEAR: Final = 2999
"""The years that are accepted: far from the ends of the calendar, where a conversion to another time zone, or the next
occurrence of a recurrence, would leave it."""

DATE_PATTERN: Final = "(?:19|2[0-9])[0-9]{2}-[0-9]{2}-[0-9]{2}"
_DATETIME: Final = re.compile(
    DATE_PATTERN + r"[T ][0-9]{2}:[0-9]{2}(?P<seconds>:[0-9]{2}(?:\.[0-9]{1,9})?)?(?:Z|[+-][0-9]{2}:[0-9]{2})?"
)


def parse_datetime(text: str, *, require_seconds: bool = False) -> datetime | None:
    """Read ISO 8601, with ``T`` or a space before the time, with or without an offset from UTC.

    Python's parser alone would accept more (week dates, ``20240220T14``), and pydantic's Unix times.

    Parameters
    ----------
    require_seconds
        Refuse a time without seconds. Campaigns do, leads do not.

    Returns
    -------
    The datetime as it was written: with its offset, or naive when it has none. None when the text is not a datetime of
    the years ``MIN_YEAR`` to ``MAX_YEAR``.
    """
    match = _DATETIME.fullmatch(text)
    if match is None or (require_seconds and match["seconds"] is None):
        return None
    with suppress(ValueError):  # no such day, hour or offset
        return datetime.fromisoformat(text)
    return None


def to_utc(moment: datetime, time_zone: str | ZoneInfo) -> datetime:
    """Convert a datetime to UTC; one without an offset is what a wall clock in ``time_zone`` shows.

    A time that the clock shows twice (the end of summer time) is the first of the two. A time that the clock skips (its
    beginning) is as many minutes later: where 02:00 is followed by 03:00, 02:30 is 03:30.
    """
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(time_zone) if isinstance(time_zone, str) else time_zone)
    return moment.astimezone(UTC)


def midnight(day: date, time_zone: str | ZoneInfo = "UTC") -> datetime | None:
    """Return the moment, in UTC, at which a day begins in a time zone.

    Where clocks skip midnight, it is the moment at which they do. None where it lies outside of the
    calendar: no other moment is before it, so a caller leaves that end of its period open.
    """
    zone = ZoneInfo(time_zone) if isinstance(time_zone, str) else time_zone
    try:
        return datetime.combine(day, time.min, zone).astimezone(UTC)
    except OverflowError:
        return None
