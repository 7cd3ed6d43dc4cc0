"""The queries of the reports: sums, cut from the roll-ups, and what campaigns and people are now.

A period is cut into whole days of UTC, which come from a table of days, and what is left of it at either end, which
comes from quarters of an hour. Days and hours of another time zone are made of quarters.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, TypeAlias

import asyncpg

from services.analytics_svc.reports.scope import Scope
from services.analytics_svc.rollups.definitions import ISSUES, Grain, Rollup
from services.analytics_svc.rollups.measures import Measure
from shared.database.engine import Driver

Row: TypeAlias = asyncpg.Record
Bucket = Literal["day", "hour", "hour_of_day"]

_DAY = timedelta(days=1)


async def total(driver: Driver, rollup: Rollup, scope: Scope, measures: Sequence[Measure]) -> Row:
    """The sums over all of the scope; zeros of nothing."""
    parameters: list[object] = []
    query = f"SELECT {_sums(measures)} FROM ({_cells(rollup, scope, (), measures, parameters)}) AS cells"
    row = await driver.fetchrow(query, *parameters)
    assert row is not None  # noqa: S101 - an aggregate without GROUP BY has one row
    return row


async def by_dimension(
    driver: Driver, rollup: Rollup, scope: Scope, measures: Sequence[Measure], dimension: str
) -> Sequence[Row]:
    """The sums by one dimension, in its order, without those of nothing (of the first measure)."""
    return await by_dimensions(driver, rollup, scope, measures, [dimension])


async def by_dimensions(
    driver: Driver, rollup: Rollup, scope: Scope, measures: Sequence[Measure], dimensions: Sequence[str]
) -> Sequence[Row]:
    """The sums by several dimensions, in their order, without those of nothing (of the first measure)."""
    parameters: list[object] = []
    keys = ", ".join(dimensions)
    cells = _cells(rollup, scope, dimensions, measures, parameters)
    query = (
        f"SELECT {keys}, {_sums(measures)} FROM ({cells}) AS cells"
        f" GROUP BY {keys} HAVING sum({measures[0].name}) <> 0 ORDER BY {keys}"
    )
    rows: Sequence[Row] = await driver.fetch(query, *parameters)
    return rows


async def by_time(
    driver: Driver, rollup: Rollup, scope: Scope, measures: Sequence[Measure], bucket: Bucket
) -> Sequence[Row]:
    """The sums by the days, hours or hours of the day of the period's time zone, as ``bucket``, oldest first.

    Those of nothing (of the first measure) are left out.
    """
    parameters: list[object] = []
    period = scope.period
    if bucket == "day" and period.is_utc:
        cells = _cells(rollup, scope, (), measures, parameters, keep_time=True)
        key = "CAST(at AT TIME ZONE 'UTC' AS date)"
    else:
        cells = _part(rollup, "quarter", scope, (), measures, parameters, period.start, period.end, keep_time=True)
        parameters.append(period.time_zone)
        key = _BUCKETS[bucket].format(zone=f"${len(parameters)}")
    query = (
        f"SELECT {key} AS bucket, {_sums(measures)} FROM ({cells}) AS cells"
        f" GROUP BY bucket HAVING sum({measures[0].name}) <> 0 ORDER BY bucket"
    )
    rows: Sequence[Row] = await driver.fetch(query, *parameters)
    return rows


_BUCKETS = {
    "day": "CAST(at AT TIME ZONE {zone} AS date)",
    "hour": "date_trunc('hour', at, {zone})",
    "hour_of_day": "CAST(extract(hour FROM at AT TIME ZONE {zone}) AS int)",
}


def _sums(measures: Sequence[Measure]) -> str:
    return ", ".join(f"CAST(coalesce(sum({each.name}), 0) AS {each.type}) AS {each.name}" for each in measures)


def _cells(
    rollup: Rollup,
    scope: Scope,
    dimensions: Sequence[str],
    measures: Sequence[Measure],
    parameters: list[object],
    *,
    keep_time: bool = False,
) -> str:
    """Rows that together are the period: of whole days in UTC, and of quarters at either end of them."""
    start, end = scope.period.start, scope.period.end
    first_day, last_day = _next_midnight(start), _last_midnight(end)
    if first_day is not None and last_day is not None and first_day >= last_day:
        return _part(rollup, "quarter", scope, dimensions, measures, parameters, start, end, keep_time=keep_time)
    spans: list[tuple[Literal["day", "quarter"], datetime | None, datetime | None]] = [("day", first_day, last_day)]
    if start != first_day:
        spans.append(("quarter", start, first_day))
    if end != last_day:
        spans.append(("quarter", last_day, end))
    parts = [
        _part(rollup, unit, scope, dimensions, measures, parameters, begin, finish, keep_time=keep_time)
        for unit, begin, finish in spans
    ]
    return " UNION ALL ".join(parts)


def _part(
    rollup: Rollup,
    unit: Literal["day", "quarter"],
    scope: Scope,
    dimensions: Sequence[str],
    measures: Sequence[Measure],
    parameters: list[object],
    start: datetime | None,
    end: datetime | None,
    *,
    keep_time: bool,
) -> str:
    """Rows of one grain between two moments; what they are asked with goes to ``parameters``."""
    filtered = ["campaign_id"] if scope.campaign_ids is not None else []
    grain: Grain = rollup.grain([*dimensions, *filtered], [each.name for each in measures], unit)
    wanted: list[tuple[str, object]] = [("company_id = ${}", scope.company_id)]
    if scope.campaign_ids is not None:
        wanted.append(("campaign_id = ANY(${}::bigint[])", list(scope.campaign_ids)))
    if start is not None:
        wanted.append(("at >= ${}", start))
    if end is not None:
        wanted.append(("at < ${}", end))
    conditions = []
    for condition, value in wanted:
        parameters.append(value)
        conditions.append(condition.format(len(parameters)))
    columns = [*dimensions, *(["at"] if keep_time else []), *(each.name for each in measures)]
    return f"SELECT {', '.join(columns)} FROM {grain.table.name} WHERE {' AND '.join(conditions)}"


def _next_midnight(moment: datetime | None) -> datetime | None:
    midnight = _last_midnight(moment)
    return midnight if midnight == moment or midnight is None else midnight + _DAY


def _last_midnight(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


async def campaigns(driver: Driver, scope: Scope) -> Sequence[Row]:
    """The scope's campaigns as they are now, deleted ones too, in the order of ids; the period does not matter."""
    query = "SELECT * FROM campaigns WHERE company_id = $1 AND ($2::bigint[] IS NULL OR id = ANY($2)) ORDER BY id"
    rows: Sequence[Row] = await driver.fetch(query, scope.company_id, scope.campaign_ids)
    return rows


async def campaign(driver: Driver, campaign_id: int) -> Row | None:
    """A campaign as it is now, deleted or not; None while no event has told of it."""
    row: Row | None = await driver.fetchrow("SELECT * FROM campaigns WHERE id = $1", campaign_id)
    return row


async def member_names(driver: Driver, company_id: int) -> dict[int, str]:
    """The names of a company's people."""
    found = await driver.fetch("SELECT id, name FROM members WHERE company_id = $1 AND NOT deleted", company_id)
    return {row["id"]: row["name"] for row in found}


async def issues_by_campaign(driver: Driver, scope: Scope) -> dict[int, list[tuple[str, int]]]:
    """By campaign: the kinds of issues its calls reported and in how many calls, the most frequent first."""
    found = await by_dimensions(driver, ISSUES, scope, ISSUES.finest.measures, ["campaign_id", "issue"])
    issues: dict[int, list[tuple[str, int]]] = {}
    for row in sorted(found, key=lambda row: (-row["calls"], row["issue"])):
        issues.setdefault(row["campaign_id"], []).append((row["issue"], row["calls"]))
    return issues


async def common_words(driver: Driver, campaign_id: int, limit: int) -> Sequence[Row]:
    """The words that occur in the most calls of a campaign: ``word`` and ``calls``."""
    query = (
        'SELECT word, calls FROM campaign_words WHERE campaign_id = $1 ORDER BY calls DESC, word COLLATE "C" LIMIT $2'
    )
    rows: Sequence[Row] = await driver.fetch(query, campaign_id, limit)
    return rows


async def ledger_mark(driver: Driver, company_id: int) -> Any | None:  # noqa: ANN401 - the driver's own kind of UUID
    """What stands for the facts of a company as they are now; None while there are none."""
    return await driver.fetchval("SELECT mark FROM ledgers WHERE company_id = $1", company_id)
