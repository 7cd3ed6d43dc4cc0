"""The days a report looks at."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta


@dataclass(frozen=True, slots=True)
class Period:
    """From a day to a day, both included, in UTC; ``None`` leaves that end open."""

    first: date | None = None
    last: date | None = None

    @property
    def start(self) -> datetime | None:
        """First moment of the period."""
        return None if self.first is None else _midnight(self.first)

    @property
    def end(self) -> datetime | None:
        """First moment after the period."""
        if self.last is None or self.last == date.max:
            return None
        return _midnight(self.last + timedelta(days=1))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)
