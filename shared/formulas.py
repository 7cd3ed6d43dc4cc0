"""The formulas of figures, the same in every service; docs/metrics.md says which figure takes which."""

from decimal import ROUND_HALF_UP, Decimal

_CENT = Decimal("0.01")
_WHOLE = Decimal(1)


def percentage(part: int, whole: int) -> float:
    """``part`` of ``whole`` in percent, two decimals, halves up; 0 of nothing."""
    if whole == 0:
        return 0.0
    return float((Decimal(100 * part) / whole).quantize(_CENT, ROUND_HALF_UP))


def average_seconds(total: int, count: int) -> int:
    """Mean duration in whole seconds, halves up; 0 of nothing."""
    if count == 0:
        return 0
    return int((Decimal(total) / count).quantize(_WHOLE, ROUND_HALF_UP))


def money(amount: Decimal) -> float:
    """An amount as it is shown: two decimals, halves away from zero."""
    return float(amount.quantize(_CENT, ROUND_HALF_UP))
