"""Queries of the lists of a company's campaigns."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.campaign_svc.campaign_lists.filters import CampaignFilters, PageRequest
from services.campaign_svc.campaign_lists.list_sql import count_sql, list_sql, progress_sql
from shared.database.engine import Driver
from shared.database.queries import load_queries
from shared.events.campaigns import CampaignPriority, CampaignStatus
from shared.ids import CampaignId

_queries: Final = load_queries(__file__, "queries.sql")


@dataclass(frozen=True, slots=True)
class CampaignProgress:
    """A campaign with its limit of calls and the totals of its leads and calls."""

    id: CampaignId
    name: str
    status: CampaignStatus
    priority: CampaignPriority
    calls_per_day: int
    time_zone: str
    leads: int
    calls: int
    successful_calls: int


async def list_json(driver: Driver, filters: CampaignFilters, page: PageRequest) -> tuple[int, bytes]:
    """Return the number of campaigns on all pages, and those of one page as the inside of a JSON array."""
    query, parameters = list_sql(filters, page)
    if not filters.search_words:
        row = await driver.fetchrow(query, *parameters)
    else:
        # A generic plan would read every company's campaigns for a search: each search is planned for its words.
        async with driver.transaction(readonly=True):
            await driver.execute("SET LOCAL plan_cache_mode = force_custom_plan")
            row = await driver.fetchrow(query, *parameters)
    return row["total"], (row["campaigns"] or "").encode()


async def count(driver: Driver, filters: CampaignFilters) -> int:
    """Return the number of campaigns on all pages."""
    query, parameters = count_sql(filters)
    total: int = await driver.fetchval(query, *parameters)
    return total


async def page_with_totals(driver: Driver, filters: CampaignFilters, page: PageRequest) -> list[CampaignProgress]:
    """Return the campaigns of one page with their totals."""
    query, parameters = progress_sql(filters, page)
    return [CampaignProgress(*row) for row in await driver.fetch(query, *parameters)]


async def calls_between(
    driver: Driver, periods: Mapping[CampaignId, tuple[datetime, datetime]]
) -> dict[CampaignId, int]:
    """Return how many calls of each campaign started in a period of its own.

    Parameters
    ----------
    periods
        By campaign: the first moment of the period and the first moment after it, each on a quarter of an hour.

    Returns
    -------
    The number of calls by campaign; campaigns without calls are left out.
    """
    starts = [start for start, _ in periods.values()]
    stops = [stop for _, stop in periods.values()]
    rows = await driver.fetch(_queries.calls_between, list(periods), starts, stops)
    return dict(rows)
