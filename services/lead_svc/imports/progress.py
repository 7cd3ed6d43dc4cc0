"""Progress and end of imports over Redis: the worker publishes, the API subscribes.

Redis only saves time. A process that misses a message, or has no Redis, reads the state from the database.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Final, Literal, TypeAlias

import structlog
from pydantic import BaseModel
from redis.asyncio import Redis
from redis.exceptions import RedisError

from shared.ids import ImportId

CHANNEL: Final = "lead.imports"
PROGRESS_SECONDS: Final = 3600
"""How long Redis stores the latest progress of a job."""
REDIS_SECONDS: Final = 1.0
"""Default timeout of one Redis operation: how long a Redis that does not respond can delay an import each time."""

logger = structlog.get_logger(__name__)

_EventsById: TypeAlias = defaultdict[ImportId, set[asyncio.Event]]

Stage = Literal["reading", "loading", "ended"]


class Progress(BaseModel):
    """The progress of an import: a message on the channel, and the value that Redis stores for the job."""

    import_id: ImportId
    stage: Stage
    rows_done: int = 0
    rows_total: int | None = None
    """None until the file has been read."""


def connect_redis(url: str, *, timeout_seconds: float = REDIS_SECONDS) -> "Redis":
    """Return a Redis client that fails instead of delaying its caller.

    Parameters
    ----------
    timeout_seconds
        Limit of each connection attempt and of each operation. Defaults to 1 second.
    """
    return Redis.from_url(url, socket_timeout=timeout_seconds, socket_connect_timeout=timeout_seconds)


class ProgressPublisher:
    """Publishes the progress of imports; the worker's side."""

    def __init__(self, redis: "Redis") -> None:
        self._redis = redis

    async def publish(self, progress: Progress) -> None:
        """Store and publish a progress. An unavailable Redis is logged and does not fail the import."""
        message = progress.model_dump_json()
        try:
            async with self._redis.pipeline(transaction=False) as pipeline:
                pipeline.set(_key(progress.import_id), message, ex=PROGRESS_SECONDS)
                pipeline.publish(CHANNEL, message)
                await pipeline.execute()
        except (RedisError, OSError) as error:
            logger.warning("progress_not_published", import_id=progress.import_id, error=repr(error))


class ProgressSubscriber:
    """Receives the progress of imports; the API's side. One subscription per process notifies every waiting request.

    It runs as background work and is subscribed before any request arrives. A subscription per request could miss
    the end of a job between the job's commit and its own start.
    """

    name = "import-progress"

    def __init__(self, redis: "Redis") -> None:
        self._redis = redis
        self._end_events: _EventsById = defaultdict(set)
        self._progress_events: _EventsById = defaultdict(set)
        self.ready = False

    async def run(self) -> None:
        """Receive messages until cancelled; raise when Redis is lost."""
        async with self._redis.pubsub(ignore_subscribe_messages=True) as pubsub:
            await pubsub.subscribe(CHANNEL)
            self.ready = True
            while True:
                message = await pubsub.get_message(timeout=None)
                if message is not None and message["type"] == "message":
                    self._notify(Progress.model_validate_json(message["data"]))

    def _notify(self, progress: Progress) -> None:
        for event in self._progress_events.get(progress.import_id, ()):
            event.set()
        if progress.stage == "ended":
            for event in self._end_events.get(progress.import_id, ()):
                event.set()

    def subscribe_to_end(self, import_id: ImportId) -> AbstractContextManager[asyncio.Event]:
        """Yield an event that is set when the job ends. Enter before the job is committed."""
        return _subscription(self._end_events, import_id)

    def subscribe(self, import_id: ImportId) -> AbstractContextManager[asyncio.Event]:
        """Yield an event that is set on every message about the job; clear it to wait for the next message."""
        return _subscription(self._progress_events, import_id)

    async def latest(self, import_id: ImportId) -> Progress | None:
        """Return the latest progress of a job; None without a progress, and if Redis is unavailable."""
        return (await self.latest_by_id([import_id])).get(import_id)

    async def latest_by_id(self, import_ids: Sequence[ImportId]) -> dict[ImportId, Progress]:
        """Return the latest progress of the jobs that have any, by job id; empty when Redis is unavailable."""
        if not import_ids:
            return {}
        try:
            messages = await self._redis.mget([_key(import_id) for import_id in import_ids])
        except (RedisError, OSError) as error:
            logger.warning("progress_not_read", import_ids=list(import_ids), error=repr(error))
            return {}
        received = [Progress.model_validate_json(message) for message in messages if message is not None]
        return {progress.import_id: progress for progress in received}


@contextmanager
def _subscription(events: _EventsById, import_id: ImportId) -> Iterator[asyncio.Event]:
    event = asyncio.Event()
    events[import_id].add(event)
    try:
        yield event
    finally:
        events[import_id].discard(event)
        if not events[import_id]:
            del events[import_id]


def _key(import_id: ImportId) -> str:
    return f"lead.imports.{import_id}"
