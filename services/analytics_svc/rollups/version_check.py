"""Reports by log and metric whether stored roll-ups are outdated."""

import asyncio

import structlog
from prometheus_client import Gauge

from services.analytics_svc.rollups import repository
from services.analytics_svc.versions import ROLLUPS_VERSION
from shared.database.engine import Database, driver_connection

CHECK_SECONDS = 300.0

OUTDATED = Gauge("rollups_outdated", "1 while roll-ups are summed by definitions of another release; run a rebuild")

logger = structlog.get_logger(__name__)


class RollupVersionCheck:
    """Background work that compares the version of the stored roll-ups with the code's, at start and every 5 minutes.

    Parameters
    ----------
    pause_seconds
        Seconds between two checks.
    """

    name = "rollup_version_check"

    def __init__(self, database: Database, *, pause_seconds: float = CHECK_SECONDS) -> None:
        self._database = database
        self._pause_seconds = pause_seconds
        self.ready = True

    async def run(self) -> None:
        """Check until cancelled."""
        while True:
            async with self._database.snapshot() as connection:
                outdated = await repository.are_outdated(await driver_connection(connection))
            OUTDATED.set(outdated)
            if outdated:
                logger.warning("rollups_outdated", version=ROLLUPS_VERSION, remedy="make rebuild")
            self.ready = True
            await asyncio.sleep(self._pause_seconds)
