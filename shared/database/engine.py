"""The service's database, and the three ways to it (decision 16).

========================  ==========================================================================================
way                       for
========================  ==========================================================================================
``transaction()``         Everything that writes. Application code takes its connection and never commits: the opener
                          (a request's dependency, a message's consumer) commits once, at the edge.
``snapshot()``            Reads of several statements that must see the same state.
``reader()``              Reads of a single statement, on the hot paths: one round trip instead of three.
========================  ==========================================================================================
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Final, TypeAlias

import asyncpg
import orjson
from sqlalchemy import event, text
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

LOCK_SECONDS = 10.0
"""Limit for one wait for a lock."""

LOST_CLIENTS: Final = {
    # A client that vanished must not retain its locks for the hours that TCP would allow.
    "client_connection_check_interval": "5000",
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
}
"""Settings of a connection by which the server notices that its client is gone."""

Driver: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
"""The driver's connection, for bulk and hot statements: COPY, cursors, statements at a fraction of the cost."""


def _to_json(value: object) -> str:
    return orjson.dumps(value).decode()


class Database:
    """A pool of connections to one PostgreSQL database; nothing is connected before the first use.

    Parameters
    ----------
    url
        ``postgresql://user:password@host:port/database``.
    name
        The application's name in ``pg_stat_activity``.
    pool_size
        Maximum number of connections at once, for transactions and for readers each; a request that finds none waits
        ``pool_timeout`` seconds and fails.
    statement_seconds
        Limit for one statement, 0 for none: a lost lock or a bad plan must not block a request for ever.
    """

    def __init__(
        self, url: str, *, name: str, pool_size: int = 10, pool_timeout: float = 10, statement_seconds: int = 30
    ) -> None:
        connecting = {
            "timeout": 5,
            "server_settings": {
                "application_name": name,
                "timezone": "UTC",
                "jit": "off",
                "statement_timeout": str(statement_seconds * 1000),
                # Sooner than the limit for a statement: a lock that is not released means "retry later", not a failure.
                "lock_timeout": str(round(LOCK_SECONDS * 1000)),
                "idle_in_transaction_session_timeout": "600000",
                **LOST_CLIENTS,
            },
        }
        self._engine = create_async_engine(
            url.replace("postgresql://", "postgresql+asyncpg://", 1),
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=pool_timeout,
            json_serializer=_to_json,
            json_deserializer=orjson.loads,
            # Errors are logged, and parameters are names and phone numbers.
            hide_parameters=True,
            connect_args=connecting,
        )
        event.listen(self._engine.sync_engine, "checkout", _discard_when_closed)
        self._pool_timeout = pool_timeout
        self._make_readers = partial(
            asyncpg.create_pool, url, min_size=0, max_size=pool_size, reset=_skip_reset, **connecting
        )
        self._readers: asyncpg.Pool[asyncpg.Record] | None = None

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """Provide a connection in a transaction: committed when the block ends, rolled back when it raises."""
        async with self._engine.begin() as connection:
            yield connection

    @asynccontextmanager
    async def reader(self) -> AsyncIterator[Driver]:
        """Provide the driver's connection outside of any transaction, for a single statement that only reads.

        Without BEGIN and COMMIT a statement is one round trip instead of three, and what SQLAlchemy adds to a statement
        costs more than most of these statements do. The connections are a pool of their own, of the driver's. Two
        statements on it may see different states: use ``snapshot`` where they must agree.
        """
        if self._readers is None:
            self._readers = self._make_readers()
        await self._readers  # initializes the pool the first time, and connects nothing
        # Not the pool's own timeout, which costs a task for each acquire.
        async with asyncio.timeout(self._pool_timeout):
            connection = await self._readers.acquire()
        try:
            yield connection
        finally:
            await self._readers.release(connection)

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[AsyncConnection]:
        """Provide a connection in a read-only transaction whose statements all see the same state."""
        async with self._engine.connect() as plain:
            connection = await plain.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            async with connection.begin():
                yield connection

    async def check(self) -> None:
        """Raise unless the database answers."""
        async with self._engine.connect() as connection:
            await connection.execute(text("SELECT 1"))

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()
        if self._readers is not None:
            await self._readers.close()


async def _skip_reset(_connection: Driver) -> None:
    """Replace the statement that resets a connection: a single SELECT leaves nothing to reset."""


def _discard_when_closed(driver: Any, _entry: ConnectionPoolEntry, _proxy: PoolProxiedConnection) -> None:  # noqa: ANN401
    # asyncpg knows at once that the server closed a connection; the check is free, a ping is a round trip a request.
    if driver.driver_connection.is_closed():
        raise DisconnectionError("the server closed this connection")


async def driver_connection(connection: AsyncConnection) -> Driver:
    """Return the asyncpg connection of a SQLAlchemy connection, in the same transaction, for bulk and hot statements.

    SQLAlchemy begins lazily, so this executes a statement when none was executed yet: whatever the driver executes
    afterwards is part of the transaction.
    """
    raw = await connection.get_raw_connection()
    driver: Driver = raw.driver_connection
    if not driver.is_in_transaction():
        await connection.execute(text("SELECT 1"))
    return driver
