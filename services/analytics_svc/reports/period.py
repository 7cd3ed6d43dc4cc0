"""The days a report looks at."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import Final
from zoneinfo import ZoneInfo

UTC_NAME: Final = "UTC"
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True)
class Period:
    """From a day to a day, both included, on the clocks of a time zone; ``None`` leaves that end open."""

    first: date | None = None
    last: date | None = None
    time_zone: str = UTC_NAME

    @cached_property
    def zone(self) -> ZoneInfo:
        """The time zone."""
        return ZoneInfo(self.time_zone)

    @cached_property
    def start(self) -> datetime | None:
        """First moment of the period."""
        return None if self.first is None else self._midnight(self.first)

    @cached_property
    def end(self) -> datetime | None:
        """First moment after the period."""
        if self.last is None or self.last == date.max:
            return None
        return self._midnight(self.last + _DAY)

    @property
    def is_utc(self) -> bool:
        """Whether its days are those of UTC."""
        return self.time_zone == UTC_NAME

    def _midnight(self, day: date) -> datetime | None:
        # Where clocks skip midnight, this is the moment at which they do.
        try:
            return datetime.combine(day, time.min, self.zone).astimezone(UTC)
        except OverflowError:  # at the end of the calendar: nothing is before or after it
            return None
