"""The measures: what is summed, each as SQL over one fact.

A measure is a number per fact, so sums of it can be added and subtracted. Scores are summed in thousandths, which are
whole numbers: a sum does not depend on the order of its additions.

SQL is composed from these definitions in ``maintenance_sql.py`` and ``sum_sql.py`` alone.
``_mean("score", "lead_score")`` makes two measures::

    Measure("score", "coalesce(lead_score, 0)")
    Measure("score_known", "CASE WHEN lead_score IS NOT NULL THEN 1 ELSE 0 END")

and a report divides the sum of the first by the sum of the second.
"""

from dataclasses import dataclass
from typing import Final, Literal

SqlType = Literal["bigint", "numeric"]


@dataclass(frozen=True, slots=True)
class Measure:
    """A number that each fact adds to a sum.

    Parameters
    ----------
    name
        Column of the tables of sums.
    of_fact
        SQL over a row of the view of facts; never null.
    type
        Type of the sum: ``bigint`` for counts, ``numeric`` for money and squares.
    """

    name: str
    of_fact: str
    type: SqlType = "bigint"


def _count(name: str, condition: str) -> Measure:
    return Measure(name, f"CASE WHEN {condition} THEN 1 ELSE 0 END")


def _rate(name: str, column: str) -> list[Measure]:
    return [_count(name, column), _count(f"{name}_known", f"{column} IS NOT NULL")]


def _mean(name: str, column: str) -> list[Measure]:
    return [Measure(name, f"coalesce({column}, 0)"), _count(f"{name}_known", f"{column} IS NOT NULL")]


def _property(name: str, condition: str) -> list[Measure]:
    return [_count(f"with_{name}", condition), _count(f"with_{name}_converted", f"({condition}) AND converted")]


def _factor(name: str, x: str) -> list[Measure]:
    """Return the sums of a correlation of ``x`` with conversion, over the leads whose ``x`` is known."""
    x = f"({x})"
    return [
        _count(f"{name}_n", f"{x} IS NOT NULL"),
        Measure(f"{name}_x", f"coalesce({x}, 0)"),
        Measure(f"{name}_xx", f"coalesce(CAST({x} AS numeric) * {x}, 0)", "numeric"),
        _count(f"{name}_y", f"{x} IS NOT NULL AND converted"),
        Measure(f"{name}_xy", f"CASE WHEN converted THEN coalesce({x}, 0) ELSE 0 END"),
    ]


SCORES: Final = ("accuracy", "clarity", "engagement", "adherence", "sentiment", "satisfaction", "response", "score")
"""Scores of a call, in thousandths: those of its quality report, and ``score``, the call's own."""

OUTCOMES: Final = (
    Measure("calls", "1"),
    _count("successful", "successful"),
    Measure("duration", "duration"),
)
COSTS: Final = (
    Measure("cost", "coalesce(cost, 0)", "numeric"),
    _count("costed", "cost IS NOT NULL"),
    Measure("successful_cost", "CASE WHEN successful THEN coalesce(cost, 0) ELSE 0 END", "numeric"),
)
QUALITY: Final = (
    _count("reported", "reported"),
    Measure("issues", "cardinality(issues)"),
    *(measure for name in SCORES for measure in _mean(name, name)),
    _count("positive", "sentiment > 0"),
    _count("negative", "sentiment < 0"),
    *_rate("within_hours", "within_hours"),
    *_rate("compliant", "compliant"),
    *_rate("regulatory", "regulatory"),
    *_rate("data_protection", "data_protection"),
)

STATUSES: Final = ("pending", "in_progress", "completed", "failed", "scheduled", "blacklisted")
PROPERTIES: Final = {
    "email": "has_email",
    "first_name": "has_first_name",
    "source": "source IS NOT NULL",
    "score": "lead_score IS NOT NULL",
    "interest": "interest_level IS NOT NULL",
    "call": "attempts > 0",
    "agent": "agent_id IS NOT NULL",
}
"""By name: SQL whether a lead has the property."""
FACTORS: Final = {
    "response_minutes": "response_seconds / 60",
    "lead_score": "lead_score",
    "attempts": "attempts",
    "priority": "priority",
    "interest": "CASE interest_level WHEN 'low' THEN 1 WHEN 'medium' THEN 2 WHEN 'high' THEN 3 END",
}
"""By name: SQL of a number of a lead that is correlated with conversion."""

LEADS: Final = (Measure("leads", "1"),)
FUNNEL: Final = (
    _count("contacted", "contacted"),
    _count("qualified", "qualified"),
    _count("promising", "promising"),
)
CONVERSIONS: Final = (
    _count("converted", "converted"),
    Measure("value", "coalesce(conversion_value, 0)", "numeric"),
)
RESPONSES: Final = tuple(_mean("response", "response_seconds"))
LEAD_SCORES: Final = tuple(_mean("score", "lead_score"))
BANDS: Final = (
    _count("excellent", "lead_score >= 80"),
    _count("good", "lead_score BETWEEN 60 AND 79"),
    _count("fair", "lead_score BETWEEN 40 AND 59"),
    _count("poor", "lead_score < 40"),
)
DISTRIBUTION: Final = (
    *(_count(f"status_{status}", f"status = '{status}'") for status in STATUSES),
    _count("priority_high", "priority <= 2"),
    _count("priority_medium", "priority = 3"),
    _count("priority_low", "priority >= 4"),
)
COMPLETENESS: Final = tuple(measure for name, sql in PROPERTIES.items() for measure in _property(name, sql))
CORRELATIONS: Final = tuple(measure for name, x in FACTORS.items() for measure in _factor(name, x))
