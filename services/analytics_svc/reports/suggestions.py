"""What would make a company's leads better: what many of them lack, and what leads that have it do better."""

from decimal import ROUND_DOWN, Decimal
from typing import Final

from pydantic import BaseModel, Field

from services.analytics_svc.reports.figures import rounded
from services.analytics_svc.reports.repository import Row

COMPLETE_FROM: Final = 90
"""Percent of leads from which on nothing is suggested."""
FEWEST_LEADS: Final = 30
"""Of fewer leads no rate is told."""
_ADVICE: Final = {
    "email": ("Data Completeness", "Improve email collection rate"),
    "first_name": ("Data Completeness", "Ask for the names of leads"),
    "source": ("Data Completeness", "Record where leads come from"),
    "score": ("Data Completeness", "Score more of the leads"),
    "interest": ("Data Completeness", "Record how interested leads are"),
    "call": ("Contact Rate", "Call the leads that were never called"),
    "agent": ("Assignment", "Assign the leads that nobody works on"),
}


class Suggestion(BaseModel):
    """One thing to do."""

    category: str
    current_score: int = Field(description="Percent of leads that have it, rounded down.")
    suggestion: str
    potential_impact: str | None = Field(
        description="By how much more often leads that have it were converted; null when they were not, or are few."
    )


def suggestions(sums: Row) -> list[Suggestion]:
    """What to do, of the greatest impact first; ``sums`` are those of completeness."""
    found: list[tuple[Decimal, Suggestion]] = []
    for name, (category, advice) in _ADVICE.items():
        leads, having = sums["leads"], sums[f"with_{name}"]
        if 100 * having >= COMPLETE_FROM * leads:
            continue
        impact = _impact(sums, name)
        told = f"Leads that have it convert more often by {rounded(impact):.2f} percentage points" if impact else None
        score = int((Decimal(100 * having) / leads).quantize(Decimal(1), ROUND_DOWN))
        suggestion = Suggestion(category=category, current_score=score, suggestion=advice, potential_impact=told)
        found.append((impact, suggestion))
    return [suggestion for _, suggestion in sorted(found, key=lambda each: -each[0])]


def _impact(sums: Row, name: str) -> Decimal:
    """Percentage points between the conversion rates of leads with and without it; 0 when there are none to tell."""
    having, converted = sums[f"with_{name}"], sums[f"with_{name}_converted"]
    lacking = sums["leads"] - having
    if having < FEWEST_LEADS or lacking < FEWEST_LEADS:
        return Decimal(0)
    difference: Decimal = Decimal(100 * converted) / having - Decimal(100 * (sums["converted"] - converted)) / lacking
    return max(difference, Decimal(0))
