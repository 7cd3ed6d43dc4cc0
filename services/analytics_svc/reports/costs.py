"""Cost analysis: what a company's calls cost, and the value of its conversions."""

from decimal import Decimal

from pydantic import BaseModel, ConfigDict, Field

from services.analytics_svc.reports import repository
from services.analytics_svc.reports.budgets import costs_of_all_days, remaining_budget
from services.analytics_svc.reports.repository import CampaignRow
from services.analytics_svc.reports.scope import Scope
from services.analytics_svc.reports.sums import Sums
from services.analytics_svc.rollups.measures import CONVERSIONS as CONVERSION_SUMS
from services.analytics_svc.rollups.measures import COSTS, OUTCOMES
from services.analytics_svc.rollups.rollup_tables import CALLS, CONVERSIONS
from shared.database.engine import Driver
from shared.ids import CampaignId
from shared.report_formulas import money, money_or_none, ratio, rounded, whole_percentage

_ZERO = Decimal(0)


class OverallCosts(BaseModel):
    """The whole period; the budget is the current one."""

    total_budget_allocated: float
    total_spent: float
    remaining_budget: float = Field(description="Negative if more was spent than budgeted.")
    average_cost_per_call: float = Field(description="Mean over calls whose cost is known; 0 without any.")
    average_cost_per_success: float


class CampaignCosts(BaseModel):
    """The costs of one campaign."""

    campaign_id: int
    name: str | None
    budget: float | None
    spent: float
    remaining: float | None
    cost_per_call: float
    cost_effectiveness_score: int | None = Field(
        description="Cost of successful calls in percent of the cost of all calls; null if nothing was spent."
    )


class DailyCosts(BaseModel):
    """The costs of one day."""

    date: str
    total_spent: float
    calls_made: int
    average_cost: float


class ReturnOnInvestment(BaseModel):
    """Value of the conversions against the cost of the calls."""

    total_conversion_value: float
    total_cost: float
    roi_percentage: float
    cost_to_conversion_ratio: float


class CostAnalysis(BaseModel):
    """Costs of a company's calls and value of its conversions. Formulas: docs/metrics.md."""

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
    """Compute costs and conversion values; ``driver`` must see one state throughout."""
    campaigns = {campaign.id: campaign for campaign in await repository.campaigns(driver, scope)}
    present = [campaign for campaign in campaigns.values() if not campaign.deleted]
    budgets = [campaign.budget for campaign in present if campaign.budget is not None]
    measures = [*OUTCOMES, *COSTS]
    by_campaign = {
        row["campaign_id"]: row for row in await repository.by_dimension(driver, CALLS, scope, measures, "campaign_id")
    }
    days = await repository.by_time(driver, CALLS, scope, measures, "day")
    costs = await costs_of_all_days(driver, scope)
    conversions = await repository.total(driver, CONVERSIONS, scope, CONVERSION_SUMS)
    spent = sum((row["cost"] for row in by_campaign.values()), _ZERO)
    costed, successful = (sum(row[name] for row in by_campaign.values()) for name in ("costed", "successful"))
    value = conversions["value"]
    return CostAnalysis(
        overall_costs=OverallCosts(
            total_budget_allocated=money(sum(budgets, _ZERO)),
            total_spent=money(spent),
            remaining_budget=money(remaining_budget(present, costs)),
            average_cost_per_call=ratio(spent, costed),
            average_cost_per_success=ratio(spent, successful),
        ),
        campaign_costs=[
            _campaign(
                campaign_id,
                campaigns.get(campaign_id),
                by_campaign.get(campaign_id),
                costs.get(campaign_id, _ZERO),
            )
            for campaign_id in sorted({campaign.id for campaign in present} | by_campaign.keys())
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


def _campaign(
    campaign_id: CampaignId, campaign: CampaignRow | None, calls: Sums | None, cost_of_all_days: Decimal
) -> CampaignCosts:
    spent = _ZERO if calls is None else calls["cost"]
    budget = None if campaign is None or campaign.deleted else campaign.budget
    return CampaignCosts(
        campaign_id=campaign_id,
        name=None if campaign is None else campaign.name,
        budget=money_or_none(budget),
        spent=money(spent),
        remaining=None if budget is None else money(budget - cost_of_all_days),
        cost_per_call=0.0 if calls is None else ratio(spent, calls["costed"]),
        cost_effectiveness_score=None if calls is None else whole_percentage(calls["successful_cost"], spent),
    )
