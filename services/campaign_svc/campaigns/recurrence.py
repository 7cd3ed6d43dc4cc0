"""Recurrence rules of campaigns: RFC 5545, by days. At what time of a day calls are made, the calling hours say.

Source: https://www.rfc-editor.org/rfc/rfc5545#section-3.3.10
"""

import re
from collections.abc import Mapping
from datetime import MAXYEAR, UTC, date, datetime
from typing import Final

from dateutil.rrule import rrulestr

FREQUENCIES: Final = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
"""What is finer than a day is refused: no campaign starts anew within one, and a rule that counts seconds can be
made to keep its reader busy for hours."""

HORIZON_YEARS: Final = 28
"""A rule that does not fire for so long never does: after 28 years the same dates fall on the same weekdays."""

_LARGEST: Final = {
    "INTERVAL": 9999,
    "COUNT": 999_999,
    "BYSECOND": 59,
    "BYMINUTE": 59,
    "BYHOUR": 23,
    "BYMONTHDAY": 31,
    "BYYEARDAY": 366,
    "BYWEEKNO": 53,
    "BYMONTH": 12,
    "BYSETPOS": 366,
}
"""Parts that are numbers, with the largest."""
_FROM_ZERO: Final = frozenset({"BYSECOND", "BYMINUTE", "BYHOUR"})
_FROM_THE_END: Final = frozenset({"BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYSETPOS"})
"""Parts that also take negative numbers, counted from the end."""
_MOST_VALUES: Final = {"INTERVAL": 1, "COUNT": 1, "BYSETPOS": 12}
_ONLY_WITH: Final = {
    "BYWEEKNO": frozenset({"YEARLY"}),
    "BYYEARDAY": frozenset({"YEARLY"}),
    "BYMONTHDAY": frozenset({"DAILY", "MONTHLY", "YEARLY"}),
    "BYSETPOS": frozenset({"WEEKLY", "MONTHLY", "YEARLY"}),
}
"""Parts that mean something with these frequencies alone."""

_UNTIL = re.compile(r"[0-9]{8}(T[0-9]{6}Z?)?")
_DAY = re.compile(r"(?P<ordinal>[+-]?[0-9]{1,2})?(MO|TU|WE|TH|FR|SA|SU)")
_NUMBER = re.compile(r"[+-]?[0-9]{1,6}")


class InvalidRecurrence(ValueError):
    """The text is not a recurrence rule a campaign can have."""


def first_occurrence(rule: str, start: datetime) -> datetime | None:
    """When a recurrence first fires, at or after its start.

    Parameters
    ----------
    rule
        ``FREQ=WEEKLY;BYDAY=MO,TH``, with or without ``RRULE:`` before it.
    start
        With its time zone: the rule's days are days of that zone. Of the years 1900 to 2999.

    Returns
    -------
    The moment, in the zone of ``start``; None when the rule never fires.

    Raises
    ------
    InvalidRecurrence
        If the rule cannot be read.
    """
    parts = _parts(rule)
    until = _until(parts.pop("UNTIL"), start) if "UNTIL" in parts else None
    parts.pop("COUNT", None)
    local_start = start.replace(tzinfo=None, microsecond=0)
    late_start = local_start.replace(year=_late_year(local_start.year))
    try:
        occurrences = rrulestr(";".join(f"{name}={value}" for name, value in parts.items()), dtstart=late_start)
        late = next(iter(occurrences), None)
    except ValueError as error:
        raise InvalidRecurrence(f"Not a recurrence rule: {error}") from error
    if late is None:
        return None
    first = (local_start + (late - late_start)).replace(tzinfo=start.tzinfo)
    return first if until is None or first <= until else None


def _late_year(year: int) -> int:
    """A year of the same calendar, as late as leaves the horizon.

    dateutil gives up on a rule in the last year it knows. Asked from now on, that is eight thousand years of looking
    for a 30 February; asked in a year like this one near the end, it is a few decades.
    """
    first_weekday = date(year, 1, 1).weekday()
    latest = MAXYEAR - HORIZON_YEARS
    return next(
        late
        for late in range(latest, latest - 28, -1)
        if late % 4 == year % 4 and date(late, 1, 1).weekday() == first_weekday
    )


def _parts(rule: str) -> dict[str, str]:
    parts: dict[str, str] = {}
    for part in rule.upper().removeprefix("RRULE:").split(";"):
        name, equals, value = part.partition("=")
        if not equals or not value:
            raise InvalidRecurrence(f"Not a recurrence rule: {part!r} is not NAME=VALUE")
        if name in parts:
            raise InvalidRecurrence(f"{name} stands twice")
        parts[name] = value
    if parts.get("FREQ") not in FREQUENCIES:
        raise InvalidRecurrence(f"FREQ must be one of {', '.join(FREQUENCIES)}")
    if "COUNT" in parts and "UNTIL" in parts:
        raise InvalidRecurrence("COUNT and UNTIL exclude each other")
    for name, value in parts.items():
        _check_part(name, value, parts)
    return parts


def _check_part(name: str, value: str, parts: Mapping[str, str]) -> None:
    if parts["FREQ"] not in _ONLY_WITH.get(name, FREQUENCIES):
        raise InvalidRecurrence(f"{name} has no meaning with FREQ={parts['FREQ']}")
    if name in _LARGEST:
        _check_numbers(name, value.split(","))
    elif name == "BYDAY":
        _check_days(value.split(","), _most_weeks(parts))
    elif name == "WKST":
        _check_days([value], 0)
    elif name == "UNTIL":
        if not _UNTIL.fullmatch(value):
            raise InvalidRecurrence("UNTIL must be YYYYMMDD or YYYYMMDDTHHMMSSZ")
    elif name != "FREQ":
        raise InvalidRecurrence(f"Unknown part {name}")


def _check_numbers(name: str, values: list[str]) -> None:
    largest = _LARGEST[name]
    smallest = 0 if name in _FROM_ZERO else 1
    if len(values) > _MOST_VALUES.get(name, largest + 1):
        raise InvalidRecurrence(f"{name} has too many values")
    for value in values:
        number = int(value) if _NUMBER.fullmatch(value) else None
        if number is None or not smallest <= (abs(number) if name in _FROM_THE_END else number) <= largest:
            raise InvalidRecurrence(f"{name} must be from {smallest} to {largest}, not {value!r}")


def _most_weeks(parts: Mapping[str, str]) -> int:
    """How often a weekday can come in what its number counts in: a month, a year; 0 where it counts in nothing."""
    if parts["FREQ"] == "MONTHLY" or (parts["FREQ"] == "YEARLY" and "BYMONTH" in parts):
        return 5
    return 53 if parts["FREQ"] == "YEARLY" and "BYWEEKNO" not in parts else 0


def _check_days(days: list[str], most_weeks: int) -> None:
    for day in days:
        found = _DAY.fullmatch(day)
        if found is None:
            raise InvalidRecurrence(f"{day!r} is not a day: MO, TU, WE, TH, FR, SA or SU")
        if found["ordinal"] is not None and not 1 <= abs(int(found["ordinal"])) <= most_weeks:
            raise InvalidRecurrence(
                f"{day!r}: a day is numbered from 1 to {most_weeks} here, or from -1 at the end"
                if most_weeks
                else f"{day!r}: a day has no number here"
            )


def _until(value: str, start: datetime) -> datetime:
    try:
        if value.endswith("Z"):
            return datetime.strptime(value, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        if "T" in value:
            return datetime.strptime(value, "%Y%m%dT%H%M%S").replace(tzinfo=start.tzinfo)
        # A day is meant whole.
        return datetime.strptime(value + "235959", "%Y%m%d%H%M%S").replace(tzinfo=start.tzinfo)
    except ValueError as error:
        raise InvalidRecurrence(f"UNTIL={value} is not a date") from error
