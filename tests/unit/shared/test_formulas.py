"""The formulas of docs/metrics.md."""

from decimal import Decimal

import pytest

from shared.formulas import average_seconds, money, percentage


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
    ("exact", "rounded"),
    [
        ("0", 0.0),
        ("400", 400.0),
        ("0.005", 0.01),
        ("0.0049", 0.0),
        ("-0.005", -0.01),
        ("123456789012.345", 123456789012.35),
    ],
)
def test_money_is_rounded_to_the_cent(exact: str, rounded: float) -> None:
    assert money(Decimal(exact)) == rounded
