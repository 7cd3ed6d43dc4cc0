"""The migrations of the ``leads`` database."""

import asyncio
from typing import Any

import asyncpg
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from services.lead_svc.app import MIGRATIONS
from services.lead_svc.tables import metadata
from shared.database.migrations import MIGRATION_LOCK, alembic_config, upgrade
from tests.fixtures.lead_service import LeadService
from tests.fixtures.servers import ServerUrls
from tests.fixtures.waiting import eventually

COLUMNS = """
SELECT table_name, column_name, data_type, is_nullable, column_default, is_identity, identity_generation,
    numeric_precision, numeric_scale
FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'alembic_version' ORDER BY 1, 2
"""
CONSTRAINTS = """
SELECT conrelid::regclass::text AS of_table, conname, pg_get_constraintdef(oid) AS definition FROM pg_constraint
WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text <> 'alembic_version' ORDER BY 1, 2
"""
INDEXES = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'alembic_version' ORDER BY 1"
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
LEFT_OVER = """
SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname !~ '^alembic_version'
UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
"""


async def declared(servers: ServerUrls) -> str:
    """URL of a database with the tables as they are declared."""
    url = await servers.create_database("declared")
    engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://", 1))
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    await engine.dispose()
    return url


async def found(database_url: str, query: str) -> list[tuple[Any, ...]]:
    connection = await asyncpg.connect(database_url)
    try:
        return [tuple(row) for row in await connection.fetch(query)]
    finally:
        await connection.close()


async def test_alembic_finds_no_difference_between_migrated_and_declared_tables(lead_service: LeadService) -> None:
    def differences(connection: Connection) -> list[Any]:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))

    engine = create_async_engine(lead_service.database_url.replace("postgresql://", "postgresql+asyncpg://", 1))
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()


async def test_the_catalogue_is_the_same_for_migrated_and_declared_tables(
    lead_service: LeadService, servers: ServerUrls
) -> None:
    declared_url = await declared(servers)

    for query in (COLUMNS, CONSTRAINTS, INDEXES):
        assert await found(lead_service.database_url, query) == await found(declared_url, query)
    await servers.drop_database(declared_url)


async def test_the_migrations_can_be_taken_back_and_run_again(lead_service: LeadService) -> None:
    config = alembic_config(MIGRATIONS, lead_service.database_url)
    migrated = await found(lead_service.database_url, COLUMNS)

    await asyncio.to_thread(command.downgrade, config, "base")
    assert await found(lead_service.database_url, LEFT_OVER) == []

    await asyncio.to_thread(command.upgrade, config, "head")
    assert await found(lead_service.database_url, COLUMNS) == migrated


async def test_campaigns_that_are_there_get_a_time_zone(lead_service: LeadService) -> None:
    config = alembic_config(MIGRATIONS, lead_service.database_url)
    await asyncio.to_thread(command.downgrade, config, "0003")
    await lead_service.knows_campaign(1, 7)

    await asyncio.to_thread(command.upgrade, config, "head")

    assert await lead_service.value("SELECT time_zone FROM campaigns") == "UTC"


async def test_of_two_migrations_at_once_the_second_waits(servers: ServerUrls) -> None:
    url = await servers.create_database("leads")
    first = await asyncpg.connect(url)
    await first.execute("SELECT pg_advisory_lock($1)", MIGRATION_LOCK)
    second = asyncio.create_task(asyncio.to_thread(upgrade, MIGRATIONS, url))

    async def waits() -> bool:
        return bool(await first.fetchval("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"))

    await eventually(waits)
    assert await found(url, TABLES) == []
    await first.close()
    await second
    assert ("leads",) in await found(url, TABLES)
    await servers.drop_database(url)
