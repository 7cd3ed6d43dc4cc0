"""The relay: sends the messages of the outbox, and deletes each once the broker has confirmed it.

One relay a database is active; the others wait for its advisory lock, so the order is preserved and nothing is sent
twice in normal operation: a relay that stops first deletes what it has sent. One that is killed between sending and
deleting leaves a row that is sent again: the inbox of each consumer drops it.
"""

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import aio_pika
import asyncpg
import structlog
from aio_pika.abc import AbstractChannel, AbstractExchange, DeliveryMode
from aio_pika.exceptions import DeliveryError
from prometheus_client import Counter, Gauge

from shared.background import finish_before_cancel, wait_for_event
from shared.database.engine import LOST_CLIENTS
from shared.events.envelope import CONTENT_TYPE
from shared.messaging.connection import connect
from shared.messaging.tables import OUTBOX_CHANNEL
from shared.messaging.topology import ExchangeName, QueueSpec, declare_exchanges, declare_queue

RELAY_LOCK = 7_060_002
BATCH = 200


@dataclass(frozen=True, slots=True)
class RelayTimings:
    """Intervals of a relay, in seconds.

    Parameters
    ----------
    poll
        The relay polls this often even without a notification, which is a hint: the row is the truth.
    measure
        Between two measurements of the outbox for the metrics.
    confirm
        Timeout of the broker's confirm of a message.
    database_timeout
        A database that is silent for so long is dropped, so that the lock goes to a relay that can reach it.
    returned_retry
        Pause before a message that no queue accepted is sent again.
    """

    poll: float = 1.0
    measure: float = 5.0
    confirm: float = 15.0
    database_timeout: float = 30.0
    returned_retry: float = 5.0


PUBLISHED = Counter("outbox_published_total", "Messages the broker confirmed", ["exchange"])
RETURNED = Counter("outbox_returned_total", "Messages the broker had no queue for, or rejected", ["exchange"])
PENDING = Gauge("outbox_pending", "Messages waiting in the outbox")
OLDEST = Gauge("outbox_oldest_seconds", "Age of the oldest message waiting in the outbox")

logger = structlog.get_logger(__name__)

_PENDING_ROWS = """
SELECT id, event_id, exchange, routing_key, company_id, body FROM outbox
WHERE not_before IS NULL OR not_before <= now() ORDER BY id LIMIT $1
"""


class Relay:
    """Moves messages from one database's outbox to the broker.

    Parameters
    ----------
    database_url, amqp_url
        Source and destination.
    command_queues
        Queues of this service's commands; declared here too, so that a command that is sent before its first consumer
        ever started has a queue.
    timings
        Intervals of the relay.
    """

    name = "outbox-relay"

    def __init__(
        self,
        database_url: str,
        amqp_url: str,
        *,
        command_queues: tuple[QueueSpec, ...] = (),
        timings: RelayTimings = RelayTimings(),
    ) -> None:
        self._database_url = database_url
        self._amqp_url = amqp_url
        self._command_queues = command_queues
        self._timings = timings
        self._notified = asyncio.Event()
        self.ready = False

    async def run(self) -> None:
        """Relay until a server is lost (then it raises) or until cancelled."""
        database = await asyncpg.connect(
            self._database_url,
            timeout=5,
            command_timeout=self._timings.database_timeout,
            server_settings={"application_name": self.name, "timezone": "UTC", **LOST_CLIENTS},
        )
        try:
            broker = await connect(self._amqp_url)
            async with broker:
                channel = await broker.channel(publisher_confirms=True, on_return_raises=True)
                exchanges = await declare_exchanges(channel)
                for queue in self._command_queues:
                    await declare_queue(channel, queue)
                # A standby is ready too: it has reached its servers, and takes over when the active relay ends.
                self.ready = True
                await self._acquire_lock(database, channel)
                await database.add_listener(OUTBOX_CHANNEL, lambda *_: self._notified.set())
                await self._relay(database, channel, exchanges)
        finally:
            database.terminate()

    async def _acquire_lock(self, database: "asyncpg.Connection[asyncpg.Record]", channel: AbstractChannel) -> None:
        while not await database.fetchval("SELECT pg_try_advisory_lock($1)", RELAY_LOCK):
            await asyncio.sleep(self._timings.poll)
            _require_open(channel)
        logger.info("relay_active")

    async def _relay(
        self,
        database: "asyncpg.Connection[asyncpg.Record]",
        channel: AbstractChannel,
        exchanges: dict[ExchangeName, AbstractExchange],
    ) -> None:
        measured = -self._timings.measure
        while True:
            _require_open(channel)
            self._notified.clear()
            rows = await database.fetch(_PENDING_ROWS, BATCH)
            if rows:
                # A cancellation between sending and deleting would send everything again.
                await finish_before_cancel(self._send(database, exchanges, rows))
            if time.monotonic() - measured >= self._timings.measure:
                await self._measure(database)
                measured = time.monotonic()
            if len(rows) < BATCH:
                await wait_for_event(self._notified, at_latest=self._timings.poll)

    async def _send(
        self,
        database: "asyncpg.Connection[asyncpg.Record]",
        exchanges: dict[ExchangeName, AbstractExchange],
        rows: list[asyncpg.Record],
    ) -> None:
        """Publish all rows at once, in order; each is deleted or deferred by its own confirmation."""
        outcomes = await asyncio.gather(
            *(self._publish(exchanges[ExchangeName(row["exchange"])], row) for row in rows), return_exceptions=True
        )
        confirmed = [row["id"] for row, outcome in zip(rows, outcomes, strict=True) if outcome is None]
        if confirmed:
            await database.execute("DELETE FROM outbox WHERE id = ANY($1::bigint[])", confirmed)
        lost_broker: BaseException | None = None
        for row, outcome in zip(rows, outcomes, strict=True):
            if outcome is None:
                PUBLISHED.labels(row["exchange"]).inc()
            elif isinstance(outcome, DeliveryError):
                await self._defer(database, row, outcome)
            else:
                lost_broker = outcome
        if lost_broker is not None:
            raise lost_broker

    async def _defer(
        self, database: "asyncpg.Connection[asyncpg.Record]", row: asyncpg.Record, error: DeliveryError
    ) -> None:
        """Log a message that no queue accepted, and retry it later; the others go on."""
        RETURNED.labels(row["exchange"]).inc()
        logger.error(
            "message_returned", event_id=str(row["event_id"]), routing_key=row["routing_key"], error=str(error)
        )
        await database.execute(
            "UPDATE outbox SET attempts = attempts + 1, last_error = $2, not_before = $3 WHERE id = $1",
            row["id"],
            str(error) or type(error).__name__,
            datetime.now(UTC) + timedelta(seconds=self._timings.returned_retry),
        )

    async def _publish(self, exchange: AbstractExchange, row: asyncpg.Record) -> None:
        message = aio_pika.Message(
            row["body"],
            message_id=str(row["event_id"]),
            type=row["routing_key"],
            content_type=CONTENT_TYPE,
            delivery_mode=DeliveryMode.PERSISTENT,
            headers={"company_id": row["company_id"]},
        )
        must_arrive = row["exchange"] == ExchangeName.COMMANDS
        await exchange.publish(message, row["routing_key"], mandatory=must_arrive, timeout=self._timings.confirm)

    async def _measure(self, database: "asyncpg.Connection[asyncpg.Record]") -> None:
        row = await database.fetchrow(
            "SELECT count(*) AS pending, coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8 AS oldest"
            " FROM outbox"
        )
        PENDING.set(row["pending"])
        OLDEST.set(row["oldest"])


def _require_open(channel: AbstractChannel) -> None:
    """Raise when the broker has closed the channel: with nothing to publish, nothing else would notice."""
    if channel.is_closed:
        raise ConnectionError("the broker closed the relay's channel")
