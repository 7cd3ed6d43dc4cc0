"""When something of a lead is or was: told with an offset from UTC, or as the wall clock of its campaign shows it."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo


def in_utc(moment: datetime, time_zone: str) -> datetime:
    """The moment in UTC; without an offset it is what a wall clock in the time zone shows.

    A clock that shows a time twice (the end of summer time) means the first. One that skips a time (its beginning)
    means the moment as many minutes later: where 02:00 is followed by 03:00, 02:30 is 03:30.
    """
    return (moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(time_zone))).astimezone(UTC)
