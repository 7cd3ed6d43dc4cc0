"""Suggestions for better leads: properties that many leads lack, and their effect on conversion."""

from decimal import ROUND_DOWN, Decimal
from typing import Final

from pydantic import BaseModel, Field

from services.analytics_svc.reports.sums import Sums
from shared.report_formulas import rounded

COMPLETE_FROM: Final = 90
"""Percent of leads with a property from which on it is not suggested."""
MIN_LEADS: Final = 30
"""No conversion rate is reported for fewer leads."""
_ADVICE: Final = {
    "email": ("Data Completeness", "Improve email collection rate"),
    "first_name": ("Data Completeness", "Ask for the names of leads"),
    "source": ("Data Completeness", "Record where leads come from"),
    "score": ("Data Completeness", "Score more of the leads"),
    "interest": ("Data Completeness", "Record how interested leads are"),
    "call": ("Contact Rate", "Call the leads that were never called"),
    "agent": ("Assignment", "Assign the leads that nobody works on"),
}

_IMPACT: Final = "Leads that have it convert more often by {:.2f} percentage points"


class Suggestion(BaseModel):
    """A suggestion, by the property that leads lack."""

    category: str
    current_score: int = Field(description="Percent of leads that have the property, rounded down.")
    suggestion: str
    potential_impact: str | None = Field(
        description="How much more often leads with the property converted; null if not more often, or if they are few."
    )


def suggestions(sums: Sums) -> list[Suggestion]:
    """Return the suggestions, the greatest impact first; ``sums`` has the measures of completeness."""
    found: list[tuple[Decimal, Suggestion]] = []
    for name, (category, advice) in _ADVICE.items():
        leads, having = sums["leads"], sums[f"with_{name}"]
        if 100 * having >= COMPLETE_FROM * leads:
            continue
        impact = _impact(sums, name)
        potential = _IMPACT.format(rounded(impact)) if impact else None
        score = int((Decimal(100 * having) / leads).quantize(Decimal(1), ROUND_DOWN))
        suggestion = Suggestion(category=category, current_score=score, suggestion=advice, potential_impact=potential)
        found.append((impact, suggestion))
    return [suggestion for _, suggestion in sorted(found, key=lambda pair: -pair[0])]


def _impact(sums: Sums, name: str) -> Decimal:
    """Return the percentage points between the conversion rates of leads with and without the property, at least 0."""
    having, converted = sums[f"with_{name}"], sums[f"with_{name}_converted"]
    lacking = sums["leads"] - having
    if having < MIN_LEADS or lacking < MIN_LEADS:
        return Decimal(0)
    difference: Decimal = Decimal(100 * converted) / having - Decimal(100 * (sums["converted"] - converted)) / lacking
    return max(difference, Decimal(0))
