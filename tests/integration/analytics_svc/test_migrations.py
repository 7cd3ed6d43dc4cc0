"""Migrations: they create the tables that the code declares and the views of facts, and can be undone."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from services.analytics_svc.app import MIGRATIONS
from services.analytics_svc.tables import metadata
from shared.database.migrations import alembic_config, upgrade
from tests.fixtures.analytics import rows
from tests.fixtures.servers import ServerUrls

COLUMNS = """
SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns
WHERE table_schema = 'public' AND table_name NOT IN ('alembic_version', 'call_facts', 'lead_facts')
ORDER BY table_name, ordinal_position
"""
INDEXES = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'alembic_version' ORDER BY 1"

VIEWS = "SELECT viewname, definition FROM pg_views WHERE schemaname = 'public' ORDER BY 1"
FUNCTIONS = """
SELECT proname, pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prokind = 'f'
ORDER BY 1
"""


@pytest.fixture
async def database_url(servers: ServerUrls) -> AsyncIterator[str]:
    """An empty database."""
    url = await servers.create_database("analytics_migrations")
    yield url
    await servers.drop_database(url)


async def schema(url: str) -> list[tuple[object, ...]]:
    return [tuple(row) for query in (COLUMNS, INDEXES) for row in await rows(url, query)]


async def definitions(url: str) -> list[tuple[object, ...]]:
    return [tuple(row) for query in (VIEWS, FUNCTIONS) for row in await rows(url, query)]


@pytest.mark.parametrize("made_by", ["migrations", "declaration"])
async def test_the_migrated_schema_is_the_declared_one(
    database_url: str, analytics_migrated: str, made_by: str
) -> None:
    engine = create_async_engine(database_url.replace("postgresql://", "postgresql+asyncpg://", 1), poolclass=NullPool)
    if made_by == "migrations":
        await asyncio.to_thread(upgrade, MIGRATIONS, database_url)
    else:
        async with engine.begin() as connection:
            await connection.run_sync(metadata.create_all)

    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        return [found for found in compare_metadata(context, metadata) if "alembic_version" not in repr(found)]

    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    assert await schema(database_url) == await schema(analytics_migrated)


async def test_an_upgraded_database_has_the_schema_and_the_views_of_a_fresh_one(
    database_url: str, analytics_migrated: str
) -> None:
    """Fails when `migrate` leaves the views or functions of an earlier release."""
    await asyncio.to_thread(command.upgrade, alembic_config(MIGRATIONS, database_url), "0002")

    await asyncio.to_thread(upgrade, MIGRATIONS, database_url)

    assert await schema(database_url) == await schema(analytics_migrated)
    assert await definitions(database_url) == await definitions(analytics_migrated)


async def test_down_and_up_again_leads_to_the_same_schema(database_url: str) -> None:
    await asyncio.to_thread(upgrade, MIGRATIONS, database_url)
    before = await schema(database_url)
    await asyncio.to_thread(command.downgrade, alembic_config(MIGRATIONS, database_url), "base")
    assert await schema(database_url) == []
    await asyncio.to_thread(upgrade, MIGRATIONS, database_url)
    assert await schema(database_url) == before
