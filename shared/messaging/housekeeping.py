"""Keeps the tables of messages small."""

import asyncio

import structlog

from shared.database.engine import Database
from shared.messaging import inbox

HOUR = 3600.0

logger = structlog.get_logger(__name__)


class Housekeeping:
    """Background work: forgets old inbox rows, hourly."""

    name = "housekeeping"

    def __init__(self, database: Database) -> None:
        self._database = database
        self.ready = True

    async def run(self) -> None:
        """Tidy up until cancelled."""
        while True:
            async with self._database.transaction() as connection:
                forgotten = await inbox.forget_old(connection)
            self.ready = True
            logger.info("inbox_tidied", forgotten=forgotten)
            await asyncio.sleep(HOUR)
