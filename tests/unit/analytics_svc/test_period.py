"""The period of a report."""

from datetime import UTC, date, datetime

import pytest

from services.analytics_svc.reports.period import Period


def test_an_open_period_has_no_bounds() -> None:
    assert (Period().start, Period().end) == (None, None)


def test_both_days_belong_to_the_period() -> None:
    period = Period(date(2024, 2, 28), date(2024, 2, 29))
    assert period.start == datetime(2024, 2, 28, tzinfo=UTC)
    assert period.end == datetime(2024, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(("first", "last"), [(date.min, date.max)])
def test_a_period_of_the_whole_calendar(first: date, last: date) -> None:
    period = Period(first, last)
    assert period.start == datetime(1, 1, 1, tzinfo=UTC)
    assert period.end is None
