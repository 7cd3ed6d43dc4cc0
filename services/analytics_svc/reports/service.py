"""Puts reports together from what the repository counts."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy.ext.asyncio import AsyncConnection

from services.analytics_svc.reports import repository
from services.analytics_svc.reports.repository import CampaignCount, HourOfCalls, Scope
from services.analytics_svc.reports.schemas import CampaignsByPriority, CompanyStatistics, DailyCalls
from shared.formulas import average_seconds, money, percentage


async def company_statistics(connection: AsyncConnection, scope: Scope) -> CompanyStatistics:
    """The statistics of a company's campaigns; ``connection`` must see one state throughout."""
    campaigns = await repository.count_campaigns(connection, scope)
    hours = await repository.hours_of_calls(connection, scope)
    calls = _sum(hours)
    return CompanyStatistics(
        total_campaigns=sum(count.count for count in campaigns),
        active_campaigns=_with_status(campaigns, "active"),
        completed_campaigns=_with_status(campaigns, "completed"),
        paused_campaigns=_with_status(campaigns, "paused"),
        total_leads=await repository.count_leads(connection, scope),
        total_calls=calls.total,
        successful_calls=calls.successful,
        failed_calls=calls.failed,
        average_success_rate=percentage(calls.successful, calls.total),
        total_call_duration=calls.duration,
        average_call_duration=average_seconds(calls.duration, calls.total),
        total_cost=money(calls.cost),
        remaining_budget=money(await repository.remaining_budget(connection, scope)),
        campaigns_by_priority=_by_priority(campaigns),
        calls_by_hour=_by_hour_of_day(hours),
        daily_stats=_by_day(hours),
    )


@dataclass(frozen=True, slots=True)
class _Calls:
    total: int
    successful: int
    duration: int
    cost: Decimal

    @property
    def failed(self) -> int:
        return self.total - self.successful


def _sum(hours: Iterable[HourOfCalls]) -> _Calls:
    hours = list(hours)
    return _Calls(
        total=sum(hour.total for hour in hours),
        successful=sum(hour.successful for hour in hours),
        duration=sum(hour.duration for hour in hours),
        cost=sum((hour.cost for hour in hours), Decimal(0)),
    )


def _with_status(campaigns: Iterable[CampaignCount], status: str) -> int:
    return sum(count.count for count in campaigns if count.status == status)


def _by_priority(campaigns: Iterable[CampaignCount]) -> CampaignsByPriority:
    counts: Counter[str] = Counter()
    for count in campaigns:
        counts[count.priority] += count.count
    return CampaignsByPriority.model_validate(counts)


def _by_hour_of_day(hours: Iterable[HourOfCalls]) -> dict[str, int]:
    counts: Counter[int] = Counter()
    for hour in hours:
        counts[hour.hour.hour] += hour.total
    return {f"{hour_of_day:02}:00": counts[hour_of_day] for hour_of_day in sorted(counts)}


def _by_day(hours: Sequence[HourOfCalls]) -> list[DailyCalls]:
    days: dict[date, list[HourOfCalls]] = {}
    for hour in hours:
        days.setdefault(hour.hour.date(), []).append(hour)
    return [_day(day, _sum(days[day])) for day in sorted(days)]


def _day(day: date, calls: _Calls) -> DailyCalls:
    return DailyCalls(
        date=day,
        total_calls=calls.total,
        successful_calls=calls.successful,
        failed_calls=calls.failed,
        success_rate=percentage(calls.successful, calls.total),
    )
