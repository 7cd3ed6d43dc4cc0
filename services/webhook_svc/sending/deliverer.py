"""The deliverer: sends due deliveries, many at once, and records the outcomes."""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import uuid4

import structlog
from prometheus_client import Counter, Gauge, Histogram

from services.webhook_svc.sending import repository
from services.webhook_svc.sending.attempt import Outcome
from services.webhook_svc.sending.delivery_policy import Decision, decide
from services.webhook_svc.sending.repository import ClaimedDelivery
from services.webhook_svc.sending.sender import Sender
from shared.background import wait_for_event
from shared.database.availability import is_unavailable
from shared.database.engine import Database

LEASE_MARGIN: Final = timedelta(seconds=30)
"""How much longer than an attempt a lease lasts: time to record the outcome while the database is slow or away."""

ATTEMPTS = Counter("webhook_attempts_total", "Attempts, by the result for the delivery", ["result"])
SECONDS = Histogram(
    "webhook_attempt_seconds",
    "From the start of an attempt to the status of its response, or to its failure",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
PAUSED = Counter("webhook_subscriptions_paused_total", "Subscriptions paused because they failed for a day")
DUE = Gauge("webhook_due", "Deliveries that are due and not claimed")
OLDEST = Gauge("webhook_oldest_due_seconds", "How long the first due delivery has been due")
WAITING = Gauge("webhook_waiting", "Deliveries in progress, or waiting for their next attempt")
HELD = Gauge("webhook_held", "Deliveries retained for subscriptions that are not active")

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Timings:
    """Intervals of the deliverer, in seconds."""

    poll: float = 1.0
    """Maximum delay before deliveries that another process stored, or whose pause ended, are noticed."""
    measure: float = 15.0
    """Between two measurements of the backlog."""
    drain: float = 5.0
    """How long attempts in progress may take to end when the process stops; the rest is released."""
    reconnect: float = 0.5
    """Before the next try while the database is away."""


class Deliverer:
    """Background work that sends due deliveries.

    Parameters
    ----------
    database
        The service's database.
    sender
        Makes attempts.
    attempt_seconds
        Deadline of one attempt.
    concurrency
        Maximum number of attempts at once in this process.
    concurrency_per_subscription
        Maximum number of attempts at once for one subscription, in all processes together.
    timings
        Intervals; tests shorten them.
    """

    name = "deliverer"

    def __init__(
        self,
        database: Database,
        sender: Sender,
        *,
        attempt_seconds: float,
        concurrency: int,
        concurrency_per_subscription: int,
        timings: Timings = Timings(),
    ) -> None:
        self.ready = False
        self._database = database
        self._sender = sender
        self._lease = timedelta(seconds=attempt_seconds) + LEASE_MARGIN
        self._concurrency = concurrency
        self._concurrency_per_subscription = concurrency_per_subscription
        self._timings = timings
        self._in_progress: dict[asyncio.Task[None], ClaimedDelivery] = {}
        self._wakeup = asyncio.Event()

    async def notify(self) -> None:
        """Wake up and claim due deliveries now, not at the next poll."""
        self._wakeup.set()

    async def run(self) -> None:
        """Send deliveries until cancelled; while the database is away, wait for it."""
        await self._database.check()
        self.ready = True
        measured_at = -self._timings.measure
        try:
            while True:
                self._wakeup.clear()
                try:
                    if time.monotonic() - measured_at >= self._timings.measure:
                        await self._measure()
                        measured_at = time.monotonic()
                    claims = await self._claim()
                except Exception as error:
                    if not is_unavailable(error):
                        raise
                    # Attempts in progress continue, and are recorded when the database is back.
                    logger.warning("database_away", work=self.name, error=repr(error))
                    await asyncio.sleep(self._timings.reconnect)
                    continue
                for claimed in claims:
                    task = asyncio.create_task(self._deliver(claimed))
                    self._in_progress[task] = claimed
                    task.add_done_callback(self._on_done)
                if not claims:
                    await wait_for_event(self._wakeup, at_latest=self._timings.poll)
        finally:
            await self._drain()

    async def _claim(self) -> list[ClaimedDelivery]:
        free = self._concurrency - len(self._in_progress)
        if free <= 0:
            return []
        async with self._database.transaction() as connection:
            return await repository.claim(
                connection,
                uuid4(),
                limit=free,
                limit_per_subscription=self._concurrency_per_subscription,
                lease=self._lease,
            )

    def _on_done(self, task: asyncio.Task[None]) -> None:
        del self._in_progress[task]
        self._wakeup.set()  # its slot is free
        if not task.cancelled() and (error := task.exception()) is not None:
            # Its lease ends, and the delivery is sent again.
            logger.error("delivery_not_recorded", exc_info=error)

    async def _deliver(self, claimed: ClaimedDelivery) -> None:
        outcome = await self._sender.send(claimed.message)
        decision = decide(
            outcome, claimed.event_type, claimed.tries + 1, claimed.tried_for + timedelta(seconds=outcome.seconds)
        )
        paused = await self._record(claimed, outcome, decision)
        ATTEMPTS.labels(decision.result).inc()
        SECONDS.observe(outcome.seconds)
        if paused:
            PAUSED.inc()
            logger.warning("subscription_paused", subscription_id=claimed.subscription_id, error=outcome.error)

    async def _record(self, claimed: ClaimedDelivery, outcome: Outcome, decision: Decision) -> bool:
        """Record an outcome; while the database is away, retry until the lease ends."""
        async with asyncio.timeout(LEASE_MARGIN.total_seconds()):
            while True:
                try:
                    async with self._database.transaction() as connection:
                        return await repository.record(connection, claimed, outcome, decision)
                except Exception as error:
                    if not is_unavailable(error):
                        raise
                    logger.warning("database_away", delivery_id=claimed.id, error=repr(error))
                    await asyncio.sleep(self._timings.reconnect)

    async def _drain(self) -> None:
        """Let attempts in progress end for a while; release the rest, which a receiver may then get twice."""
        if not self._in_progress:
            return
        _done, late = await asyncio.wait(self._in_progress, timeout=self._timings.drain)
        cancelled = [self._in_progress[task] for task in late]
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)
            await self._release(cancelled)

    async def _release(self, claims: Iterable[ClaimedDelivery]) -> None:
        try:
            async with self._database.transaction() as connection:
                await repository.release(connection, list(claims))
        except Exception as error:
            if not is_unavailable(error):
                raise
            logger.warning("deliveries_not_released", error=repr(error))  # their leases end by themselves

    async def _measure(self) -> None:
        async with self._database.transaction() as connection:
            backlog = await repository.backlog(connection)
        DUE.set(backlog.due)
        OLDEST.set(backlog.oldest_seconds)
        WAITING.set(backlog.waiting)
        HELD.set(backlog.held)
