"""The formulas of docs/metrics.md."""

from decimal import Decimal

import pytest

from shared.report_formulas import (
    average_seconds,
    mean_or_none,
    money,
    money_or_none,
    percentage,
    percentage_or_none,
    ratio,
    whole_percentage,
)


@pytest.mark.parametrize(
    ("part", "whole", "percent"),
    [(600, 800, 75.0), (0, 0, 0.0), (0, 7, 0.0), (7, 7, 100.0), (1, 3, 33.33), (2, 3, 66.67), (1, 800, 0.13)],
)
def test_a_percentage_has_two_decimals_and_is_zero_of_nothing(part: int, whole: int, percent: float) -> None:
    assert percentage(part, whole) == percent


@pytest.mark.parametrize(
    ("total", "count", "seconds"), [(48000, 800, 60), (0, 0, 0), (0, 3, 0), (5, 2, 3), (7, 5, 1), (3, 2, 2)]
)
def test_an_average_duration_is_in_whole_seconds_and_zero_of_nothing(total: int, count: int, seconds: int) -> None:
    assert average_seconds(total, count) == seconds


@pytest.mark.parametrize(
    ("exact", "displayed"),
    [
        ("0", 0.0),
        ("400", 400.0),
        ("0.005", 0.01),
        ("0.0049", 0.0),
        ("-0.005", -0.01),
        ("123456789012.345", 123456789012.35),
    ],
)
def test_money_is_rounded_to_the_cent(exact: str, displayed: float) -> None:
    assert money(Decimal(exact)) == displayed


@pytest.mark.parametrize(
    ("total", "count", "units", "mean"),
    [(0, 0, 1, None), (151, 2, 1, 75.5), (1, 3, 1, 0.33), (1_335, 2, 1000, 0.67), (-25, 1, 1000, -0.03)],
)
def test_a_mean_has_two_decimals_and_is_unknown_without_values(
    total: int, count: int, units: int, mean: float | None
) -> None:
    assert mean_or_none(total, count, units=units) == mean


def test_what_has_no_value_differs_from_zero() -> None:
    assert (percentage_or_none(0, 0), percentage_or_none(0, 4)) == (None, 0.0)
    assert (money_or_none(None), money_or_none(Decimal("0.004"))) == (None, 0.0)
    assert (whole_percentage(Decimal(0), Decimal(0)), whole_percentage(Decimal(1), Decimal(8))) == (None, 13)


def test_a_ratio_has_two_decimals_and_is_zero_of_nothing() -> None:
    assert (ratio(1, 0), ratio(1, 8), ratio(Decimal("-0.01"), 2)) == (0.0, 0.13, -0.01)
