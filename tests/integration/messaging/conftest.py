"""A database with the messaging tables, and a virtual host, for each test alone."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import asyncpg
import pytest

from services.campaign_svc.app import MIGRATIONS
from shared.database.engine import Database
from shared.database.migrations import upgrade
from tests.fixtures.servers import ServerUrls
from tests.integration.messaging.broker import Broker, broker_at


@pytest.fixture(scope="session")
async def messaging_template(servers: ServerUrls) -> AsyncIterator[str]:
    """URL of a database to copy: as a service's migrations make it, and a table ``effects`` for what handlers do."""
    url = await servers.create_database("messaging_template")
    await asyncio.to_thread(upgrade, MIGRATIONS, url)
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE TABLE effects (company_id bigint NOT NULL)")
    await connection.close()
    yield url
    await servers.drop_database(url)


@pytest.fixture
async def database_url(servers: ServerUrls, messaging_template: str) -> AsyncIterator[str]:
    """An empty outbox, inbox and ``effects``."""
    template = urlsplit(messaging_template)
    name = f"messaging_{secrets.token_hex(4)}"
    connection = await asyncpg.connect(servers.postgres)
    await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template.path[1:]}"')
    await connection.close()
    url = template._replace(path=f"/{name}").geturl()
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
