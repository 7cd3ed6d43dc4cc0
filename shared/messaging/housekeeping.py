"""Keeps tables small whose rows lose their meaning with time."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.database.engine import Database
from shared.messaging import inbox

HOUR = 3600.0

logger = structlog.get_logger(__name__)


Forget = Callable[[AsyncConnection], Awaitable[int]]
"""Deletes what is too old; returns how many rows."""


class Housekeeping:
    """Background work: forgets old inbox rows, hourly.

    Parameters
    ----------
    further
        What else to forget, by table.
    """

    name = "housekeeping"

    def __init__(self, database: Database, **further: Forget) -> None:
        self._database = database
        self._forgets: dict[str, Forget] = {"inbox": inbox.delete_expired, **further}
        self.ready = True

    async def run(self) -> None:
        """Tidy up until cancelled."""
        while True:
            for table, forget in self._forgets.items():
                async with self._database.transaction() as connection:
                    forgotten = await forget(connection)
                logger.info("table_tidied", table=table, forgotten=forgotten)
            self.ready = True
            await asyncio.sleep(HOUR)
