"""From an event to a delivery for each subscription that wants it, in the transaction that claims the event."""

from collections.abc import Awaitable, Callable, Sequence

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from services.webhook_svc.fanout import repository
from services.webhook_svc.fanout.repository import Subscriber
from services.webhook_svc.queues import FAN_OUT
from services.webhook_svc.subscriptions.event_types import wants
from shared.events.envelope import Envelope
from shared.messaging.consumer import AfterCommit, Subscription

BATCH = 50
"""Events at once: each may hold 500 leads."""


def subscription(wake: Callable[[], Awaitable[None]]) -> Subscription:
    """The consumer's part: fan out, and wake whoever delivers once it is committed."""

    async def fan_out(connection: AsyncConnection, events: Sequence[Envelope]) -> AfterCommit | None:
        return wake if await store(connection, events) else None

    return Subscription(FAN_OUT, fan_out, batch=BATCH)


async def store(connection: AsyncConnection, events: Sequence[Envelope]) -> int:
    """Store a delivery for each subscription that wants an event, in the order of events; returns how many."""
    subscribers = await repository.subscribers(connection, sorted({event.companyid for event in events}))
    wanted = [(event, of_event) for event in events if (of_event := _wanting(event, subscribers))]
    if not wanted:
        return 0
    await repository.add_events(connection, [(event.id, event.type, body_of(event)) for event, _ in wanted])
    pairs = [(each.id, event.id) for event, of_event in wanted for each in of_event]
    return await repository.add_deliveries(connection, pairs)


def _wanting(event: Envelope, subscribers: Sequence[Subscriber]) -> list[Subscriber]:
    return [each for each in subscribers if each.company_id == event.companyid and wants(each.types, event.type)]


def body_of(event: Envelope) -> bytes:
    """The event as it is sent: CloudEvents 1.0 in structured JSON."""
    return orjson.dumps(event.model_dump(), option=orjson.OPT_UTC_Z)
