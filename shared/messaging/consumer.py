"""The consumer: applies messages in batches, each batch and its inbox rows in one transaction.

===========================  =========================================================================
event                        consequence
===========================  =========================================================================
batch committed              its messages are acknowledged
a server is unavailable      the batch is retried until it is back; nothing counts against the messages
the handler fails            each message of the batch is retried alone, so that the others succeed
a message fails alone        it is requeued; after ``delivery_limit`` times it is a dead letter
a message cannot be read     it is a dead letter at once
===========================  =========================================================================
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import structlog
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage
from prometheus_client import Counter, Gauge, Histogram
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.background import FINISH_SECONDS, finish_before_cancel, panics_as_errors
from shared.database.availability import is_unavailable
from shared.database.engine import Database
from shared.events.envelope import Envelope, parse
from shared.messaging import inbox
from shared.messaging.connection import connect
from shared.messaging.topology import QueueSpec, declare_exchanges, declare_queue

AfterCommit = Callable[[], Awaitable[None]]
Handler = Callable[[AsyncConnection, Sequence[Envelope]], Awaitable[AfterCommit | None]]
"""Applies events in the connection's transaction. What it returns, if anything, is called after the commit."""

CONSUMED = Counter("messages_consumed_total", "Messages acknowledged or rejected", ["queue", "result"])
BATCH_SECONDS = Histogram("message_batch_seconds", "From the start of a batch to its commit", ["queue"])
LAG_SECONDS = Histogram(
    "message_lag_seconds",
    "From an event's time to the commit of its effect",
    ["queue"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300),
)

DEAD_LETTERS = Gauge("dead_letters", "Messages in a dead-letter queue", ["queue"])
WAITING_SECONDS = Gauge(
    "message_waiting_seconds",
    "Age of the oldest event in progress: how far the consumer is behind, 0 when idle",
    ["queue"],
)

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Subscription:
    """A queue, and the handler that applies its messages.

    Parameters
    ----------
    queue
        The queue, declared at start.
    handler
        Applies a batch.
    batch
        Maximum number of messages in one transaction.
    dead_letters
        Consume the dead letters of the queue, instead of the queue.
    """

    queue: QueueSpec
    handler: Handler
    batch: int = 200
    dead_letters: bool = False

    @property
    def queue_name(self) -> str:
        """Name of the consumed queue."""
        return self.queue.dead_letters if self.dead_letters else self.queue.name


@dataclass(frozen=True, slots=True)
class ConsumerTimings:
    """Intervals of a consumer, in seconds.

    Parameters
    ----------
    pause_while_unavailable
        Between two tries of a batch while the database is unavailable.
    pause_after_failure
        Slows down a message that fails again and again, which otherwise floods broker and log.
    measure
        Between two counts of the queue's dead letters.
    finish
        Limit for the batch in progress when the consumer is stopped.
    """

    pause_while_unavailable: float = 0.5
    pause_after_failure: float = 0.1
    measure: float = 15.0
    finish: float = FINISH_SECONDS


@dataclass(frozen=True, slots=True)
class _Delivery:
    message: AbstractIncomingMessage
    event: Envelope


class Consumer:
    """Applies one queue's messages to one database.

    Parameters
    ----------
    amqp_url, database
        Source and destination.
    subscription
        The queue and its handler.
    number
        Distinguishes several consumers of one queue in one process.
    timings
        Intervals of the consumer.
    """

    def __init__(
        self,
        amqp_url: str,
        database: Database,
        subscription: Subscription,
        *,
        number: int = 1,
        timings: ConsumerTimings = ConsumerTimings(),
    ) -> None:
        self.name = f"consumer {subscription.queue_name} {number}"
        self.ready = False
        self._amqp_url = amqp_url
        self._database = database
        self._subscription = subscription
        self._timings = timings
        self._queue_name = subscription.queue_name
        self._oldest: datetime | None = None
        """Time of the oldest event that is being applied."""
        WAITING_SECONDS.labels(self._queue_name).set_function(lambda: self.lag_seconds)

    @property
    def queue_name(self) -> str:
        """Name of the consumed queue."""
        return self._queue_name

    @property
    def lag_seconds(self) -> float:
        """Age of the oldest event that has arrived and is not yet applied; 0 when there is none."""
        oldest = self._oldest
        return 0.0 if oldest is None else max(0.0, (datetime.now(UTC) - oldest).total_seconds())

    async def run(self) -> None:
        """Consume until the broker is lost (then it raises) or until cancelled."""
        # A message that is taken and requeued untried counts against it, so nothing is taken that cannot be applied.
        await self._database.check()
        connection = await connect(self._amqp_url)
        async with connection:
            channel = await connection.channel(publisher_confirms=False)
            # Twice the batch: the next one has already arrived while this one is applied.
            await channel.set_qos(prefetch_count=2 * self._subscription.batch if self._subscription.batch > 1 else 1)
            await declare_exchanges(channel)
            await declare_queue(channel, self._subscription.queue)
            queue = await channel.get_queue(self._queue_name, ensure=False)
            arrived: asyncio.Queue[AbstractIncomingMessage] = asyncio.Queue()
            await queue.consume(arrived.put)
            self.ready = True
            await self._consume(channel, arrived)

    async def _consume(self, channel: AbstractChannel, arrived: asyncio.Queue[AbstractIncomingMessage]) -> None:
        closed = await _watch_end(channel)
        measured = -self._timings.measure
        try:
            while True:
                if time.monotonic() - measured >= self._timings.measure:
                    await self._measure_dead_letters(channel)
                    measured = time.monotonic()
                first = asyncio.ensure_future(arrived.get())
                try:
                    await asyncio.wait(
                        {first, closed}, timeout=self._timings.measure, return_when=asyncio.FIRST_COMPLETED
                    )
                finally:
                    first.cancel()  # of no effect when it is done
                if closed.done() and not first.done():
                    raise ConnectionError(f"the broker delivers no more from {self._queue_name}")
                if not first.done():
                    continue
                messages = [first.result()]
                while len(messages) < self._subscription.batch and not arrived.empty():
                    messages.append(arrived.get_nowait())
                # The batch in progress is finished and acknowledged before a cancellation takes effect; when that takes
                # too long, it is delivered again.
                await finish_before_cancel(self._process(messages), timeout=self._timings.finish)
        finally:
            closed.cancel()

    async def _process(self, messages: Sequence[AbstractIncomingMessage]) -> None:
        deliveries = [delivery for message in messages if (delivery := await self._read(message)) is not None]
        if not deliveries:
            return
        self._oldest = min(delivery.event.time for delivery in deliveries)
        try:
            await self._apply_all(deliveries)
        finally:
            self._oldest = None

    async def _apply_all(self, deliveries: Sequence[_Delivery]) -> None:
        try:
            await self._apply(deliveries)
        except Exception as error:  # noqa: BLE001 - whatever a handler raises, its messages are handled
            if len(deliveries) == 1:
                await self._requeue(deliveries[0], error)
                return
            logger.warning("batch_failed", queue=self._queue_name, size=len(deliveries), error=repr(error))
            for delivery in deliveries:
                await self._apply_alone(delivery)

    async def _apply_alone(self, delivery: _Delivery) -> None:
        try:
            await self._apply([delivery])
        except Exception as error:  # noqa: BLE001 - whatever a handler raises, only this message failed
            await self._requeue(delivery, error)

    async def _read(self, message: AbstractIncomingMessage) -> _Delivery | None:
        try:
            return _Delivery(message, parse(message.body))
        except ValueError as error:  # not JSON, or not our envelope
            logger.error("message_unreadable", queue=self._queue_name, message_id=message.message_id, error=str(error))
            CONSUMED.labels(self._queue_name, "unreadable").inc()
            await message.reject(requeue=False)
            return None

    async def _requeue(self, delivery: _Delivery, error: Exception) -> None:
        logger.error(
            "message_failed",
            queue=self._queue_name,
            event_id=str(delivery.event.id),
            type=delivery.event.type,
            exc_info=error,
        )
        CONSUMED.labels(self._queue_name, "failed").inc()
        await asyncio.sleep(self._timings.pause_after_failure)
        # Reject, not nack: only a rejected message counts towards the delivery limit on every broker version.
        await delivery.message.reject(requeue=True)

    async def _apply(self, deliveries: Sequence[_Delivery]) -> None:
        """Apply and acknowledge a batch; while a server is unavailable, wait and retry."""
        while True:
            started = time.monotonic()
            try:
                after_commit = await self._transact([delivery.event for delivery in deliveries])
            except Exception as error:
                if not is_unavailable(error):
                    raise
                logger.warning("database_away", queue=self._queue_name, error=repr(error))
                await asyncio.sleep(self._timings.pause_while_unavailable)
                continue
            break
        if after_commit is not None:
            await after_commit()
        for delivery in deliveries:
            await delivery.message.ack()
        self._measure(deliveries, started)

    async def _transact(self, events: Sequence[Envelope]) -> AfterCommit | None:
        async with self._database.transaction() as connection:
            new = await inbox.claim_events(connection, self._queue_name, events)
            if not new:
                return None
            with (
                structlog.contextvars.bound_contextvars(
                    event_id=str(new[0].id), event_count=len(new), company_id=new[0].companyid
                ),
                panics_as_errors(),
            ):
                return await self._subscription.handler(connection, new)

    async def _measure_dead_letters(self, channel: AbstractChannel) -> None:
        """Count the dead letters, without those an operator is reading; a queue that was deleted closes the channel."""
        queue = self._subscription.queue
        declared = await channel.declare_queue(queue.dead_letters, passive=True)
        DEAD_LETTERS.labels(queue.name).set(declared.declaration_result.message_count or 0)

    def _measure(self, deliveries: Sequence[_Delivery], started: float) -> None:
        BATCH_SECONDS.labels(self._queue_name).observe(time.monotonic() - started)
        CONSUMED.labels(self._queue_name, "applied").inc(len(deliveries))
        now = datetime.now(UTC)
        for delivery in deliveries:
            LAG_SECONDS.labels(self._queue_name).observe((now - delivery.event.time).total_seconds())


async def _watch_end(channel: AbstractChannel) -> "asyncio.Future[Any]":
    """Return a future that is done when the broker stops delivering: the channel is closed, or the queue is gone."""
    end = asyncio.ensure_future(channel.closed())

    def note_cancellation(_cancel: object) -> None:
        end.cancel()

    (await channel.get_underlay_channel()).on_consumer_cancel_callbacks.add(note_cancellation)
    return end
