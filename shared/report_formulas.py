"""Formulas of reported figures, the same in every service; docs/metrics.md assigns a formula to each figure."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Final

_CENT: Final = Decimal("0.01")
_WHOLE: Final = Decimal(1)


def percentage(part: int, whole: int) -> float:
    """Return ``part`` of ``whole`` in percent, rounded to two decimals, halves up; 0 if ``whole`` is 0."""
    if whole == 0:
        return 0.0
    return float((Decimal(100 * part) / whole).quantize(_CENT, ROUND_HALF_UP))


def percentage_or_none(part: int, whole: int) -> float | None:
    """Return the percentage; None if ``whole`` is 0, as it is for what no one reported."""
    return None if whole == 0 else percentage(part, whole)


def whole_percentage(part: Decimal, whole: Decimal) -> int | None:
    """Return ``part`` of ``whole`` in whole percent, halves up; None if ``whole`` is 0."""
    return None if whole == 0 else int((100 * part / whole).quantize(_WHOLE, ROUND_HALF_UP))


def average_seconds(total: int, count: int) -> int:
    """Return the mean duration in whole seconds, halves up; 0 if ``count`` is 0."""
    if count == 0:
        return 0
    return int((Decimal(total) / count).quantize(_WHOLE, ROUND_HALF_UP))


def mean_or_none(total: int, count: int, *, units: int = 1) -> float | None:
    """Return the mean, rounded to two decimals, halves away from zero; None if ``count`` is 0.

    Parameters
    ----------
    units
        How many units of ``total`` are 1 in the mean: 1000 for a sum of thousandths.
    """
    return None if count == 0 else rounded(Decimal(total) / (count * units))


def ratio(amount: Decimal | int, count: Decimal | int) -> float:
    """Return ``amount`` per one of ``count``, rounded to two decimals, halves away from zero; 0 if ``count`` is 0."""
    return 0.0 if count == 0 else rounded(Decimal(amount) / count)


def money(amount: Decimal) -> float:
    """Return an amount of money, rounded to two decimals, halves away from zero."""
    return rounded(amount)


def money_or_none(amount: Decimal | None) -> float | None:
    """Return an amount of money as ``money`` does; None if there is none."""
    return None if amount is None else rounded(amount)


def rounded(value: Decimal) -> float:
    """Return a value rounded to two decimals, halves away from zero."""
    return float(value.quantize(_CENT, ROUND_HALF_UP))
