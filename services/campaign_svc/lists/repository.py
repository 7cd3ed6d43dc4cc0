"""Queries for the lists of a company's campaigns. The SQL is put together as text: its shape follows the filters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Literal

import asyncpg

from services.campaign_svc.campaigns.fields import Priority
from services.campaign_svc.campaigns.repository import as_shown
from services.campaign_svc.tables import SEARCHED, campaigns
from shared.database.engine import Driver
from shared.events.campaigns import CampaignStatus

SortField = Literal["created_at", "name", "status", "priority"]
Order = Literal["asc", "desc"]

_SORT_COLUMNS: Final[dict[SortField, tuple[str, ...]]] = {
    "created_at": ("created_at", "id"),
    "name": ("name", "created_at", "id"),
    "status": ("status", "created_at", "id"),
    "priority": ("priority", "created_at", "id"),
}
"""What each order sorts by, as its index does: all one way, so that one index serves both directions."""

_BEFORE_TOTALS: Final = ("id", "name", "description", "status", "priority", "campaign_type", "calls_per_day")
_AFTER_TOTALS: Final = (
    *("calling_hours_start", "calling_hours_end", "time_zone", "working_days"),
    *("ai_voice_id", "ai_voice_language", "ai_voice_gender"),
    *("max_attempts_per_lead", "retry_delay_minutes", "call_duration_limit", "budget", "cost_per_call"),
    *("owner_id", "team_members", "tags", "start_date", "end_date", "created_at", "updated_at"),
)
"""What a list shows of a campaign, in the contract's order. Prompts and scripts are left to the campaign itself."""

# The page is cut before totals are looked up: as many look-ups as it has rows, however many campaigns there are.
_LIST: Final = f"""
SELECT ({{total}})::bigint AS total, (
    SELECT string_agg(row_to_json(shown)::text, ',')
    FROM (
        SELECT {as_shown(campaigns.c[name] for name in _BEFORE_TOTALS)},
            greatest(leads, 0) AS total_leads, coalesce(calls, 0) AS completed_calls,
            coalesce(successful_calls, 0) AS successful_calls, coalesce(calls - successful_calls, 0) AS failed_calls,
            {as_shown(campaigns.c[name] for name in _AFTER_TOTALS)}
        FROM ({{page}}) AS page LEFT JOIN campaign_totals ON campaign_id = id
        ORDER BY {{page_order}}
    ) AS shown
) AS campaigns
"""
_ACTIVE: Final = """
SELECT id, name, status, priority, calls_per_day, time_zone,
    greatest(leads, 0) AS leads, coalesce(calls, 0) AS calls, coalesce(successful_calls, 0) AS successful_calls
FROM ({page}) AS page LEFT JOIN campaign_totals ON campaign_id = id
ORDER BY {page_order}
"""
_CALLS_BETWEEN: Final = """
SELECT asked.campaign_id, sum(campaign_calls.calls)::bigint
FROM unnest($1::bigint[], $2::timestamptz[], $3::timestamptz[]) AS asked (campaign_id, start, stop)
JOIN campaign_calls ON campaign_calls.campaign_id = asked.campaign_id AND quarter >= start AND quarter < stop
GROUP BY asked.campaign_id
"""


@dataclass(frozen=True, slots=True)
class CompanyFilter:
    """Which of a company's campaigns; None narrows nothing."""

    company_id: int
    status: CampaignStatus | None = None
    priority: Priority | None = None
    is_active: bool | None = None
    starts_on_or_after: date | None = None
    """A day in UTC, as the other."""
    ends_on_or_before: date | None = None
    words: tuple[str, ...] = ()
    """Each stands in the name or the description, in any case."""


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list, and in which order."""

    sort: SortField
    order: Order
    limit: int
    offset: int

    def order_by(self, prefix: str = "") -> str:
        """The order as SQL."""
        return ", ".join(f"{prefix}{column} {self.order}" for column in _SORT_COLUMNS[self.sort])


class _Question:
    """A query's parameters, and the conditions that name them."""

    def __init__(self, narrowed: CompanyFilter) -> None:
        self.parameters: list[object] = []
        # Conditions that the counts kept by the database answer too, and those only the campaigns do.
        self.counted = [f"company_id = {self.add(narrowed.company_id)}"]
        self.uncounted: list[str] = []
        if narrowed.status is not None:
            self.counted.append(f"status = {self.add(narrowed.status)}")
        if narrowed.priority is not None:
            self.counted.append(f"priority = {self.add(narrowed.priority)}")
        if narrowed.is_active is not None:
            self.counted.append("status = 'active'" if narrowed.is_active else "status <> 'active'")
        if narrowed.starts_on_or_after is not None:
            self.uncounted.append(f"start_date >= {self.add(_midnight(narrowed.starts_on_or_after))}")
        if narrowed.ends_on_or_before is not None:
            self.uncounted.append(f"end_date < {self.add(_midnight(narrowed.ends_on_or_before + timedelta(days=1)))}")
        for word in narrowed.words:
            self.uncounted.append(f"{SEARCHED} ILIKE {self.add(f'%{_escaped(word)}%')}")
        self._conditions = " AND ".join((*self.counted, *self.uncounted, "deleted_at IS NULL"))

    def add(self, value: object) -> str:
        """Take a parameter; returns its place in the SQL."""
        self.parameters.append(value)
        return f"${len(self.parameters)}"

    def total(self) -> str:
        """How many campaigns there are, as SQL."""
        if self.uncounted:
            return f"SELECT count(*) FROM campaigns WHERE {self._conditions}"
        return f"SELECT coalesce(sum(campaigns), 0) FROM campaign_counts WHERE {' AND '.join(self.counted)}"

    def page(self, page: Page) -> str:
        """The campaigns of one page, as SQL."""
        return (
            f"SELECT * FROM campaigns WHERE {self._conditions} ORDER BY {page.order_by()}"
            f" LIMIT {self.add(page.limit)} OFFSET {self.add(page.offset)}"
        )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)


def _escaped(word: str) -> str:
    return word.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")


async def list_json(driver: Driver, narrowed: CompanyFilter, page: Page) -> tuple[int, bytes]:
    """How many campaigns there are, and those of one page as the inside of a JSON array.

    Both in one statement, so that they are of one moment.
    """
    question = _Question(narrowed)
    query = _LIST.format(total=question.total(), page=question.page(page), page_order=page.order_by("page."))
    if not narrowed.words:
        row = await driver.fetchrow(query, *question.parameters)
    else:
        # A plan for any word at all would look through every company's campaigns: each search is planned for its words.
        async with driver.transaction(readonly=True):
            await driver.execute("SET LOCAL plan_cache_mode = force_custom_plan")
            row = await driver.fetchrow(query, *question.parameters)
    return row["total"], (row["campaigns"] or "").encode()


async def count(driver: Driver, narrowed: CompanyFilter) -> int:
    """How many campaigns there are."""
    question = _Question(narrowed)
    total: int = await driver.fetchval(f"SELECT ({question.total()})::bigint", *question.parameters)
    return total


async def page_with_totals(driver: Driver, narrowed: CompanyFilter, page: Page) -> Sequence[asyncpg.Record]:
    """The campaigns of one page: what identifies them, what they may do a day, and what lead events say of them."""
    question = _Question(narrowed)
    query = _ACTIVE.format(page=question.page(page), page_order=page.order_by("page."))
    rows: Sequence[asyncpg.Record] = await driver.fetch(query, *question.parameters)
    return rows


async def calls_between(driver: Driver, periods: Mapping[int, tuple[datetime, datetime]]) -> dict[int, int]:
    """How many calls of each campaign started in a period of its own, from a moment until before another.

    Campaigns without calls are left out. Moments are on a quarter of an hour.
    """
    starts = [start for start, _ in periods.values()]
    stops = [stop for _, stop in periods.values()]
    rows = await driver.fetch(_CALLS_BETWEEN, list(periods), starts, stops)
    return {row[0]: row[1] for row in rows}
