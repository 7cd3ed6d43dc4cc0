"""Builds a projection anew from the history of events.

It is one transaction: everyone goes on reading the old state until the new one takes its place, and a rebuild that is
broken off leaves the old. The projection's consumers wait meanwhile; afterwards they drop what the history already had.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Self

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.database.availability import is_unavailable
from shared.database.engine import Database
from shared.events.envelope import Envelope
from shared.messaging import inbox
from shared.messaging.consumer import Subscription
from shared.messaging.history import read_history

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class RebuildResult:
    """What a projection was made of: how many events, and how many more that could not be applied."""

    applied: int
    failed: int

    def __add__(self, further: Self) -> "RebuildResult":
        """Both together."""
        return RebuildResult(self.applied + further.applied, self.failed + further.failed)


async def rebuild(
    database: Database,
    amqp_url: str,
    subscription: Subscription,
    clear: Callable[[AsyncConnection], Awaitable[None]],
) -> RebuildResult:
    """Replay the history into a projection.

    Parameters
    ----------
    database
        With no limit for a statement.
    subscription
        The projection: only events that its queue takes are applied.
    clear
        Deletes what the projection has.

    Raises
    ------
    HistoryIncompleteError
        If the history has lost its beginning; nothing is changed then.
    """
    rebuilt = RebuildResult(0, 0)
    async with database.transaction() as connection:
        await inbox.reset(connection, subscription.queue_name)
        await clear(connection)
        async for events in read_history(amqp_url):
            taken = [event for event in events if subscription.queue.takes(event.type)]
            rebuilt += await _apply(connection, subscription, taken)
    logger.info("projection_rebuilt", queue=subscription.queue_name, applied=rebuilt.applied, failed=rebuilt.failed)
    return rebuilt


async def _apply(connection: AsyncConnection, subscription: Subscription, events: Sequence[Envelope]) -> RebuildResult:
    """Apply events, one by one where they fail together; those that fail alone did so in the queue."""
    try:
        # The claim goes with its event: one that failed is applied when it is put back from the dead letters.
        async with connection.begin_nested():
            todo = await inbox.claim_events(connection, subscription.queue_name, events)
            if todo:
                await subscription.handler(connection, todo)
    except Exception as error:
        if is_unavailable(error):
            raise
        if len(events) == 1:
            logger.error(
                "event_failed",
                queue=subscription.queue_name,
                event_id=str(events[0].id),
                type=events[0].type,
                exc_info=error,
            )
            return RebuildResult(applied=0, failed=1)
        return sum([await _apply(connection, subscription, [event]) for event in events], start=RebuildResult(0, 0))
    return RebuildResult(applied=len(todo), failed=0)
