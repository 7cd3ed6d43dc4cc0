"""Recurrence rules of campaigns."""

from collections.abc import Iterable
from datetime import MAXYEAR, UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from services.campaign_svc.campaigns import recurrence
from services.campaign_svc.campaigns.recurrence import (
    FREQUENCIES,
    HORIZON_YEARS,
    InvalidRecurrenceError,
    bounded_year,
    first_occurrence,
)
from shared.datetimes import MAX_YEAR, MIN_YEAR

FRIDAY = datetime(2024, 3, 1, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("rule", "first"),
    [
        ("FREQ=DAILY;INTERVAL=1", FRIDAY),
        ("freq=daily", FRIDAY),
        ("RRULE:FREQ=DAILY", FRIDAY),
        ("FREQ=WEEKLY;BYDAY=MO,TH", datetime(2024, 3, 4, 9, tzinfo=UTC)),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO;WKST=SU", datetime(2024, 3, 11, 9, tzinfo=UTC)),
        ("FREQ=WEEKLY;BYDAY=MO;BYHOUR=7;BYMINUTE=30;BYSECOND=0", datetime(2024, 3, 4, 7, 30, tzinfo=UTC)),
        ("FREQ=MONTHLY;BYDAY=-1FR", datetime(2024, 3, 29, 9, tzinfo=UTC)),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", datetime(2024, 3, 29, 9, tzinfo=UTC)),
        ("FREQ=MONTHLY;BYMONTHDAY=31", datetime(2024, 3, 31, 9, tzinfo=UTC)),
        ("FREQ=YEARLY;BYYEARDAY=-1", datetime(2024, 12, 31, 9, tzinfo=UTC)),
        ("FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO", datetime(2024, 5, 13, 9, tzinfo=UTC)),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", datetime(2028, 2, 29, 9, tzinfo=UTC)),
        ("FREQ=DAILY;COUNT=5", FRIDAY),
        ("FREQ=DAILY;UNTIL=20240301", FRIDAY),
        ("FREQ=DAILY;UNTIL=20240301T090000Z", FRIDAY),
        ("FREQ=DAILY;UNTIL=20240301T090000", FRIDAY),
    ],
)
def test_the_first_occurrence_is_at_or_after_the_start(rule: str, first: datetime) -> None:
    assert first_occurrence(rule, FRIDAY) == first


def test_days_are_days_in_the_time_zone_of_the_start() -> None:
    start = datetime(2024, 3, 3, 20, 0, tzinfo=UTC).astimezone(ZoneInfo("Asia/Tokyo"))  # Monday 05:00 there
    assert first_occurrence("FREQ=WEEKLY;BYDAY=MO", start) == start


def test_until_with_z_is_utc_in_any_zone() -> None:
    start = datetime(2024, 3, 1, 9, 0, tzinfo=ZoneInfo("America/New_York"))  # 14:00 UTC
    assert first_occurrence("FREQ=DAILY;UNTIL=20240301T140000Z", start) == start
    assert first_occurrence("FREQ=DAILY;UNTIL=20240301T135959Z", start) is None


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=MONTHLY;BYMONTH=4,6;BYMONTHDAY=31",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;INTERVAL=7;BYDAY=MO",
        "FREQ=MONTHLY;INTERVAL=12;BYMONTH=4",
        "FREQ=MONTHLY;BYMONTH=2;BYDAY=5MO;BYSETPOS=2",
        "FREQ=WEEKLY;BYDAY=MO;BYSETPOS=2",
        "FREQ=YEARLY;INTERVAL=4;BYMONTH=2;BYMONTHDAY=29;UNTIL=20280228",
        "FREQ=DAILY;UNTIL=20240229",
        "FREQ=DAILY;UNTIL=20240301T085959Z",
    ],
)
def test_a_rule_may_have_no_occurrence(rule: str) -> None:
    assert first_occurrence(rule, FRIDAY) is None


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ("", "not NAME=VALUE"),
        ("daily", "not NAME=VALUE"),
        ("FREQ=", "not NAME=VALUE"),
        ("FREQ=DAILY;", "not NAME=VALUE"),
        ("INTERVAL=2", "FREQ must be one of DAILY, WEEKLY, MONTHLY, YEARLY"),
        ("FREQ=FORTNIGHTLY", "FREQ must be one of"),
        ("FREQ=SECONDLY", "FREQ must be one of"),
        ("FREQ=HOURLY", "FREQ must be one of"),
        ("FREQ=DAILY;FREQ=WEEKLY", "FREQ stands twice"),
        ("FREQ=DAILY;COUNT=2;UNTIL=20250101", "exclude each other"),
        ("FREQ=DAILY;INTERVAL=0", "INTERVAL must be from 1"),
        ("FREQ=DAILY;INTERVAL=-1", "INTERVAL must be from 1"),
        ("FREQ=DAILY;INTERVAL=1,2", "INTERVAL has too many values"),
        ("FREQ=DAILY;INTERVAL=99999999999999999999", "INTERVAL must be from 1"),
        ("FREQ=DAILY;COUNT=0", "COUNT must be from 1"),
        ("FREQ=DAILY;COUNT=1000000", "COUNT must be from 1 to 999999, not"),
        ("FREQ=DAILY;INTERVAL=10000", "INTERVAL must be from 1 to 9999, not"),
        ("FREQ=DAILY;BYHOUR=24", "BYHOUR must be from 0 to 23"),
        ("FREQ=DAILY;BYHOUR=-1", "BYHOUR must be from 0 to 23"),
        ("FREQ=DAILY;BYHOUR=٩", "BYHOUR must be from 0 to 23"),
        ("FREQ=MONTHLY;BYMONTHDAY=0", "BYMONTHDAY must be from 1 to 31"),
        ("FREQ=MONTHLY;BYMONTHDAY=-32", "BYMONTHDAY must be from 1 to 31"),
        ("FREQ=YEARLY;BYMONTH=13", "BYMONTH must be from 1 to 12"),
        ("FREQ=YEARLY;BYMONTH=1,,2", "BYMONTH must be from 1 to 12"),
        ("FREQ=WEEKLY;BYDAY=MONDAY", "not a day"),
        ("FREQ=WEEKLY;BYDAY=1MO", "a day has no number here"),
        ("FREQ=YEARLY;BYWEEKNO=3;BYDAY=1MO", "a day has no number here"),
        ("FREQ=MONTHLY;BYDAY=0MO", "numbered from 1 to 5"),
        ("FREQ=MONTHLY;BYDAY=6MO", "numbered from 1 to 5"),
        ("FREQ=YEARLY;BYMONTH=2;BYDAY=-6MO", "numbered from 1 to 5"),
        ("FREQ=YEARLY;BYDAY=54MO", "numbered from 1 to 53"),
        ("FREQ=WEEKLY;WKST=XX", "not a day"),
        ("FREQ=WEEKLY;WKST=1MO", "a day has no number here"),
        ("FREQ=WEEKLY;BYMONTHDAY=1", "BYMONTHDAY has no meaning with FREQ=WEEKLY"),
        ("FREQ=MONTHLY;BYWEEKNO=1", "BYWEEKNO has no meaning"),
        ("FREQ=DAILY;BYSETPOS=1", "BYSETPOS has no meaning"),
        ("FREQ=DAILY;UNTIL=tomorrow", "UNTIL must be"),
        ("FREQ=DAILY;UNTIL=20241301", "is not a date"),
        ("FREQ=DAILY;BYEASTER=1", "Unknown part BYEASTER"),
        ("DTSTART:20240101T000000Z\nRRULE:FREQ=DAILY", "NAME=VALUE|FREQ must be"),
        ("FREQ=DAILY\nEXDATE:20240101", "FREQ must be|not NAME"),
    ],
)
def test_an_invalid_rule_is_rejected_with_the_reason(rule: str, reason: str) -> None:
    with pytest.raises(InvalidRecurrenceError, match=reason):
        first_occurrence(rule, FRIDAY)


_numbers = st.integers(-400, 400)
_part = st.one_of(
    st.builds("INTERVAL={}".format, st.integers(0, 10_000)),
    st.builds("BYMONTH={}".format, st.integers(0, 13)),
    st.builds("WKST={}".format, st.sampled_from(["MO", "SU", "X"])),
    st.builds("BYDAY={}".format, st.sampled_from(["MO", "1MO", "-5SU", "53FR", "MO,TU,WE", "SA,SU"])),
    st.builds("UNTIL={}".format, st.sampled_from(["20240301", "20991231T235959Z", "99991231", "00010101"])),
    st.builds(
        lambda name, values: f"{name}={','.join(map(str, values))}",
        st.sampled_from(["BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYSETPOS", "BYHOUR", "BYMINUTE", "BYSECOND"]),
        st.lists(_numbers | st.integers(0, 28), min_size=1, max_size=12),
    ),
)
_rules = st.builds(
    lambda frequency, parts: ";".join([f"FREQ={frequency}", *parts])[:255],
    st.sampled_from(FREQUENCIES),
    st.lists(_part, max_size=5),
)


@given(_rules | st.text(max_size=60), st.datetimes(datetime(1900, 1, 1), datetime(2999, 12, 31)))  # noqa: DTZ001
@settings(max_examples=400)
def test_any_text_at_any_start_gives_an_occurrence_or_an_error(rule: str, start: datetime) -> None:
    start = start.replace(tzinfo=UTC, microsecond=0)
    try:
        first = first_occurrence(rule, start)
    except InvalidRecurrenceError:
        return
    assert first is None or first >= start


# Each of these rules has an occurrence within 20 years: without one, dateutil searches 8,000 years.
@given(
    st.sampled_from(FREQUENCIES),
    st.sampled_from([1, 5]),
    st.sampled_from(["", ";BYDAY=MO", ";BYDAY=TU,SA", ";BYMONTH=2", ";BYMONTH=3,9;BYHOUR=8"]),
    st.datetimes(datetime(2000, 1, 1), datetime(2060, 1, 1)),  # noqa: DTZ001
)
def test_the_first_occurrence_is_that_of_dateutil(frequency: str, interval: int, more: str, start: datetime) -> None:
    start = start.replace(microsecond=0, day=min(start.day, 28))
    rule = f"FREQ={frequency};INTERVAL={interval}{more}"
    expected = rrulestr(rule, dtstart=start).after(start, inc=True)
    assert expected is not None
    assert expected.year < start.year + 20
    assert first_occurrence(rule, start.replace(tzinfo=UTC)) == expected.replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=WEEKLY;BYDAY=MO;BYSETPOS=2,3,4,5,6,7,8,9,10,11,12,13",
        "FREQ=MONTHLY;BYDAY=1MO;BYSETPOS=355,356,357,358,359,360,361,362,363,364,365,366",
        "FREQ=YEARLY;INTERVAL=9999;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;BYHOUR=" + ",".join(map(str, range(24))) + ";BYMINUTE="
        + ",".join(map(str, range(10, 59))),
    ],
)  # fmt: skip
def test_an_expensive_rule_without_an_occurrence_is_recognized(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails when a rule without an occurrence is searched from its own start: seconds of CPU in the event loop."""
    starts: list[datetime] = []

    def search(rule: str, *, dtstart: datetime) -> Iterable[datetime]:
        starts.append(dtstart)
        return rrulestr(rule, dtstart=dtstart)

    monkeypatch.setattr(recurrence, "rrulestr", search)
    assert first_occurrence(rule, FRIDAY) is None
    [start] = starts
    assert MAXYEAR - start.year < 2 * HORIZON_YEARS


def test_the_search_for_an_occurrence_is_bounded_in_an_equal_calendar() -> None:
    """Fails when a rule without an occurrence occupies the event loop for seconds."""
    for year in range(MIN_YEAR, MAX_YEAR + 1):
        bounded = bounded_year(year)
        assert HORIZON_YEARS <= MAXYEAR - bounded < 2 * HORIZON_YEARS
        assert bounded % 4 == year % 4
        assert date(bounded, 1, 1).weekday() == date(year, 1, 1).weekday()
