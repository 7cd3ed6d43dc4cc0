"""Keeps the sums: what a batch of events changed is taken from the facts as they were and as they are.

Before the facts change, those that will are copied (``remember``). Afterwards each roll-up adds, in one statement, what
the facts are now and subtracts what they were (``fold``): a fact that is told twice, or changed back, adds nothing.
"""

from collections.abc import Collection
from typing import Final

from sqlalchemy import Table

from services.analytics_svc.rollups.definitions import DIMENSIONS, ROLLUPS, Grain, Rollup
from services.analytics_svc.versions import ROLLUPS_VERSION
from shared.database.engine import Driver

FACTS: Final = sorted({rollup.facts for rollup in ROLLUPS})


def tables() -> list[Table]:
    """Every table of sums."""
    return [grain.table for rollup in ROLLUPS for grain in rollup.grains]


async def prepare(driver: Driver) -> None:
    """Make room for the facts as they were; it is this session's own and is emptied when the transaction ends."""
    for facts in FACTS:
        await driver.execute(f"CREATE TEMP TABLE IF NOT EXISTS before_{facts} (LIKE {facts}) ON COMMIT DELETE ROWS")


async def remember(driver: Driver, facts: str, ids: Collection[int]) -> None:
    """Copy the facts with these ids as they are before they change."""
    if not ids:
        return
    await driver.execute(_REMEMBER[facts], sorted(ids))


async def fold(driver: Driver, facts: str, ids: Collection[int]) -> None:
    """Bring the sums over the facts with these ids from what was remembered to what they are now."""
    if not ids:
        return
    ordered = sorted(ids)
    for rollup in ROLLUPS:
        if rollup.facts == facts:
            await driver.execute(_FOLD[rollup], ordered)


async def clear(driver: Driver) -> None:
    """Delete every sum; other transactions go on reading them until this one ends."""
    for table in tables():
        await driver.execute(f"DELETE FROM {table.name}")


async def store_version(driver: Driver) -> None:
    """Record that the roll-ups are made by the current definitions, as they are after ``clear``."""
    await driver.execute("UPDATE rollup_state SET version = $1", ROLLUPS_VERSION)


async def are_outdated(driver: Driver) -> bool:
    """Return whether roll-ups were summed by other definitions than the current ones: a rebuild replaces them.

    Without any fact there is nothing that could be outdated.
    """
    outdated: bool = await driver.fetchval(
        """
        SELECT NOT EXISTS (SELECT FROM rollup_state WHERE version = $1)
            AND (EXISTS (SELECT FROM leads) OR EXISTS (SELECT FROM calls))
        """,
        ROLLUPS_VERSION,
    )
    return outdated


def _fold(rollup: Rollup) -> str:
    """The statement: what changed, summed by the finest grain, and from there added to every grain."""
    finest = rollup.finest
    dimensions = "".join(f", {DIMENSIONS[name]} AS {name}" for name in finest.dimensions)
    sums = ", ".join(f"CAST(sum(sign * ({m.of_fact})) AS {m.type}) AS {m.name}" for m in finest.measures)
    something = " OR ".join(f"{measure.name} <> 0" for measure in finest.measures)
    adding = ", ".join(f"to_{grain.table.name} AS ({_add(grain)})" for grain in rollup.grains)
    return f"""
        WITH changed AS (
            SELECT 1 AS sign, facts.* FROM unnest($1::bigint[]) AS told (id) JOIN {rollup.facts} AS facts USING (id)
            UNION ALL SELECT -1, * FROM before_{rollup.facts}
        ),
        sums AS (
            SELECT
                company_id,
                date_bin('15 minutes', {rollup.moment}, TIMESTAMPTZ '2000-01-01 00:00+00') AS at{dimensions},
                {sums}
            FROM {rollup.source} GROUP BY {_first(len(finest.keys))}
        ),
        additions AS MATERIALIZED (SELECT * FROM sums WHERE {something}),
        {adding}
        SELECT 1
    """


def _add(grain: Grain) -> str:
    at = "at" if grain.unit == "quarter" else "date_trunc('day', at, 'UTC')"
    names = [measure.name for measure in grain.measures]
    sums = [f"CAST(sum({measure.name}) AS {measure.type})" for measure in grain.measures]
    keys = _first(len(grain.keys))
    return f"""
        INSERT INTO {grain.table.name} AS kept ({", ".join([*grain.keys, *names])})
        SELECT {", ".join(["company_id", at, *grain.dimensions, *sums])} FROM additions GROUP BY {keys} ORDER BY {keys}
        ON CONFLICT ({", ".join(grain.keys)})
        DO UPDATE SET {", ".join(f"{name} = kept.{name} + excluded.{name}" for name in names)}
    """


def _first(count: int) -> str:
    """The first columns, by number."""
    return ", ".join(map(str, range(1, count + 1)))


_REMEMBER: Final = {
    facts: f"""
        INSERT INTO before_{facts}
        SELECT facts.* FROM unnest($1::bigint[]) AS told (id) JOIN {facts} AS facts USING (id)
    """
    for facts in FACTS
}
_FOLD: Final = {rollup: _fold(rollup) for rollup in ROLLUPS}
