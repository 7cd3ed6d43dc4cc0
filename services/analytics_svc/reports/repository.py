"""The queries of the reports: sums from the roll-ups, and the current state of campaigns and members."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final
from uuid import UUID

from services.analytics_svc.reports.scope import Scope
from services.analytics_svc.reports.sums import Sums
from services.analytics_svc.rollups import sum_sql
from services.analytics_svc.rollups.measures import Measure
from services.analytics_svc.rollups.rollup_tables import ISSUES, Rollup
from services.analytics_svc.rollups.sum_sql import Bucket, Statement, SumQuery
from shared.database.engine import Driver
from shared.database.queries import load_queries
from shared.ids import CampaignId, CompanyId, MemberId

_QUERIES: Final = load_queries(__file__, "queries.sql")


@dataclass(frozen=True, slots=True)
class CampaignRow:
    """A campaign in its current state."""

    id: CampaignId
    company_id: CompanyId
    name: str
    status: str
    priority: str
    budget: Decimal | None
    cost_per_call: Decimal | None
    deleted: bool
    team_members: list[MemberId]


@dataclass(frozen=True, slots=True)
class IssueCount:
    """A kind of issue, and the number of calls that report it."""

    issue: str
    calls: int


@dataclass(frozen=True, slots=True)
class WordCount:
    """A word, and the number of calls in which it occurs."""

    word: str
    calls: int


async def total(driver: Driver, rollup: Rollup, scope: Scope, measures: Sequence[Measure]) -> Sums:
    """Return the sums over the whole scope; 0 where there are no facts."""
    [row] = await _fetch(driver, sum_sql.total(SumQuery(rollup, measures, scope.selection)))
    return row


async def by_dimension(
    driver: Driver, rollup: Rollup, scope: Scope, measures: Sequence[Measure], dimension: str
) -> Sequence[Sums]:
    """Return the sums by one dimension, in its order, without those whose first measure is 0."""
    return await by_dimensions(driver, rollup, scope, measures, [dimension])


async def by_dimensions(
    driver: Driver, rollup: Rollup, scope: Scope, measures: Sequence[Measure], dimensions: Sequence[str]
) -> Sequence[Sums]:
    """Return the sums by several dimensions, in their order, without those whose first measure is 0."""
    query = SumQuery(rollup, measures, scope.selection, dimensions)
    return await _fetch(driver, sum_sql.by_dimensions(query))


async def by_time(
    driver: Driver, rollup: Rollup, scope: Scope, measures: Sequence[Measure], bucket: Bucket
) -> Sequence[Sums]:
    """Return the sums by days, hours or hours of the day of the period's time zone, oldest first.

    The column ``bucket`` is the time. Rows whose first measure is 0 are left out.
    """
    query = SumQuery(rollup, measures, scope.selection)
    return await _fetch(driver, sum_sql.by_time(query, bucket, scope.period.time_zone))


async def campaigns(driver: Driver, scope: Scope) -> list[CampaignRow]:
    """Return the scope's campaigns, deleted ones too, in the order of ids; the period has no effect."""
    rows = await driver.fetch(_QUERIES.campaigns, scope.company_id, scope.campaign_ids)
    return [CampaignRow(*row) for row in rows]


async def campaign(driver: Driver, campaign_id: CampaignId) -> CampaignRow | None:
    """Return a campaign, deleted or not; None if no event of it has arrived."""
    row = await driver.fetchrow(_QUERIES.campaign, campaign_id)
    return None if row is None else CampaignRow(*row)


async def member_names(driver: Driver, company_id: CompanyId) -> dict[MemberId, str]:
    """Return the names of a company's members by id."""
    return dict(await driver.fetch(_QUERIES.member_names, company_id))


async def issues_by_campaign(driver: Driver, scope: Scope) -> dict[CampaignId, list[IssueCount]]:
    """Return the issues that a campaign's calls report, by campaign, the most frequent first, then by name."""
    found = await by_dimensions(driver, ISSUES, scope, ISSUES.finest.measures, ["campaign_id", "issue"])
    issues: dict[CampaignId, list[IssueCount]] = {}
    for row in sorted(found, key=lambda row: (-row["calls"], row["issue"])):
        issues.setdefault(row["campaign_id"], []).append(IssueCount(row["issue"], row["calls"]))
    return issues


async def common_words(driver: Driver, campaign_id: CampaignId, limit: int) -> list[WordCount]:
    """Return the words that occur in the most calls of a campaign, then by the alphabet."""
    return [WordCount(*row) for row in await driver.fetch(_QUERIES.common_words, campaign_id, limit)]


async def ledger_mark(driver: Driver, company_id: CompanyId) -> UUID | None:
    """Return the mark of a company's facts, which every change of them replaces; None if it has no facts."""
    mark: UUID | None = await driver.fetchval(_QUERIES.ledger_mark, company_id)
    return mark


async def _fetch(driver: Driver, statement: Statement) -> Sequence[Sums]:
    rows: Sequence[Sums] = await driver.fetch(statement.sql, *statement.parameters)
    return rows
