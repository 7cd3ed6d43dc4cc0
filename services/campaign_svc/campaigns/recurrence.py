"""Recurrence rules of campaigns: RFC 5545 rules by days. The calling hours set the times of day.

Source: https://www.rfc-editor.org/rfc/rfc5545#section-3.3.10
"""

import re
from collections.abc import Mapping
from datetime import MAXYEAR, UTC, date, datetime
from typing import Final

from dateutil.rrule import rrulestr

FREQUENCIES: Final = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
"""Frequencies finer than a day are rejected: a campaign does not recur within a day, and a rule by seconds can take
hours to evaluate."""

HORIZON_YEARS: Final = 28
"""A rule without an occurrence for so long never has one: after 28 years the same dates fall on the same weekdays."""

_MAXIMA: Final = {
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
"""The parts that are numbers, with the largest number of each."""
_FROM_ZERO: Final = frozenset({"BYSECOND", "BYMINUTE", "BYHOUR"})
_COUNTED_FROM_END: Final = frozenset({"BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYSETPOS"})
"""The parts that also take negative numbers, which count from the end."""
_MAX_VALUES: Final = {"INTERVAL": 1, "COUNT": 1, "BYSETPOS": 12}
"""How many values a part may have; a part that is not here, one of each number."""
_FREQUENCIES_OF_PART: Final = {
    "BYWEEKNO": frozenset({"YEARLY"}),
    "BYYEARDAY": frozenset({"YEARLY"}),
    "BYMONTHDAY": frozenset({"DAILY", "MONTHLY", "YEARLY"}),
    "BYSETPOS": frozenset({"WEEKLY", "MONTHLY", "YEARLY"}),
}
"""The parts that are defined only with these frequencies."""

_UNTIL = re.compile(r"[0-9]{8}(T[0-9]{6}Z?)?")
_DAY = re.compile(r"(?P<ordinal>[+-]?[0-9]{1,2})?(MO|TU|WE|TH|FR|SA|SU)")
_NUMBER = re.compile(r"[+-]?[0-9]{1,6}")


class InvalidRecurrenceError(ValueError):
    """The text is not a recurrence rule, or uses parts that a campaign cannot have."""


def first_occurrence(rule: str, start: datetime) -> datetime | None:
    """Return the first occurrence of a rule at or after its start.

    Parameters
    ----------
    rule
        ``FREQ=WEEKLY;BYDAY=MO,TH``, with or without ``RRULE:`` before it.
    start
        With its time zone: the rule's days are days of that zone. From the year 1900 to 2999.

    Returns
    -------
    The occurrence, in the zone of ``start``; None if the rule never occurs.

    Raises
    ------
    InvalidRecurrenceError
        If the rule is malformed or not supported.
    """
    parts = _parts(rule)
    until = _until(parts.pop("UNTIL"), start) if "UNTIL" in parts else None
    parts.pop("COUNT", None)
    local_start = start.replace(tzinfo=None, microsecond=0)
    bounded_start = local_start.replace(year=bounded_year(local_start.year))
    try:
        occurrences = rrulestr(";".join(f"{name}={value}" for name, value in parts.items()), dtstart=bounded_start)
        found = next(iter(occurrences), None)
    except ValueError as error:
        raise InvalidRecurrenceError(f"Not a recurrence rule: {error}") from error
    if found is None:
        return None
    first = (local_start + (found - bounded_start)).replace(tzinfo=start.tzinfo)
    return first if until is None or first <= until else None


def bounded_year(year: int) -> int:
    """Return a year with the same calendar, ``HORIZON_YEARS`` to twice as many before the end of dateutil's calendar.

    It bounds the search for an occurrence. dateutil checks UNTIL and COUNT only at occurrences, so that the search for
    one of a rule without any (30 February) ends at ``MAXYEAR`` alone: 8,000 years after a start of today, up to 3 s of
    CPU in the event loop; 12 ms after a start in the returned year.
    """
    first_weekday = date(year, 1, 1).weekday()
    latest = MAXYEAR - HORIZON_YEARS
    return next(
        candidate
        for candidate in range(latest, latest - 28, -1)
        if candidate % 4 == year % 4 and date(candidate, 1, 1).weekday() == first_weekday
    )


def _parts(rule: str) -> dict[str, str]:
    parts: dict[str, str] = {}
    for part in rule.upper().removeprefix("RRULE:").split(";"):
        name, equals, value = part.partition("=")
        if not equals or not value:
            raise InvalidRecurrenceError(f"Not a recurrence rule: {part!r} is not NAME=VALUE")
        if name in parts:
            raise InvalidRecurrenceError(f"{name} stands twice")
        parts[name] = value
    if parts.get("FREQ") not in FREQUENCIES:
        raise InvalidRecurrenceError(f"FREQ must be one of {', '.join(FREQUENCIES)}")
    if "COUNT" in parts and "UNTIL" in parts:
        raise InvalidRecurrenceError("COUNT and UNTIL exclude each other")
    for name, value in parts.items():
        _check_part(name, value, parts)
    return parts


def _check_part(name: str, value: str, parts: Mapping[str, str]) -> None:
    if parts["FREQ"] not in _FREQUENCIES_OF_PART.get(name, FREQUENCIES):
        raise InvalidRecurrenceError(f"{name} has no meaning with FREQ={parts['FREQ']}")
    if name in _MAXIMA:
        _check_numbers(name, value.split(","))
    elif name == "BYDAY":
        _check_days(value.split(","), _max_ordinal(parts))
    elif name == "WKST":
        _check_days([value], 0)
    elif name == "UNTIL":
        if not _UNTIL.fullmatch(value):
            raise InvalidRecurrenceError("UNTIL must be YYYYMMDD or YYYYMMDDTHHMMSSZ")
    elif name != "FREQ":
        raise InvalidRecurrenceError(f"Unknown part {name}")


def _check_numbers(name: str, values: list[str]) -> None:
    largest = _MAXIMA[name]
    smallest = 0 if name in _FROM_ZERO else 1
    if len(values) > _MAX_VALUES.get(name, largest + 1):
        raise InvalidRecurrenceError(f"{name} has too many values")
    for value in values:
        number = int(value) if _NUMBER.fullmatch(value) else None
        if number is None or not smallest <= (abs(number) if name in _COUNTED_FROM_END else number) <= largest:
            raise InvalidRecurrenceError(f"{name} must be from {smallest} to {largest}, not {value!r}")


def _max_ordinal(parts: Mapping[str, str]) -> int:
    """Return the largest ordinal of a weekday in the rule's period (month or year); 0 where it cannot have one."""
    if parts["FREQ"] == "MONTHLY" or (parts["FREQ"] == "YEARLY" and "BYMONTH" in parts):
        return 5
    return 53 if parts["FREQ"] == "YEARLY" and "BYWEEKNO" not in parts else 0


def _check_days(days: list[str], max_ordinal: int) -> None:
    for day in days:
        found = _DAY.fullmatch(day)
        if found is None:
            raise InvalidRecurrenceError(f"{day!r} is not a day: MO, TU, WE, TH, FR, SA or SU")
        if found["ordinal"] is not None and not 1 <= abs(int(found["ordinal"])) <= max_ordinal:
            raise InvalidRecurrenceError(
                f"{day!r}: a day is numbered from 1 to {max_ordinal} here, or from -1 at the end"
                if max_ordinal
                else f"{day!r}: a day has no number here"
            )


def _until(value: str, start: datetime) -> datetime:
    try:
        if value.endswith("Z"):
            return datetime.strptime(value, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        if "T" in value:
            return datetime.strptime(value, "%Y%m%dT%H%M%S").replace(tzinfo=start.tzinfo)
        # A date without a time includes the whole day.
        return datetime.strptime(value + "235959", "%Y%m%d%H%M%S").replace(tzinfo=start.tzinfo)
    except ValueError as error:
        raise InvalidRecurrenceError(f"UNTIL={value} is not a date") from error
