"""A database with the messaging tables, and a virtual host, for each test alone."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import MetaData, text
from sqlalchemy.ext.asyncio import create_async_engine

from shared.database.engine import Database
from shared.messaging.tables import MESSAGING_DDL, inbox_table, outbox_table
from tests.fixtures.servers import ServerUrls
from tests.integration.messaging.broker import Broker, broker_at


@pytest.fixture
async def database_url(servers: ServerUrls) -> AsyncIterator[str]:
    """An empty outbox and inbox, and a table ``effects`` for what handlers do."""
    url = await servers.create_database("messaging")
    metadata = MetaData()
    outbox_table(metadata)
    inbox_table(metadata)
    engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://", 1))
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
        for statement in (*MESSAGING_DDL, "CREATE TABLE effects (company_id bigint NOT NULL)"):
            await connection.execute(text(statement))
    await engine.dispose()
    yield url
    await servers.drop_database(url)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """The database, as a service uses it."""
    database = Database(database_url, name="messaging-test")
    yield database
    await database.close()


@pytest.fixture
async def broker(servers: ServerUrls) -> AsyncIterator[Broker]:
    """A virtual host with the product's exchanges."""
    url = await servers.create_vhost("messaging")
    async with broker_at(url) as broker:
        yield broker
    await servers.delete_vhost(url)
