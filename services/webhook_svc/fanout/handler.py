"""Handler of events: stores a delivery for each subscription that an event matches, in the inbox's transaction."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from services.webhook_svc.domain.event_types import matches_any
from services.webhook_svc.fanout import repository
from services.webhook_svc.fanout.repository import Subscriber
from services.webhook_svc.queues import FAN_OUT
from shared.events.envelope import Envelope
from shared.messaging.consumer import AfterCommit, Subscription

BATCH: Final = 50
"""Events per transaction: each may have 500 leads."""


def subscription(notify: Callable[[], Awaitable[None]]) -> Subscription:
    """Return the consumer's subscription.

    Parameters
    ----------
    notify
        Called after a commit that stored deliveries, so that they are sent at once.
    """

    async def handle(connection: AsyncConnection, events: Sequence[Envelope]) -> AfterCommit | None:
        return notify if await fan_out(connection, events) else None

    return Subscription(FAN_OUT, handle, batch=BATCH)


async def fan_out(connection: AsyncConnection, events: Sequence[Envelope]) -> int:
    """Store a delivery for each event and each subscription that its type matches, in the order of events.

    Returns
    -------
    int
        How many deliveries are new.
    """
    subscribers = await repository.lock_subscribers(connection, sorted({event.companyid for event in events}))
    matched = [(event, of_event) for event in events if (of_event := _subscribers_of(event, subscribers))]
    if not matched:
        return 0
    await repository.add_events(connection, [(event.id, event.type, message_body(event)) for event, _ in matched])
    pairs = [(subscriber.id, event.id) for event, of_event in matched for subscriber in of_event]
    return await repository.add_deliveries(connection, pairs)


def message_body(event: Envelope) -> bytes:
    """Return the body of the event's messages: CloudEvents 1.0 in structured JSON."""
    return orjson.dumps(event.model_dump(), option=orjson.OPT_UTC_Z)


def _subscribers_of(event: Envelope, subscribers: Sequence[Subscriber]) -> list[Subscriber]:
    return [
        subscriber
        for subscriber in subscribers
        if subscriber.company_id == event.companyid and matches_any(subscriber.types, event.type)
    ]
