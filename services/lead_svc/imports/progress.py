"""Progress and end of imports, told over Redis.

Redis only makes things faster: who misses a signal, or has no Redis, finds the truth in the database.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Literal, TypeAlias

import structlog
from pydantic import BaseModel
from redis.asyncio import Redis
from redis.exceptions import RedisError

CHANNEL = "lead.imports"
PROGRESS_SECONDS = 3600
"""How long the last progress of a job is remembered."""
REDIS_SECONDS = 1.0
"""How long a Redis that does not answer may hold up an import, each time it is told something."""

logger = structlog.get_logger(__name__)

_Events: TypeAlias = defaultdict[int, set[asyncio.Event]]

Stage = Literal["reading", "loading", "ended"]


class Progress(BaseModel):
    """How far an import is."""

    import_id: int
    stage: Stage
    rows_done: int = 0
    rows_total: int | None = None
    """Null while the file is still being read."""


def connect_redis(url: str) -> "Redis":
    """A Redis client that would rather fail than hold up its caller."""
    return Redis.from_url(url, socket_timeout=REDIS_SECONDS, socket_connect_timeout=REDIS_SECONDS)


class ProgressTeller:
    """The worker's side."""

    def __init__(self, redis: "Redis") -> None:
        self._redis = redis

    async def tell(self, progress: Progress) -> None:
        """Publish and remember a progress; a Redis that is away is logged and changes nothing."""
        message = progress.model_dump_json()
        try:
            async with self._redis.pipeline(transaction=False) as pipeline:
                pipeline.set(_key(progress.import_id), message, ex=PROGRESS_SECONDS)
                pipeline.publish(CHANNEL, message)
                await pipeline.execute()
        except (RedisError, OSError) as error:
            logger.warning("progress_not_told", import_id=progress.import_id, error=repr(error))


class ProgressListener:
    """The API's side: one subscription a process, in which every waiting request hears of its job.

    Runs as background work, subscribed before any request arrives, so a job cannot end unheard between its commit
    and a subscription of its own.
    """

    name = "import-signals"

    def __init__(self, redis: "Redis") -> None:
        self._redis = redis
        self._waiting: _Events = defaultdict(set)
        self._following: _Events = defaultdict(set)
        self.ready = False

    async def run(self) -> None:
        """Listen until Redis is lost (then it raises) or until cancelled."""
        async with self._redis.pubsub(ignore_subscribe_messages=True) as pubsub:
            await pubsub.subscribe(CHANNEL)
            self.ready = True
            while True:
                message = await pubsub.get_message(timeout=None)
                if message is not None and message["type"] == "message":
                    self._hear(Progress.model_validate_json(message["data"]))

    def _hear(self, progress: Progress) -> None:
        for heard in self._following.get(progress.import_id, ()):
            heard.set()
        if progress.stage == "ended":
            for ended in self._waiting.get(progress.import_id, ()):
                ended.set()

    def expect(self, import_id: int) -> AbstractContextManager[asyncio.Event]:
        """An event that is set when the job's end is heard of; enter before the job is committed."""
        return _listening(self._waiting, import_id)

    def follow(self, import_id: int) -> AbstractContextManager[asyncio.Event]:
        """An event that is set whenever anything is heard of the job; clear it to hear of the next."""
        return _listening(self._following, import_id)

    async def last(self, import_id: int) -> Progress | None:
        """The progress last told of a job; None when there is none, or no Redis to ask."""
        try:
            message = await self._redis.get(_key(import_id))
        except (RedisError, OSError) as error:
            logger.warning("progress_not_read", import_id=import_id, error=repr(error))
            return None
        return Progress.model_validate_json(message) if message is not None else None

    async def last_of(self, import_ids: Sequence[int]) -> dict[int, Progress]:
        """The progress last told of each of these jobs, of which there is any."""
        if not import_ids:
            return {}
        try:
            messages = await self._redis.mget([_key(import_id) for import_id in import_ids])
        except (RedisError, OSError) as error:
            logger.warning("progress_not_read", import_ids=list(import_ids), error=repr(error))
            return {}
        told = [Progress.model_validate_json(message) for message in messages if message is not None]
        return {progress.import_id: progress for progress in told}


@contextmanager
def _listening(events: _Events, import_id: int) -> Iterator[asyncio.Event]:
    event = asyncio.Event()
    events[import_id].add(event)
    try:
        yield event
    finally:
        events[import_id].discard(event)
        if not events[import_id]:
            del events[import_id]


def _key(import_id: int) -> str:
    return f"lead.imports.{import_id}"
