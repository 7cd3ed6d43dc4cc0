"""Fixtures of the fault tests: a stack whose processes can be killed, and hands on its database and broker."""

from collections.abc import AsyncIterator, Iterator

import aio_pika
import asyncpg
import pytest
from aio_pika.abc import AbstractChannel

from deploy.local.stack import Stack
from tests.fixtures.servers import RemoteStack


@pytest.fixture(scope="session")
def local_stack(stack: Stack | RemoteStack) -> Stack:
    """The stack, on this machine: these tests kill its processes and servers."""
    assert isinstance(stack, Stack), (
        "fault tests need a stack of their own: unset E2E_GATEWAY_URL, or leave out tests/faults"
    )
    return stack


@pytest.fixture(autouse=True)
def all_well_afterwards(local_stack: Stack) -> Iterator[None]:
    """Whatever a test stopped or killed runs again when it is over, so that the next one starts from health."""
    yield
    for server in local_stack.servers.children:
        server.start()
    for spec in local_stack.product.processes:
        local_stack.start_process(spec.name)


@pytest.fixture
async def leads_database(local_stack: Stack) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """A connection to the lead service's database."""
    connection = await asyncpg.connect(local_stack.servers.postgres.database_url("leads"))
    try:
        yield connection
    finally:
        connection.terminate()


@pytest.fixture
async def broker(local_stack: Stack) -> AsyncIterator[AbstractChannel]:
    """A channel to the broker."""
    connection = await aio_pika.connect(local_stack.servers.rabbitmq.url)
    async with connection:
        yield await connection.channel()
