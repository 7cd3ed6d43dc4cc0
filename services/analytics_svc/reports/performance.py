"""Performance: calls and success rates over time, and campaigns ranked by success rate."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from itertools import groupby
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

from services.analytics_svc.reports import repository
from services.analytics_svc.reports.scope import Scope
from services.analytics_svc.reports.sums import Sums
from services.analytics_svc.rollups.measures import OUTCOMES
from services.analytics_svc.rollups.rollup_tables import CALLS
from shared.database.engine import Driver
from shared.report_formulas import average_seconds, percentage

Interval = Literal["hourly", "daily", "weekly", "monthly"]


class PerformanceSummary(BaseModel):
    """The whole period."""

    total_campaigns: int
    total_calls: int
    success_rate: float = Field(description="Percent; 0 without calls.")
    average_call_duration: int = Field(description="Seconds; 0 without calls.")


class CallsOfInterval(BaseModel):
    """The calls of one interval."""

    interval: str = Field(description="`2024-03-01T09:00:00Z`, `2024-03-01`, `2024-W09` or `2024-03`.")
    total_calls: int
    successful_calls: int
    failed_calls: int
    average_duration: int = Field(description="Seconds.")


class RateOfInterval(BaseModel):
    """The success rate of one interval."""

    interval: str
    rate: float = Field(description="Percent.")


class PerformanceTrends(BaseModel):
    """Figures by interval, oldest first; intervals without calls are left out."""

    calls_by_interval: list[CallsOfInterval]
    success_rate_trend: list[RateOfInterval]


class RankedCampaign(BaseModel):
    """A campaign in the ranking by success rate."""

    campaign_id: int
    name: str | None
    success_rate: float = Field(description="Percent.")
    total_calls: int


class CompanyPerformance(BaseModel):
    """Performance of a company's calls. Formulas: docs/metrics.md."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "summary": {
                    "total_campaigns": 10,
                    "total_calls": 1000,
                    "success_rate": 75.00,
                    "average_call_duration": 180,
                },
                "trends": {
                    "calls_by_interval": [
                        {
                            "interval": "2024-03-01",
                            "total_calls": 100,
                            "successful_calls": 75,
                            "failed_calls": 25,
                            "average_duration": 185,
                        }
                    ],
                    "success_rate_trend": [{"interval": "2024-03-01", "rate": 75.00}],
                },
                "campaign_rankings": [
                    {"campaign_id": 1, "name": "Customer Survey Campaign", "success_rate": 85.00, "total_calls": 200}
                ],
            }
        }
    )

    summary: PerformanceSummary
    trends: PerformanceTrends
    campaign_rankings: list[RankedCampaign]


async def company_performance(driver: Driver, scope: Scope, interval: Interval) -> CompanyPerformance:
    """Compute the performance of calls; ``driver`` must see one state throughout."""
    campaigns = {campaign.id: campaign for campaign in await repository.campaigns(driver, scope)}
    by_campaign = await repository.by_dimension(driver, CALLS, scope, OUTCOMES, "campaign_id")
    moments = await repository.by_time(driver, CALLS, scope, OUTCOMES, "hour" if interval == "hourly" else "day")
    intervals = _intervals(moments, interval, scope.period.zone)
    calls, successful, duration = (
        sum(row[name] for row in by_campaign) for name in ("calls", "successful", "duration")
    )
    rankings = [
        RankedCampaign(
            campaign_id=row["campaign_id"],
            name=campaigns[row["campaign_id"]].name if row["campaign_id"] in campaigns else None,
            success_rate=percentage(row["successful"], row["calls"]),
            total_calls=row["calls"],
        )
        for row in by_campaign
    ]
    return CompanyPerformance(
        summary=PerformanceSummary(
            total_campaigns=sum(not campaign.deleted for campaign in campaigns.values()),
            total_calls=calls,
            success_rate=percentage(successful, calls),
            average_call_duration=average_seconds(duration, calls),
        ),
        trends=PerformanceTrends(
            calls_by_interval=intervals,
            success_rate_trend=[
                RateOfInterval(
                    interval=interval_calls.interval,
                    rate=percentage(interval_calls.successful_calls, interval_calls.total_calls),
                )
                for interval_calls in intervals
            ],
        ),
        campaign_rankings=sorted(rankings, key=lambda row: (-row.success_rate, -row.total_calls, row.campaign_id)),
    )


def _intervals(moments: Sequence[Sums], interval: Interval, zone: ZoneInfo) -> list[CallsOfInterval]:
    return [
        _interval(name, list(rows)) for name, rows in groupby(moments, lambda row: _name(row["bucket"], interval, zone))
    ]


def _interval(name: str, rows: Sequence[Sums]) -> CallsOfInterval:
    calls, successful, duration = (sum(row[measure] for row in rows) for measure in ("calls", "successful", "duration"))
    return CallsOfInterval(
        interval=name,
        total_calls=calls,
        successful_calls=successful,
        failed_calls=calls - successful,
        average_duration=average_seconds(duration, calls),
    )


def _name(bucket: date | datetime, interval: Interval, zone: ZoneInfo) -> str:
    if isinstance(bucket, datetime):
        local = bucket.astimezone(UTC if zone.key == "UTC" else zone)
        return local.isoformat(timespec="seconds").replace("+00:00", "Z")
    if interval == "weekly":
        year, week, _ = bucket.isocalendar()
        return f"{year}-W{week:02}"
    return f"{bucket:%Y-%m}" if interval == "monthly" else bucket.isoformat()
