"""Rebuilds a projection from the history of events.

A rebuild is one transaction: readers see the old state until the new one replaces it, and a rebuild that is interrupted
leaves the old. The projection's consumers wait meanwhile; afterwards they drop the events that the history already had.
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
from shared.messaging.event_history import read_history

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class RebuildResult:
    """The result of a rebuild: how many events were applied, and how many could not be."""

    applied: int
    failed: int

    def __add__(self, other: Self) -> "RebuildResult":
        """Return the sum of both."""
        return RebuildResult(self.applied + other.applied, self.failed + other.failed)


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
        Without a limit for statements.
    subscription
        The projection: only the events of its queue are applied.
    clear
        Deletes the rows of the projection.

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
            own = [event for event in events if subscription.queue.accepts(event.type)]
            rebuilt += await _apply(connection, subscription, own)
    logger.info("projection_rebuilt", queue=subscription.queue_name, applied=rebuilt.applied, failed=rebuilt.failed)
    return rebuilt


async def _apply(connection: AsyncConnection, subscription: Subscription, events: Sequence[Envelope]) -> RebuildResult:
    """Apply events, one by one where the batch fails; an event that fails alone is a dead letter of the queue too."""
    try:
        # A failed event loses its claim: it is applied when it is retried from the dead letters.
        async with connection.begin_nested():
            new = await inbox.claim_events(connection, subscription.queue_name, events)
            if new:
                await subscription.handler(connection, new)
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
    return RebuildResult(applied=len(new), failed=0)
