"""How figures are made of sums; docs/metrics.md says which figure takes which formula."""

from decimal import ROUND_HALF_UP, Decimal

from services.analytics_svc.reports.repository import Row
from shared.formulas import percentage

_CENT = Decimal("0.01")
_WHOLE = Decimal(1)


def mean(sums: Row, name: str, *, unit: int = 1) -> float | None:
    """Mean of what is known of ``name``, two decimals, halves away from zero; null of nothing.

    Parameters
    ----------
    sums
        Has ``name`` and ``<name>_known``, how many it is the sum of.
    unit
        How many of the sum's units are one of the figure's.
    """
    count = sums[f"{name}_known"]
    return None if count == 0 else rounded(Decimal(sums[name]) / (count * unit))


def rate_of_known(sums: Row, name: str) -> float | None:
    """Percent of those of which ``name`` is known that have it; null of nothing."""
    count = sums[f"{name}_known"]
    return None if count == 0 else percentage(sums[name], count)


def ratio(amount: Decimal | int, count: Decimal | int) -> float:
    """``amount`` for one of ``count``, two decimals, halves away from zero; 0 of nothing."""
    return 0.0 if count == 0 else rounded(Decimal(amount) / count)


def whole_percent(part: Decimal, whole: Decimal) -> int | None:
    """``part`` of ``whole`` in whole percent, halves up; null of nothing."""
    return None if whole == 0 else int((100 * part / whole).quantize(_WHOLE, ROUND_HALF_UP))


def rounded(value: Decimal) -> float:
    """Two decimals, halves away from zero."""
    return float(value.quantize(_CENT, ROUND_HALF_UP))
