"""The period of a report."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Final
from zoneinfo import ZoneInfo

from shared.datetimes import midnight

UTC_NAME: Final = "UTC"
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True)
class Period:
    """From a day to a day, both included, in a time zone; None leaves that end open."""

    first: date | None = None
    last: date | None = None
    time_zone: str = UTC_NAME

    @cached_property
    def zone(self) -> ZoneInfo:
        """The time zone."""
        return ZoneInfo(self.time_zone)

    @cached_property
    def start(self) -> datetime | None:
        """The first moment of the period, in UTC."""
        return None if self.first is None else midnight(self.first, self.zone)

    @cached_property
    def end(self) -> datetime | None:
        """The first moment after the period, in UTC."""
        if self.last is None or self.last == date.max:
            return None
        return midnight(self.last + _DAY, self.zone)
