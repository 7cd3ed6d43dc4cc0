"""What a company's calls cost, and what they brought."""

from decimal import Decimal

from pydantic import BaseModel, ConfigDict, Field

from services.analytics_svc.reports import repository
from services.analytics_svc.reports.figures import ratio, rounded, whole_percent
from services.analytics_svc.reports.repository import Row
from services.analytics_svc.reports.scope import Scope
from services.analytics_svc.reports.statistics import amount, costs_ever, remaining_budget
from services.analytics_svc.rollups.definitions import CALLS, CONVERSIONS
from services.analytics_svc.rollups.measures import CONVERSIONS as CONVERSION_SUMS
from services.analytics_svc.rollups.measures import COSTS, OUTCOMES
from shared.database.engine import Driver
from shared.formulas import money

_NOTHING = Decimal(0)


class OverallCosts(BaseModel):
    """All of the period; the budget is that of now."""

    total_budget_allocated: float
    total_spent: float
    remaining_budget: float = Field(description="Negative where more was spent than planned.")
    average_cost_per_call: float = Field(description="Over calls whose cost is known; 0 without any.")
    average_cost_per_success: float


class CampaignCosts(BaseModel):
    """One campaign."""

    campaign_id: int
    name: str | None
    budget: float | None
    spent: float
    remaining: float | None
    cost_per_call: float
    cost_effectiveness_score: int | None = Field(
        description="Percent of what was spent that went to successful calls; null when nothing was spent."
    )


class DailyCosts(BaseModel):
    """One day."""

    date: str
    total_spent: float
    calls_made: int
    average_cost: float


class ReturnOnInvestment(BaseModel):
    """What came of it."""

    total_conversion_value: float
    total_cost: float
    roi_percentage: float
    cost_to_conversion_ratio: float


class CostAnalysis(BaseModel):
    """What a company's calls cost and brought. The formulas: docs/metrics.md."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "overall_costs": {
                    "total_budget_allocated": 10000.00,
                    "total_spent": 4000.00,
                    "remaining_budget": 6000.00,
                    "average_cost_per_call": 0.50,
                    "average_cost_per_success": 0.75,
                },
                "campaign_costs": [
                    {
                        "campaign_id": 1,
                        "name": "Customer Survey Campaign",
                        "budget": 1000.00,
                        "spent": 400.00,
                        "remaining": 600.00,
                        "cost_per_call": 0.45,
                        "cost_effectiveness_score": 85,
                    }
                ],
                "cost_trends": [{"date": "2024-03-01", "total_spent": 200.00, "calls_made": 400, "average_cost": 0.50}],
                "roi_analysis": {
                    "total_conversion_value": 20000.00,
                    "total_cost": 4000.00,
                    "roi_percentage": 400.00,
                    "cost_to_conversion_ratio": 0.20,
                },
            }
        }
    )

    overall_costs: OverallCosts
    campaign_costs: list[CampaignCosts]
    cost_trends: list[DailyCosts] = Field(description="Days with calls, oldest first.")
    roi_analysis: ReturnOnInvestment


async def cost_analysis(driver: Driver, scope: Scope) -> CostAnalysis:
    """What a company's calls cost and brought; ``driver`` must see one state throughout."""
    campaigns = {row["id"]: row for row in await repository.campaigns(driver, scope)}
    there = [row for row in campaigns.values() if not row["deleted"]]
    measures = [*OUTCOMES, *COSTS]
    by_campaign = {
        row["campaign_id"]: row for row in await repository.by_dimension(driver, CALLS, scope, measures, "campaign_id")
    }
    days = await repository.by_time(driver, CALLS, scope, measures, "day")
    ever = await costs_ever(driver, scope)
    conversions = await repository.total(driver, CONVERSIONS, scope, CONVERSION_SUMS)
    spent = sum((row["cost"] for row in by_campaign.values()), _NOTHING)
    costed, successful = (sum(row[name] for row in by_campaign.values()) for name in ("costed", "successful"))
    value = conversions["value"]
    return CostAnalysis(
        overall_costs=OverallCosts(
            total_budget_allocated=money(sum((row["budget"] for row in there if row["budget"] is not None), _NOTHING)),
            total_spent=money(spent),
            remaining_budget=money(remaining_budget(there, ever)),
            average_cost_per_call=ratio(spent, costed),
            average_cost_per_success=ratio(spent, successful),
        ),
        campaign_costs=[
            _campaign(number, campaigns.get(number), by_campaign.get(number), ever.get(number, _NOTHING))
            for number in sorted({row["id"] for row in there} | by_campaign.keys())
        ],
        cost_trends=[
            DailyCosts(
                date=row["bucket"].isoformat(),
                total_spent=money(row["cost"]),
                calls_made=row["calls"],
                average_cost=ratio(row["cost"], row["costed"]),
            )
            for row in days
        ],
        roi_analysis=ReturnOnInvestment(
            total_conversion_value=money(value),
            total_cost=money(spent),
            roi_percentage=0.0 if spent == 0 else rounded(100 * (value - spent) / spent),
            cost_to_conversion_ratio=ratio(spent, value),
        ),
    )


def _campaign(number: int, campaign: Row | None, calls: Row | None, ever: Decimal) -> CampaignCosts:
    spent = _NOTHING if calls is None else calls["cost"]
    budget = None if campaign is None or campaign["deleted"] else campaign["budget"]
    return CampaignCosts(
        campaign_id=number,
        name=None if campaign is None else campaign["name"],
        budget=amount(budget),
        spent=money(spent),
        remaining=None if budget is None else money(budget - ever),
        cost_per_call=0.0 if calls is None else ratio(spent, calls["costed"]),
        cost_effectiveness_score=None if calls is None else whole_percent(calls["successful_cost"], spent),
    )
