"""Migrations create the tables that the code declares, and can be undone."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from services.webhook_svc.app import MIGRATIONS
from services.webhook_svc.tables import metadata
from shared.database.migrations import alembic_config, upgrade
from tests.fixtures.servers import ServerUrls

SCHEMA = """
SELECT format('column %s.%s %s null=%s default=%s identity=%s storage=%s', c.relname, a.attname,
              format_type(a.atttypid, a.atttypmod), NOT a.attnotnull, pg_get_expr(d.adbin, d.adrelid),
              a.attidentity, a.attstorage)
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
UNION ALL SELECT format('constraint %s %s', conname, pg_get_constraintdef(oid)) FROM pg_constraint
WHERE connamespace = 'public'::regnamespace
UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT format('type %s %s', t.typname, enumlabel) FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid
UNION ALL SELECT format('function %s %s', proname, regexp_replace(prosrc, '\\s+', ' ', 'g')) FROM pg_proc
WHERE pronamespace = 'public'::regnamespace
"""


@pytest.fixture
async def database_url(servers: ServerUrls) -> AsyncIterator[str]:
    """An empty database."""
    url = await servers.create_database("migrations")
    yield url
    await servers.drop_database(url)


async def _schema(url: str) -> set[str]:
    connection = await asyncpg.connect(url)
    try:
        found = {row[0] for row in await connection.fetch(SCHEMA)}
    finally:
        await connection.close()
    return {line for line in found if "alembic_version" not in line}


def _engine_url(url: str) -> str:
    return url.replace("postgresql://", "postgresql+asyncpg://", 1)


async def test_the_migrated_schema_is_the_declared_one(database_url: str, servers: ServerUrls) -> None:
    await asyncio.to_thread(upgrade, MIGRATIONS, database_url)
    declared_url = await servers.create_database("declared")
    engine = create_async_engine(_engine_url(declared_url), poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    try:
        assert await _schema(database_url) == await _schema(declared_url)
    finally:
        await servers.drop_database(declared_url)


async def test_event_bodies_are_compressed_with_lz4(database_url: str) -> None:
    """The declared tables cannot express it, so the comparison above leaves it out."""
    await asyncio.to_thread(upgrade, MIGRATIONS, database_url)
    connection = await asyncpg.connect(database_url)
    try:
        columns = await connection.fetch(
            "SELECT attrelid::regclass::text, attname FROM pg_attribute WHERE attcompression = 'l'"
        )
    finally:
        await connection.close()
    assert [tuple(column) for column in columns] == [("events", "body")]


async def test_alembic_finds_no_difference(database_url: str) -> None:
    await asyncio.to_thread(upgrade, MIGRATIONS, database_url)

    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        return list(compare_metadata(context, metadata))

    engine = create_async_engine(_engine_url(database_url), poolclass=NullPool)
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_down_and_up_again_leads_to_the_same_schema(database_url: str) -> None:
    await asyncio.to_thread(upgrade, MIGRATIONS, database_url)
    before = await _schema(database_url)
    assert before
    await asyncio.to_thread(command.downgrade, alembic_config(MIGRATIONS, database_url), "base")
    assert await _schema(database_url) == set()
    await asyncio.to_thread(upgrade, MIGRATIONS, database_url)
    assert await _schema(database_url) == before
