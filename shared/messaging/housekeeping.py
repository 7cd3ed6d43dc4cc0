"""Housekeeping: deletes rows that are expired."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.database.engine import Database
from shared.messaging import inbox

HOUR = 3600.0

logger = structlog.get_logger(__name__)


DeleteExpired = Callable[[AsyncConnection], Awaitable[int]]
"""Deletes the rows of a table that are expired; returns their number."""


class Housekeeping:
    """A worker that deletes expired rows every hour: those of the inbox, and of other tables.

    Parameters
    ----------
    tables
        By name of another table: deletes its expired rows.
    """

    name = "housekeeping"

    def __init__(self, database: Database, **tables: DeleteExpired) -> None:
        self._database = database
        self._tables: dict[str, DeleteExpired] = {"inbox": inbox.delete_expired, **tables}
        self.ready = True

    async def run(self) -> None:
        """Delete expired rows until cancelled."""
        while True:
            for table, delete_expired in self._tables.items():
                async with self._database.transaction() as connection:
                    deleted = await delete_expired(connection)
                logger.info("expired_rows_deleted", table=table, rows=deleted)
            self.ready = True
            await asyncio.sleep(HOUR)
