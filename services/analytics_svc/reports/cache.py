"""Caches responses in Redis, under the state of the facts and the definitions that they were computed from.

The key has the mark of the company's ledger, which every change of its facts replaces, and the version of the
definitions: a response that is found is never older than either. Without Redis every response is computed.
"""

import hashlib
import time
from typing import Final
from uuid import UUID

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from services.analytics_svc.facts.metric_definitions import FACT_VIEWS
from services.analytics_svc.versions import FORMULAS_VERSION, ROLLUPS_VERSION

DEFINITIONS: Final = f"{FACT_VIEWS.checksum[:16]}.{ROLLUPS_VERSION}.{FORMULAS_VERSION}"
"""Version of everything that decides figures: the views' checksum, and the versions of roll-ups and formulas."""
EXPIRY_SECONDS: Final = 3600
REDIS_TIMEOUT_SECONDS: Final = 0.25
"""How long a Redis that does not answer may delay a report."""
PAUSE_SECONDS: Final = 5.0
"""How long a Redis that failed is left alone, so that its timeout does not delay every report."""

logger = structlog.get_logger(__name__)


class ReportCache:
    """Responses by company, state of its facts, and request.

    Parameters
    ----------
    redis_url
        The Redis that stores them.
    definitions
        Version of everything that decides figures; responses cached under another one are not found.
    pause_seconds
        Seconds for which no request is sent to a Redis that failed.
    """

    def __init__(self, redis_url: str, *, definitions: str = DEFINITIONS, pause_seconds: float = PAUSE_SECONDS) -> None:
        self._definitions = definitions
        self._pause_seconds = pause_seconds
        self._redis = Redis.from_url(
            redis_url, socket_timeout=REDIS_TIMEOUT_SECONDS, socket_connect_timeout=REDIS_TIMEOUT_SECONDS, protocol=3
        )
        self._unavailable_until = 0.0

    def key(self, company_id: int, mark: UUID, request: str) -> str:
        """Return the key of the response to a request.

        Parameters
        ----------
        mark
            Mark of the company's facts.
        request
            The report and all its parameters.
        """
        digest = hashlib.sha256(request.encode()).hexdigest()
        return f"reports:{self._definitions}:{company_id}:{mark}:{digest}"

    async def get(self, key: str) -> bytes | None:
        """Return the cached response; None if there is none or Redis is unavailable."""
        if time.monotonic() < self._unavailable_until:
            return None
        try:
            response = await self._redis.get(key)
        except (RedisError, OSError) as error:
            self._pause_after(error)
            return None
        return response if isinstance(response, bytes) else None

    async def put(self, key: str, response: bytes) -> None:
        """Cache a response for an hour, unless Redis is unavailable."""
        if time.monotonic() < self._unavailable_until:
            return
        try:
            await self._redis.set(key, response, ex=EXPIRY_SECONDS)
        except (RedisError, OSError) as error:
            self._pause_after(error)

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.aclose()

    def _pause_after(self, error: Exception) -> None:
        self._unavailable_until = time.monotonic() + self._pause_seconds
        logger.warning("report_cache_unavailable", error=repr(error))
