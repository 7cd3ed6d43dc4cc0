"""The definitions of reported figures are edited in place: ``migrate`` applies them, caches and roll-ups follow."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from services.analytics_svc.app import MIGRATIONS
from services.analytics_svc.facts.metric_definitions import FACT_VIEWS
from services.analytics_svc.projection import clear, project
from services.analytics_svc.reports.cache import DEFINITIONS, ReportCache
from services.analytics_svc.rollups.version_check import RollupVersionCheck
from services.analytics_svc.versions import FORMULAS_VERSION, ROLLUPS_VERSION
from shared.database.availability import is_unavailable
from shared.database.engine import Database
from shared.database.migrations import upgrade
from shared.database.repeatable import RepeatableMigration
from shared.events.leads import LeadCallAttempted, LeadCreated
from tests.fixtures.analytics import rows
from tests.fixtures.events import call, lead, received
from tests.fixtures.servers import ServerUrls
from tests.fixtures.waiting import eventually

VIEWS = "SELECT viewname, definition FROM pg_views WHERE schemaname = 'public' ORDER BY 1"
APPLIED = "SELECT name, checksum, applied_at FROM repeatable_migrations"


@pytest.fixture
async def url(servers: ServerUrls) -> AsyncIterator[str]:
    """A migrated database of one test."""
    url = await servers.create_database("analytics_definitions")
    await asyncio.to_thread(upgrade, MIGRATIONS, url)
    yield url
    await servers.drop_database(url)


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    """The pool of a consumer."""
    database = Database(url, name="analytics-events")
    yield database
    await database.close()


async def apply(url: str, migration: RepeatableMigration) -> bool:
    engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://", 1), poolclass=NullPool)

    def run(connection: Connection) -> bool:
        return migration.apply(connection)

    async with engine.begin() as connection:
        return await connection.run_sync(run)


def changed(old: str, new: str) -> RepeatableMigration:
    statements = tuple(statement.replace(old, new) for statement in FACT_VIEWS.statements)
    assert statements != FACT_VIEWS.statements
    return replace(FACT_VIEWS, statements=statements)


async def contacted_and_qualified(url: str) -> list[tuple[bool, bool]]:
    return [tuple(row) for row in await rows(url, "SELECT contacted, qualified FROM lead_facts ORDER BY id")]


async def project_lead(database: Database, lead_id: int, score: int) -> None:
    async with database.transaction() as connection:
        created = LeadCreated(leads=[lead(lead_id, lead_score=score)])
        await project(connection, received(created, LeadCallAttempted(call_attempts=[call(lead_id, lead_id=lead_id)])))


async def test_an_unchanged_file_is_applied_once(url: str) -> None:
    [before] = await rows(url, APPLIED)

    await asyncio.to_thread(upgrade, MIGRATIONS, url)

    assert await rows(url, APPLIED) == [before]
    assert before["checksum"] == FACT_VIEWS.checksum


async def test_comments_and_spacing_are_no_change(url: str) -> None:
    statements = tuple(f"-- a remark\n  {statement.replace(' ', '  ')}" for statement in FACT_VIEWS.statements)

    assert not await apply(url, replace(FACT_VIEWS, statements=statements))


async def test_a_changed_definition_applies_from_the_next_migrate_on(url: str, database: Database) -> None:
    await project_lead(database, 1, score=55)
    assert await contacted_and_qualified(url) == [(True, False)]

    assert await apply(url, changed("lead_score >= 60", "lead_score >= 50"))

    assert await contacted_and_qualified(url) == [(True, True)]


async def test_a_definition_that_fails_leaves_the_former_ones(url: str) -> None:
    before = await rows(url, VIEWS)

    with pytest.raises(Exception, match="no_such_column"):
        await apply(url, changed("lead_score >= 60", "no_such_column >= 50"))

    assert await rows(url, VIEWS) == before
    assert [row["checksum"] for row in await rows(url, APPLIED)] == [FACT_VIEWS.checksum]


async def test_a_consumer_goes_on_under_views_with_other_columns(url: str, database: Database) -> None:
    """Fails when `metric_definitions.sql` leaves sessions connected whose temporary tables have the former columns."""
    await project_lead(database, 1, score=70)

    await apply(url, changed("converted, contacted, qualified,", "converted, contacted, qualified, 1 AS one_more,"))

    async def projected() -> bool:
        try:
            await project_lead(database, 2, score=70)
        except Exception as error:
            if not is_unavailable(error):
                raise
            return False  # the consumer waits and takes its batch again
        return True

    await eventually(projected)
    sums = await rows(url, "SELECT sum(leads) AS leads, sum(qualified) AS qualified FROM leads_by_agent_and_day")
    assert [tuple(row) for row in sums] == [(2, 2)]


@pytest.mark.parametrize("part", ["views", "rollups", "formulas"])
async def test_no_report_is_answered_from_the_cache_of_other_definitions(servers: ServerUrls, part: str) -> None:
    """Fails when the key of a cached response leaves out what decides its figures."""
    views, rollups, formulas = FACT_VIEWS.checksum[:16], ROLLUPS_VERSION, FORMULAS_VERSION
    assert f"{views}.{rollups}.{formulas}" == DEFINITIONS
    other = {
        "views": f"{changed('>= 60', '>= 61').checksum[:16]}.{rollups}.{formulas}",
        "rollups": f"{views}.{rollups + 1}.{formulas}",
        "formulas": f"{views}.{rollups}.{formulas + 1}",
    }[part]
    before, after = ReportCache(servers.redis), ReportCache(servers.redis, definitions=other)
    [mark] = [row[0] for row in await rows(servers.postgres, "SELECT gen_random_uuid()")]

    await before.put(before.key(1, mark, "statistics"), b"old figures")

    assert await before.get(before.key(1, mark, "statistics")) == b"old figures"
    assert await after.get(after.key(1, mark, "statistics")) is None
    await before.close()
    await after.close()


def outdated() -> float | None:
    return REGISTRY.get_sample_value("rollups_outdated")


async def test_outdated_rollups_are_reported_until_they_are_rebuilt(url: str, database: Database) -> None:
    check = asyncio.create_task(RollupVersionCheck(database, pause_seconds=0.02).run())

    async def is_outdated() -> bool:
        return outdated() == 1

    async def is_current() -> bool:
        return outdated() == 0

    try:
        await eventually(is_current)
        await rows(url, "UPDATE rollup_state SET version = 0")  # an earlier release stored them
        await project_lead(database, 1, score=70)
        await eventually(is_outdated)
        async with database.transaction() as connection:
            await clear(connection)  # as a rebuild begins
            await project(connection, received(LeadCreated(leads=[lead(1)])))
        await eventually(is_current)
    finally:
        check.cancel()


async def test_an_empty_database_is_never_outdated(url: str, database: Database) -> None:
    await rows(url, "UPDATE rollup_state SET version = 0")
    check = RollupVersionCheck(database)
    check.ready = False
    task = asyncio.create_task(check.run())

    async def is_checked() -> bool:
        return check.ready

    await eventually(is_checked)
    assert outdated() == 0
    task.cancel()
