"""Figures over a row of sums."""

from typing import TypeAlias

import asyncpg

from shared.report_formulas import mean_or_none, percentage_or_none

Sums: TypeAlias = asyncpg.Record
"""A row of sums: a column for each requested measure, after the requested dimensions (or ``bucket``, the time)."""


def mean_of(sums: Sums, name: str, *, units: int = 1) -> float | None:
    """Return the mean of the known values of a measure; None if none is known.

    Parameters
    ----------
    sums
        Has the measure ``name`` and ``<name>_known``, the number of values in its sum.
    units
        How many units of the sum are 1 in the mean.
    """
    return mean_or_none(sums[name], sums[f"{name}_known"], units=units)


def rate_of(sums: Sums, name: str) -> float | None:
    """Return the percentage of facts with a property among those whose property is known; None if none is known."""
    return percentage_or_none(sums[name], sums[f"{name}_known"])
