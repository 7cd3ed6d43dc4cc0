"""Conversion analysis: converted leads, their value, and factors that correlate with conversion."""

from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from services.analytics_svc.reports import repository
from services.analytics_svc.reports.scope import Scope
from services.analytics_svc.reports.sums import Sums
from services.analytics_svc.rollups import measures as m
from services.analytics_svc.rollups.rollup_tables import LEADS
from shared.database.engine import Driver
from shared.report_formulas import money, percentage, ratio, rounded

Strength = Literal["low", "medium", "high"]

MIN_LEADS: Final = 30
"""A correlation over fewer leads is not reported."""
STRONG_FROM: Final[tuple[tuple[float, Strength], ...]] = ((0.5, "high"), (0.3, "medium"))
"""Absolute value of a coefficient, as it is displayed, from which on a correlation is that strong."""
_FACTORS: Final = {
    "response_minutes": (
        "Response Time",
        "Leads that converted were first called after {converted} minutes on average, others after {others}",
    ),
    "lead_score": ("Lead Score", "Leads that converted score {converted} on average, others {others}"),
    "attempts": ("Call Attempts", "Leads that converted were called {converted} times on average, others {others}"),
    "priority": ("Priority", "Leads that converted have priority {converted} on average, others {others}"),
    "interest": (
        "Interest Level",
        "On a scale from 1 (low) to 3 (high), leads that converted are at {converted} on average, others at {others}",
    ),
}


class ConversionSummary(BaseModel):
    """The conversions of all leads."""

    total_leads: int
    total_conversions: int
    conversion_rate: float = Field(description="Percent of all leads.")
    average_conversion_value: float
    total_revenue: float


class CampaignConversions(BaseModel):
    """The conversions of one campaign's leads."""

    campaign_id: int
    name: str | None
    leads: int
    conversions: int
    conversion_rate: float = Field(description="Percent.")
    revenue: float


class ConversionFactor(BaseModel):
    """A number that leads have, and its correlation with conversion."""

    factor: str
    impact_score: int | None = Field(description="0 to 100; null if the correlation is unknown.")
    correlation: Strength | None = Field(description="Null if the correlation is unknown.")
    coefficient: float | None = Field(description="−1 to 1; null if the correlation is unknown.")
    leads: int = Field(description="Number of leads that have the number.")
    recommendation: str | None = Field(description="Null unless the correlation is medium or high.")


class DailyRevenue(BaseModel):
    """The leads created on one day, and their conversions until now."""

    date: date
    new_leads: int
    conversions: int
    revenue: float
    conversion_rate: float = Field(description="Percent.")


class ConversionAnalysis(BaseModel):
    """Conversions of a company's leads and their factors. Formulas: docs/metrics.md."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "conversion_summary": {
                    "total_leads": 1000,
                    "total_conversions": 200,
                    "conversion_rate": 20.00,
                    "average_conversion_value": 5000.00,
                    "total_revenue": 1000000.00,
                },
                "conversion_by_campaign": [
                    {
                        "campaign_id": 1,
                        "name": "Customer Survey Campaign",
                        "leads": 200,
                        "conversions": 50,
                        "conversion_rate": 25.00,
                        "revenue": 250000.00,
                    }
                ],
                "conversion_factors": [
                    {
                        "factor": "Response Time",
                        "impact_score": 85,
                        "correlation": "high",
                        "coefficient": -0.85,
                        "leads": 800,
                        "recommendation": (
                            "Leads that converted were first called after 45.00 minutes on average, others after 312.50"
                        ),
                    }
                ],
                "timeline_analysis": [
                    {
                        "date": "2024-03-01",
                        "new_leads": 50,
                        "conversions": 15,
                        "revenue": 75000.00,
                        "conversion_rate": 30.00,
                    }
                ],
            }
        }
    )

    conversion_summary: ConversionSummary
    conversion_by_campaign: list[CampaignConversions]
    conversion_factors: list[ConversionFactor]
    timeline_analysis: list[DailyRevenue] = Field(description="Days with new leads, oldest first.")


async def conversion_analysis(driver: Driver, scope: Scope) -> ConversionAnalysis:
    """Compute conversions and their factors; ``driver`` must see one state throughout."""
    names = {campaign.id: campaign.name for campaign in await repository.campaigns(driver, scope)}
    total = await repository.total(driver, LEADS, scope, [*m.LEADS, *m.CONVERSIONS, *m.CORRELATIONS])
    outcomes = [*m.LEADS, *m.CONVERSIONS]
    by_campaign = await repository.by_dimension(driver, LEADS, scope, outcomes, "campaign_id")
    days = await repository.by_time(driver, LEADS, scope, outcomes, "day")
    return ConversionAnalysis(
        conversion_summary=ConversionSummary(
            total_leads=total["leads"],
            total_conversions=total["converted"],
            conversion_rate=percentage(total["converted"], total["leads"]),
            average_conversion_value=ratio(total["value"], total["converted"]),
            total_revenue=money(total["value"]),
        ),
        conversion_by_campaign=[
            CampaignConversions(
                campaign_id=row["campaign_id"],
                name=names.get(row["campaign_id"]),
                leads=row["leads"],
                conversions=row["converted"],
                conversion_rate=percentage(row["converted"], row["leads"]),
                revenue=money(row["value"]),
            )
            for row in by_campaign
        ],
        conversion_factors=[_factor(total, name) for name in _FACTORS],
        timeline_analysis=[
            DailyRevenue(
                date=row["bucket"],
                new_leads=row["leads"],
                conversions=row["converted"],
                revenue=money(row["value"]),
                conversion_rate=percentage(row["converted"], row["leads"]),
            )
            for row in days
        ],
    )


def _factor(sums: Sums, name: str) -> ConversionFactor:
    label, recommendation = _FACTORS[name]
    count, x, xx, y, xy = (Decimal(sums[f"{name}_{part}"]) for part in ("n", "x", "xx", "y", "xy"))
    coefficient = _correlation(count, x, xx, y, xy)
    if coefficient is None:
        return ConversionFactor(
            factor=label, impact_score=None, correlation=None, coefficient=None, leads=int(count), recommendation=None
        )
    displayed = rounded(coefficient)
    strength = next((strength for minimum, strength in STRONG_FROM if abs(displayed) >= minimum), "low")
    means = {"converted": f"{ratio(xy, y):.2f}", "others": f"{ratio(x - xy, count - y):.2f}"}
    return ConversionFactor(
        factor=label,
        impact_score=int((100 * abs(coefficient)).quantize(Decimal(1), ROUND_HALF_UP)),
        correlation=strength,
        coefficient=displayed,
        leads=int(count),
        recommendation=None if strength == "low" else recommendation.format_map(means),
    )


def _correlation(count: Decimal, x: Decimal, xx: Decimal, y: Decimal, xy: Decimal) -> Decimal | None:
    """Return Pearson's coefficient of x and y (0 or 1) from their sums; None for too few leads or a constant x or y."""
    variance_product = (count * xx - x * x) * (count * y - y * y)
    return None if count < MIN_LEADS or variance_product == 0 else (count * xy - x * y) / variance_product.sqrt()
