"""Keeps answers in Redis under the state of the facts that they were made of.

An answer is asked for by the mark of the company's ledger, which is another one after every change: what is found is
never older than the facts. Redis only makes it faster: without one, every answer is made anew.
"""

import hashlib
import time
from typing import Final
from uuid import UUID

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from services.analytics_svc.facts.views import FACT_VIEWS
from services.analytics_svc.versions import FORMULAS_VERSION, ROLLUPS_VERSION

DEFINITIONS: Final = f"{FACT_VIEWS.checksum[:16]}.{ROLLUPS_VERSION}.{FORMULAS_VERSION}"
"""The views' checksum and the versions of roll-ups and formulas."""
KEPT_SECONDS: Final = 3600
REDIS_SECONDS: Final = 0.25
"""How long a Redis that does not answer may hold up a report."""
PAUSE_SECONDS: Final = 5.0
"""How long a Redis that failed is left alone."""

logger = structlog.get_logger(__name__)


class ReportCache:
    """Responses by question and state of the facts.

    Parameters
    ----------
    redis_url
        The Redis that stores them.
    definitions
        Version of everything that decides figures; responses of another version are not used.
    """

    def __init__(self, redis_url: str, *, definitions: str = DEFINITIONS) -> None:
        self._definitions = definitions
        self._redis = Redis.from_url(
            redis_url, socket_timeout=REDIS_SECONDS, socket_connect_timeout=REDIS_SECONDS, protocol=3
        )
        self._away_until = 0.0

    def key(self, company_id: int, mark: UUID, question: str) -> str:
        """Where the answer to a question is."""
        digest = hashlib.sha256(question.encode()).hexdigest()
        return f"reports:{self._definitions}:{company_id}:{mark}:{digest}"

    async def get(self, key: str) -> bytes | None:
        """An answer, if it is here."""
        if time.monotonic() < self._away_until:
            return None
        try:
            answer = await self._redis.get(key)
        except (RedisError, OSError) as error:
            self._leave_alone(error)
            return None
        return answer if isinstance(answer, bytes) else None

    async def put(self, key: str, answer: bytes) -> None:
        """Keep an answer."""
        if time.monotonic() < self._away_until:
            return
        try:
            await self._redis.set(key, answer, ex=KEPT_SECONDS)
        except (RedisError, OSError) as error:
            self._leave_alone(error)

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.aclose()

    def _leave_alone(self, error: Exception) -> None:
        self._away_until = time.monotonic() + PAUSE_SECONDS
        logger.warning("report_cache_away", error=repr(error))
