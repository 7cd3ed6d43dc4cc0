"""The service's database: a pool of connections, used one transaction at a time.

Application code takes a connection and never commits: whoever opened the transaction (a request's dependency, a
message's consumer) commits it once, at the edge.
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
    # A client that vanished must not hold its locks for the hours that TCP would let it.
    "client_connection_check_interval": "5000",
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
}
"""Settings of a connection by which the server notices that nobody is there any more."""

Driver: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
"""The driver's own connection, for what only it can do, or does at a fraction of the cost."""


def _to_json(value: object) -> str:
    return orjson.dumps(value).decode()


class Database:
    """A pool of connections to one PostgreSQL database; nothing is connected before the first use.

    Parameters
    ----------
    url
        ``postgresql://user:password@host:port/database``.
    name
        Shown in ``pg_stat_activity`` as the application's name.
    pool_size
        Most connections held at once, for transactions and for readers each; a request that finds none waits
        ``pool_timeout`` seconds and fails.
    statement_seconds
        Limit for one statement, 0 for none: a lost lock or a bad plan must not hold a request for ever.
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
                # Sooner than the statement's own limit: waiting for a lock is "come again", not a failure.
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
            asyncpg.create_pool, url, min_size=0, max_size=pool_size, reset=_leave_as_it_is, **connecting
        )
        self._readers: asyncpg.Pool[asyncpg.Record] | None = None

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """A connection in a transaction: committed when the block ends, rolled back when it raises."""
        async with self._engine.begin() as connection:
            yield connection

    @asynccontextmanager
    async def reader(self) -> AsyncIterator[Driver]:
        """The driver's connection outside any transaction, for single statements that only read.

        They have a pool of their own, of the driver's: without BEGIN and COMMIT a statement is one round trip and not
        three, and what SQLAlchemy adds to one costs more than most of them do.
        """
        if self._readers is None:
            self._readers = self._make_readers()
        await self._readers  # opens nothing; of no effect but the first time
        # Not the pool's own timeout, which costs a task for each time.
        async with asyncio.timeout(self._pool_timeout):
            connection = await self._readers.acquire()
        try:
            yield connection
        finally:
            await self._readers.release(connection)

    async def fetch(self, query: str, *parameters: object) -> "list[asyncpg.Record]":
        """Read the rows of one statement, outside of any transaction.

        This is the way of hot reads that need a single statement: one round trip. A transaction has three (BEGIN, the
        statement, COMMIT), and what SQLAlchemy adds to a statement costs more than most of these statements do. The
        connections are a pool of their own, of the driver's. Whatever needs two statements that agree takes
        ``snapshot``, and whatever writes takes ``transaction``.

        Parameters
        ----------
        query
            One SELECT, with ``$1`` for its first parameter; from a SQL file (``load_queries``).
        """
        async with self.reader() as driver:
            rows: list[asyncpg.Record] = await driver.fetch(query, *parameters)
            return rows

    async def fetch_row(self, query: str, *parameters: object) -> "asyncpg.Record | None":
        """Read the first row of one statement, as ``fetch``; None when it has no rows."""
        async with self.reader() as driver:
            row: asyncpg.Record | None = await driver.fetchrow(query, *parameters)
            return row

    async def fetch_value(self, query: str, *parameters: object) -> Any:  # noqa: ANN401 - of the column's type
        """Read the first column of the first row of one statement, as ``fetch``; None when it has no rows."""
        async with self.reader() as driver:
            return await driver.fetchval(query, *parameters)

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[AsyncConnection]:
        """A connection in a read-only transaction whose statements all see the same state."""
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


async def _leave_as_it_is(_connection: Driver) -> None:
    """Instead of the statement that would reset a connection: a single SELECT leaves nothing to reset."""


def _discard_when_closed(driver: Any, _entry: ConnectionPoolEntry, _proxy: PoolProxiedConnection) -> None:  # noqa: ANN401
    # asyncpg knows at once when the server hung up; asking it costs nothing, a ping costs a round trip a request.
    if driver.driver_connection.is_closed():
        raise DisconnectionError("the server closed this connection")


async def driver_connection(connection: AsyncConnection) -> Driver:
    """The asyncpg connection below, inside the same transaction, for what only the driver can do (COPY, cursors).

    SQLAlchemy begins lazily, so this runs a statement when none has run yet: whatever the driver does afterwards
    is part of the transaction.
    """
    raw = await connection.get_raw_connection()
    driver: Driver = raw.driver_connection
    if not driver.is_in_transaction():
        await connection.execute(text("SELECT 1"))
    return driver
