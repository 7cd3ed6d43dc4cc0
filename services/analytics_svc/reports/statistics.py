"""The statistics of a company's campaigns, and of one campaign."""

from collections import Counter
from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from pydantic import BaseModel, ConfigDict, Field

from services.analytics_svc.reports import repository
from services.analytics_svc.reports.campaign_lookup import KnownCampaign
from services.analytics_svc.reports.figures import rounded
from services.analytics_svc.reports.repository import Row
from services.analytics_svc.reports.scope import Scope
from services.analytics_svc.rollups.definitions import CALLS, LEADS
from services.analytics_svc.rollups.measures import COSTS, OUTCOMES
from services.analytics_svc.rollups.measures import LEADS as LEAD_COUNT
from shared.database.engine import Driver
from shared.events.campaigns import CampaignStatus
from shared.formulas import average_seconds, money, percentage


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
    """A company's campaigns, leads and calls in figures. The formulas: docs/metrics.md."""

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
    average_success_rate: float = Field(description="Percent of all calls that succeeded; 0 without calls.")
    total_call_duration: int = Field(description="Seconds.")
    average_call_duration: int = Field(description="Seconds; 0 without calls.")
    total_cost: float
    remaining_budget: float = Field(description="Negative where more was spent than planned.")
    campaigns_by_priority: CampaignsByPriority
    calls_by_hour: dict[str, int] = Field(description="Calls by the hour they started in; only hours with calls.")
    daily_stats: list[DailyCalls] = Field(description="Days with calls, oldest first.")


class CampaignStatistics(BaseModel):
    """A campaign's leads and calls in figures. The formulas: docs/metrics.md."""

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
    success_rate: str = Field(description="Percent, as text.")
    total_cost: float
    remaining_budget: float | None = Field(description="Null without a budget.")


async def company_statistics(driver: Driver, scope: Scope, status: CampaignStatus | None) -> CompanyStatistics:
    """The statistics of a company's campaigns, or of those with a status; ``driver`` must see one state throughout."""
    campaigns = [
        row
        for row in await repository.campaigns(driver, scope)
        if not row["deleted"] and status in (None, row["status"])
    ]
    if status is not None:
        scope = scope.of_campaigns(tuple(row["id"] for row in campaigns))
    days = await repository.by_time(driver, CALLS, scope, [*OUTCOMES, *COSTS], "day")
    hours = await repository.by_time(driver, CALLS, scope, OUTCOMES, "hour_of_day")
    leads = await repository.total(driver, LEADS, scope, LEAD_COUNT)
    calls, successful, duration = (sum(row[name] for row in days) for name in ("calls", "successful", "duration"))
    statuses = Counter(row["status"] for row in campaigns)
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
        remaining_budget=money(remaining_budget(campaigns, await costs_ever(driver, scope))),
        campaigns_by_priority=CampaignsByPriority.model_validate(Counter(row["priority"] for row in campaigns)),
        calls_by_hour={f"{row['bucket']:02}:00": row["calls"] for row in hours},
        daily_stats=[_day(row) for row in days],
    )


async def campaign_statistics(driver: Driver, campaign: KnownCampaign) -> CampaignStatistics:
    """The statistics of a campaign; ``driver`` must see one state throughout."""
    scope = Scope(campaign.company_id, campaign_ids=(campaign.id,))
    calls = await repository.total(driver, CALLS, scope, [*OUTCOMES, *COSTS])
    leads = await repository.total(driver, LEADS, scope, LEAD_COUNT)
    return CampaignStatistics(
        total_leads=leads["leads"],
        completed_calls=calls["calls"],
        successful_calls=calls["successful"],
        failed_calls=calls["calls"] - calls["successful"],
        cost_per_call=amount(campaign.cost_per_call),
        budget=amount(campaign.budget),
        success_rate=f"{percentage(calls['successful'], calls['calls']):.2f}",
        total_cost=money(calls["cost"]),
        remaining_budget=None if campaign.budget is None else money(campaign.budget - calls["cost"]),
    )


async def costs_ever(driver: Driver, scope: Scope) -> dict[int, Decimal]:
    """By campaign: what all its calls cost, whatever the days."""
    rows = await repository.by_dimension(driver, CALLS, scope.of_all_days(), COSTS, "campaign_id")
    return {row["campaign_id"]: row["cost"] for row in rows}


def remaining_budget(campaigns: Sequence[Row], spent: dict[int, Decimal]) -> Decimal:
    """Budgets of the campaigns that have one, less all that their calls ever cost."""
    return sum(
        (row["budget"] - spent.get(row["id"], Decimal(0)) for row in campaigns if row["budget"] is not None),
        Decimal(0),
    )


def amount(value: Decimal | None) -> float | None:
    """An amount of money as it is shown, null where there is none."""
    return None if value is None else rounded(value)


def _day(row: Row) -> DailyCalls:
    return DailyCalls(
        date=row["bucket"],
        total_calls=row["calls"],
        successful_calls=row["successful"],
        failed_calls=row["calls"] - row["successful"],
        success_rate=percentage(row["successful"], row["calls"]),
    )
