"""Maintains the roll-ups in the transaction that changes the facts.

Before facts change, ``copy_before`` copies the affected rows of the view. Afterwards ``add_differences`` adds to each
roll-up what the rows are now minus what they were. ``maintenance_sql.py`` shows the statements.
"""

from collections.abc import Collection
from typing import Final

from sqlalchemy import Table

from services.analytics_svc.rollups import maintenance_sql
from services.analytics_svc.rollups.rollup_tables import ROLLUPS
from services.analytics_svc.versions import ROLLUPS_VERSION
from shared.database.engine import Driver
from shared.database.queries import load_queries

_QUERIES: Final = load_queries(__file__, "queries.sql")


def tables() -> list[Table]:
    """Return every table of sums."""
    return [grain.table for rollup in ROLLUPS for grain in rollup.grains]


async def create_before_tables(driver: Driver) -> None:
    """Create the session's temporary tables ``before_<facts>``, unless it has them."""
    await driver.execute(maintenance_sql.CREATE_BEFORE_TABLES)


async def copy_before(driver: Driver, facts: str, ids: Collection[int]) -> None:
    """Copy the rows of a view with these ids into ``before_<facts>``, before they change."""
    if not ids:
        return
    await driver.execute(maintenance_sql.COPY_BEFORE[facts], sorted(ids))


async def add_differences(driver: Driver, facts: str, ids: Collection[int]) -> None:
    """Add to every roll-up of a view what its rows with these ids are now, minus the copied rows."""
    if not ids:
        return
    ordered = sorted(ids)
    for statement in maintenance_sql.ADD_DIFFERENCES[facts]:
        await driver.execute(statement, ordered)


async def clear(driver: Driver) -> None:
    """Delete every sum; other transactions read them until this one commits."""
    for table in tables():
        await driver.execute(f"DELETE FROM {table.name}")


async def store_version(driver: Driver) -> None:
    """Record that the roll-ups are summed by the current definitions, as they are after ``clear``."""
    await driver.execute(_QUERIES.store_version, ROLLUPS_VERSION)


async def are_outdated(driver: Driver) -> bool:
    """Return whether stored sums were made by the definitions of another version; a rebuild replaces them."""
    outdated: bool = await driver.fetchval(_QUERIES.are_outdated, ROLLUPS_VERSION)
    return outdated
