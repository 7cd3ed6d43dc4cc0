"""The migrations create the tables that the code declares, and can be reverted."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import asyncpg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from services.campaign_svc.app import MIGRATIONS
from services.campaign_svc.tables import metadata
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
UNION ALL SELECT format('function %s %s', proname, regexp_replace(prosrc, '\\s+', ' ', 'g')) FROM pg_proc
WHERE pronamespace = 'public'::regnamespace
"""

MIGRATIONS_ONLY = ("CREATE TRIGGER ", "function ")
"""Beginnings of objects that SQLAlchemy tables cannot declare, so that only the migrations create them."""


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


async def test_the_migrated_schema_equals_the_declared_one(database_url: str, servers: ServerUrls) -> None:
    await asyncio.to_thread(upgrade, MIGRATIONS, database_url)
    declared_url = await servers.create_database("declared")
    engine = create_async_engine(_engine_url(declared_url), poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.execute(text("CREATE EXTENSION pg_trgm"))
        await connection.run_sync(metadata.create_all)
    try:
        migrated = {line for line in await _schema(database_url) if not line.startswith(MIGRATIONS_ONLY)}
        assert migrated == {line for line in await _schema(declared_url) if not line.startswith(MIGRATIONS_ONLY)}
    finally:
        await servers.drop_database(declared_url)


async def test_alembic_finds_no_difference(database_url: str) -> None:
    await asyncio.to_thread(upgrade, MIGRATIONS, database_url)

    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        return list(compare_metadata(context, metadata))

    engine = create_async_engine(_engine_url(database_url), poolclass=NullPool)
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_downgrade_and_upgrade_give_the_same_schema(database_url: str) -> None:
    await asyncio.to_thread(upgrade, MIGRATIONS, database_url)
    before = await _schema(database_url)
    assert before
    await asyncio.to_thread(command.downgrade, alembic_config(MIGRATIONS, database_url), "base")
    assert await _schema(database_url) == set()
    await asyncio.to_thread(upgrade, MIGRATIONS, database_url)
    assert await _schema(database_url) == before


STILL_STARTING = b"SFATAL\0VFATAL\0C57P03\0Mthe database system is starting up\0\0"


@asynccontextmanager
async def _starting_up(url: str, rejections: int) -> AsyncIterator[str]:
    """Run a proxy of the database that first answers so many connections that the server is starting."""
    address = urlsplit(url)
    remaining = rejections

    async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal remaining
        if remaining:
            remaining -= 1
            await reader.readexactly(8)  # the request for TLS
            writer.write(b"N")
            await reader.read(65536)
            writer.write(b"E" + (len(STILL_STARTING) + 4).to_bytes(4, "big") + STILL_STARTING)
            writer.close()
            return
        server_reader, server_writer = await asyncio.open_connection(address.hostname, address.port)
        await asyncio.gather(pipe(reader, server_writer), pipe(server_reader, writer))

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        yield address._replace(netloc=f"{address.username}:{address.password}@127.0.0.1:{port}").geturl()


async def test_migration_waits_for_a_database_that_is_starting(database_url: str) -> None:
    async with _starting_up(database_url, rejections=3) as url:
        await asyncio.to_thread(upgrade, MIGRATIONS, url)
    assert await _schema(database_url)


async def test_migration_does_not_wait_for_a_database_that_rejects_it(database_url: str) -> None:
    with pytest.raises(DBAPIError, match="does not exist"):
        await asyncio.to_thread(upgrade, MIGRATIONS, f"{database_url}_not")
