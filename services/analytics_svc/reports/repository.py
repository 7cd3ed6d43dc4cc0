"""The queries of the reports. Each takes the scope it is asked for, which begins with the company."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Column, ColumnElement, Select, false, func, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.analytics_svc.reports.period import Period
from services.analytics_svc.tables import calls, campaigns, leads
from shared.events.campaigns import CampaignStatus


@dataclass(frozen=True, slots=True)
class Scope:
    """What a report looks at."""

    company_id: int
    period: Period
    status: CampaignStatus | None
    """Only campaigns that have this status now, and what belongs to them; ``None`` for everything."""


@dataclass(frozen=True, slots=True)
class CampaignCount:
    """Number of campaigns with one status and priority."""

    status: str
    priority: str
    count: int


@dataclass(frozen=True, slots=True)
class HourOfCalls:
    """The calls that started in one hour."""

    hour: datetime
    """The hour's beginning, UTC."""
    total: int
    successful: int
    duration: int
    """Seconds."""
    cost: Decimal


async def count_campaigns(connection: AsyncConnection, scope: Scope) -> Sequence[CampaignCount]:
    """The scope's campaigns by status and priority; the period does not matter."""
    query = (
        select(campaigns.c.status, campaigns.c.priority, func.count().label("count"))
        .where(*_campaigns_of(scope))
        .group_by(campaigns.c.status, campaigns.c.priority)
    )
    return [CampaignCount(*row) for row in await connection.execute(query)]


async def count_leads(connection: AsyncConnection, scope: Scope) -> int:
    """Number of the scope's leads that were created in its period."""
    query = select(func.count()).where(
        leads.c.company_id == scope.company_id,
        *_within(leads.c.created_at, scope.period),
        *_in_campaigns(leads.c.campaign_id, scope),
    )
    return (await connection.execute(query)).scalar_one()


async def hours_of_calls(connection: AsyncConnection, scope: Scope) -> Sequence[HourOfCalls]:
    """The scope's calls that started in its period, hour by hour, oldest first; hours without calls are left out."""
    hour = func.date_trunc("hour", calls.c.started_at, "UTC").label("hour")
    query = (
        select(
            hour,
            func.count(),
            func.count().filter(calls.c.successful),
            func.sum(calls.c.duration),
            func.coalesce(func.sum(calls.c.cost), literal(Decimal(0))),
        )
        .where(
            calls.c.company_id == scope.company_id,
            *_within(calls.c.started_at, scope.period),
            *_in_campaigns(calls.c.campaign_id, scope),
        )
        .group_by("hour")
        .order_by("hour")
    )
    return [HourOfCalls(*row) for row in await connection.execute(query)]


async def remaining_budget(connection: AsyncConnection, scope: Scope) -> Decimal:
    """Budgets of the scope's campaigns that have one, less all that their calls ever cost."""
    with_budget = (*_campaigns_of(scope), campaigns.c.budget.is_not(None))
    budgets = select(func.coalesce(func.sum(campaigns.c.budget), literal(Decimal(0)))).where(*with_budget)
    spent = select(func.coalesce(func.sum(calls.c.cost), literal(Decimal(0)))).where(
        calls.c.campaign_id.in_(select(campaigns.c.id).where(*with_budget))
    )
    query = select(budgets.scalar_subquery() - spent.scalar_subquery())
    return Decimal((await connection.execute(query)).scalar_one())


def _campaigns_of(scope: Scope) -> list[ColumnElement[bool]]:
    conditions = [campaigns.c.company_id == scope.company_id, campaigns.c.deleted == false()]
    if scope.status is not None:
        conditions.append(campaigns.c.status == scope.status)
    return conditions


def _in_campaigns(campaign_id: Column[int], scope: Scope) -> list[ColumnElement[bool]]:
    if scope.status is None:
        # Also what belongs to deleted campaigns, and to those whose own event has not arrived yet.
        return []
    ids: Select[tuple[int]] = select(campaigns.c.id).where(*_campaigns_of(scope))
    return [campaign_id.in_(ids)]


def _within(time: Column[datetime], period: Period) -> list[ColumnElement[bool]]:
    conditions = []
    if (start := period.start) is not None:
        conditions.append(time >= start)
    if (end := period.end) is not None:
        conditions.append(time < end)
    return conditions
