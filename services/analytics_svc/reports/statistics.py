"""Statistics of a company's campaigns, and of one campaign."""

from collections import Counter
from datetime import date
from decimal import Decimal

from pydantic import BaseModel, ConfigDict, Field

from services.analytics_svc.reports import repository
from services.analytics_svc.reports.budgets import costs_of_all_days, remaining_budget
from services.analytics_svc.reports.campaign_lookup import ReportCampaign
from services.analytics_svc.reports.scope import Scope
from services.analytics_svc.reports.sums import Sums
from services.analytics_svc.rollups.measures import COSTS, OUTCOMES
from services.analytics_svc.rollups.measures import LEADS as LEAD_COUNT
from services.analytics_svc.rollups.rollup_tables import CALLS, LEADS
from shared.database.engine import Driver
from shared.events.campaigns import CampaignStatus
from shared.report_formulas import average_seconds, money, money_or_none, percentage


class CampaignsByPriority(BaseModel):
    """Number of campaigns of each priority."""

    high: int = 0
    medium: int = 0
    low: int = 0


class DailyCalls(BaseModel):
    """The calls of one day."""

    date: date
    total_calls: int
    successful_calls: int
    failed_calls: int
    success_rate: float = Field(description="Percent.")


class CompanyStatistics(BaseModel):
    """Figures of a company's campaigns, leads and calls. Formulas: docs/metrics.md."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "total_campaigns": 10,
                "active_campaigns": 5,
                "completed_campaigns": 3,
                "paused_campaigns": 2,
                "total_leads": 1000,
                "total_calls": 800,
                "successful_calls": 600,
                "failed_calls": 200,
                "average_success_rate": 75.00,
                "total_call_duration": 48000,
                "average_call_duration": 60,
                "total_cost": 400.00,
                "remaining_budget": 5600.00,
                "campaigns_by_priority": {"high": 3, "medium": 5, "low": 2},
                "calls_by_hour": {"09:00": 100, "10:00": 150, "11:00": 200},
                "daily_stats": [
                    {
                        "date": "2024-03-01",
                        "total_calls": 80,
                        "successful_calls": 60,
                        "failed_calls": 20,
                        "success_rate": 75.00,
                    }
                ],
            }
        }
    )

    total_campaigns: int
    active_campaigns: int
    completed_campaigns: int
    paused_campaigns: int
    total_leads: int
    total_calls: int
    successful_calls: int
    failed_calls: int
    average_success_rate: float = Field(description="Successful calls in percent of all calls; 0 without calls.")
    total_call_duration: int = Field(description="Seconds.")
    average_call_duration: int = Field(description="Seconds; 0 without calls.")
    total_cost: float
    remaining_budget: float = Field(description="Negative if more was spent than budgeted.")
    campaigns_by_priority: CampaignsByPriority
    calls_by_hour: dict[str, int] = Field(description="Calls by the hour in which they started; only hours with calls.")
    daily_stats: list[DailyCalls] = Field(description="Days with calls, oldest first.")


class CampaignStatistics(BaseModel):
    """Figures of a campaign's leads and calls. Formulas: docs/metrics.md."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "total_leads": 100,
                "completed_calls": 50,
                "successful_calls": 45,
                "failed_calls": 5,
                "cost_per_call": 0.50,
                "budget": 1000.00,
                "success_rate": "90.00",
                "total_cost": 25.00,
                "remaining_budget": 975.00,
            }
        }
    )

    total_leads: int
    completed_calls: int
    successful_calls: int
    failed_calls: int
    cost_per_call: float | None
    budget: float | None
    success_rate: str = Field(description="Percent, as text with two decimals.")
    total_cost: float
    remaining_budget: float | None = Field(description="Null without a budget.")


async def company_statistics(driver: Driver, scope: Scope, status: CampaignStatus | None) -> CompanyStatistics:
    """Compute the statistics of all campaigns or of those with a status; ``driver`` must see one state throughout."""
    campaigns = [
        campaign
        for campaign in await repository.campaigns(driver, scope)
        if not campaign.deleted and status in (None, campaign.status)
    ]
    if status is not None:
        scope = scope.of_campaigns(tuple(campaign.id for campaign in campaigns))
    days = await repository.by_time(driver, CALLS, scope, [*OUTCOMES, *COSTS], "day")
    hours = await repository.by_time(driver, CALLS, scope, OUTCOMES, "hour_of_day")
    leads = await repository.total(driver, LEADS, scope, LEAD_COUNT)
    calls, successful, duration = (sum(row[name] for row in days) for name in ("calls", "successful", "duration"))
    statuses = Counter(campaign.status for campaign in campaigns)
    return CompanyStatistics(
        total_campaigns=len(campaigns),
        active_campaigns=statuses["active"],
        completed_campaigns=statuses["completed"],
        paused_campaigns=statuses["paused"],
        total_leads=leads["leads"],
        total_calls=calls,
        successful_calls=successful,
        failed_calls=calls - successful,
        average_success_rate=percentage(successful, calls),
        total_call_duration=duration,
        average_call_duration=average_seconds(duration, calls),
        total_cost=money(sum((row["cost"] for row in days), Decimal(0))),
        remaining_budget=money(remaining_budget(campaigns, await costs_of_all_days(driver, scope))),
        campaigns_by_priority=CampaignsByPriority.model_validate(Counter(campaign.priority for campaign in campaigns)),
        calls_by_hour={f"{row['bucket']:02}:00": row["calls"] for row in hours},
        daily_stats=[_day(row) for row in days],
    )


async def campaign_statistics(driver: Driver, campaign: ReportCampaign) -> CampaignStatistics:
    """Compute the statistics of a campaign; ``driver`` must see one state throughout."""
    scope = Scope(campaign.company_id, campaign_ids=(campaign.id,))
    calls = await repository.total(driver, CALLS, scope, [*OUTCOMES, *COSTS])
    leads = await repository.total(driver, LEADS, scope, LEAD_COUNT)
    return CampaignStatistics(
        total_leads=leads["leads"],
        completed_calls=calls["calls"],
        successful_calls=calls["successful"],
        failed_calls=calls["calls"] - calls["successful"],
        cost_per_call=money_or_none(campaign.cost_per_call),
        budget=money_or_none(campaign.budget),
        success_rate=f"{percentage(calls['successful'], calls['calls']):.2f}",
        total_cost=money(calls["cost"]),
        remaining_budget=None if campaign.budget is None else money(campaign.budget - calls["cost"]),
    )


def _day(row: Sums) -> DailyCalls:
    return DailyCalls(
        date=row["bucket"],
        total_calls=row["calls"],
        successful_calls=row["successful"],
        failed_calls=row["calls"] - row["successful"],
        success_rate=percentage(row["successful"], row["calls"]),
    )
