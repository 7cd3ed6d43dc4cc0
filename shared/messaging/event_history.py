"""Reads the history of events: the stream of everything that was published, from its beginning until now."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Final
from uuid import uuid4

import aio_pika
import orjson
import structlog
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage

from shared.events.envelope import CONTENT_TYPE, Envelope, parse
from shared.messaging.topology import HISTORY_STREAM, declare_exchanges

BATCH: Final = 50
"""Events read at once: each may carry 500 leads."""
TIMEOUT_SECONDS: Final = 60.0
"""Timeout for the next message of a stream that has one."""
END_TYPE: Final = "history.end"
"""Message type of the mark that a reader publishes: every other reader of the stream ignores it."""

logger = structlog.get_logger(__name__)


class HistoryIncompleteError(Exception):
    """The history has lost its beginning: the broker has deleted the first events."""


async def read_history(amqp_url: str) -> AsyncIterator[Sequence[Envelope]]:
    """Yield every event that was published before this call, in the order of the stream, in batches.

    Raises
    ------
    HistoryIncompleteError
        If the stream no longer has its first event.
    TimeoutError
        If the broker stops delivering.
    """
    connection = await aio_pika.connect(amqp_url, timeout=5)
    async with connection:
        channel = await connection.channel(publisher_confirms=True)
        await declare_exchanges(channel)
        mark = await _mark_end(channel)
        await channel.set_qos(prefetch_count=2 * BATCH)
        stream = await channel.get_queue(HISTORY_STREAM, ensure=False)
        arrived: asyncio.Queue[AbstractIncomingMessage] = asyncio.Queue()
        await stream.consume(arrived.put, arguments={"x-stream-offset": "first"})
        events: list[Envelope] = []
        at_end = False
        first: object = None
        while not at_end:
            message = await asyncio.wait_for(arrived.get(), TIMEOUT_SECONDS)
            if first is None:
                first = message.headers["x-stream-offset"]
                if first != 0:
                    raise HistoryIncompleteError(
                        f"the history of events begins with number {first!r}; the events before it are gone"
                    )
            at_end = message.message_id == mark
            if message.type != END_TYPE and (event := _read(message)) is not None:
                events.append(event)
            if len(events) == BATCH or at_end:
                yield events
                events = []
                await message.ack(multiple=True)


def _read(message: AbstractIncomingMessage) -> Envelope | None:
    try:
        return parse(message.body)
    except ValueError as error:  # not JSON, or not our envelope: a dead letter of every queue that received it
        logger.error("message_unreadable", queue=HISTORY_STREAM, message_id=message.message_id, error=str(error))
        return None


async def _mark_end(channel: AbstractChannel) -> str:
    """Publish a mark to the end of the stream: everything that was published earlier comes before it."""
    mark = str(uuid4())
    body = orjson.dumps({"specversion": "1.0", "id": mark, "source": "/history", "type": END_TYPE})
    message = aio_pika.Message(
        body, message_id=mark, type=END_TYPE, content_type=CONTENT_TYPE, delivery_mode=aio_pika.DeliveryMode.PERSISTENT
    )
    await channel.default_exchange.publish(message, HISTORY_STREAM, timeout=TIMEOUT_SECONDS)
    return mark
