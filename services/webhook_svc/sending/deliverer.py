"""Sends what is due, many messages at once, and records what came of each."""

import asyncio
import time
from collections.abc import Iterable
from datetime import timedelta
from typing import Final
from uuid import uuid4

import structlog
from prometheus_client import Counter, Gauge, Histogram

from services.webhook_svc.sending import repository
from services.webhook_svc.sending.attempt import Outcome, Sender
from services.webhook_svc.sending.delivery_policy import Verdict, judge
from services.webhook_svc.sending.repository import Claimed
from shared.background import wait_for_event
from shared.database.availability import is_unavailable
from shared.database.engine import Database

POLL_SECONDS: Final = 1.0
"""What other processes stored, and what was put off, is noticed so soon."""
MEASURE_SECONDS: Final = 15.0
FINISH_SECONDS: Final = 5.0
"""How long attempts under way may take to end when the process stops; the rest is given back."""
AGAIN_SECONDS: Final = 0.5
"""Until the database is asked again that was away."""
LEASE_MARGIN: Final = timedelta(seconds=30)
"""Longer than an attempt by this much: what is left for recording it while the database is slow or away."""

DELIVERIES = Counter("webhook_attempts_total", "Attempts to deliver, by what became of the delivery", ["result"])
SECONDS = Histogram(
    "webhook_attempt_seconds",
    "From the start of an attempt to the status of its answer, or to its failure",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
PAUSED = Counter("webhook_subscriptions_paused_total", "Subscriptions paused because they failed for a day")
DUE = Gauge("webhook_due", "Deliveries that are due and not yet taken")
OLDEST = Gauge("webhook_oldest_due_seconds", "How long the first of those has been due")
WAITING = Gauge("webhook_waiting", "Deliveries under way, or waiting for their next attempt")
HELD = Gauge("webhook_held", "Deliveries kept for subscriptions that are not active")

logger = structlog.get_logger(__name__)


class Deliverer:
    """Background work: delivers.

    Parameters
    ----------
    database
        Where deliveries are.
    sender
        Makes attempts.
    attempt_seconds
        How long one may take.
    concurrency, concurrency_per_subscription
        Most attempts at once: in this process, and at one subscription in all processes.
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
    ) -> None:
        self.ready = False
        self._database = database
        self._sender = sender
        self._lease = timedelta(seconds=attempt_seconds) + LEASE_MARGIN
        self._concurrency = concurrency
        self._at_once = concurrency_per_subscription
        self._under_way: dict[asyncio.Task[None], Claimed] = {}
        self._woken = asyncio.Event()

    async def wake(self) -> None:
        """Have it look for what is due now, instead of within a second."""
        self._woken.set()

    async def run(self) -> None:
        """Deliver until cancelled; while the database is away, wait for it."""
        await self._database.check()
        self.ready = True
        measured = -MEASURE_SECONDS
        try:
            while True:
                self._woken.clear()
                try:
                    if time.monotonic() - measured >= MEASURE_SECONDS:
                        await self._measure()
                        measured = time.monotonic()
                    claimed = await self._claim()
                except Exception as error:
                    if not is_unavailable(error):
                        raise
                    # What is under way goes on, and is recorded when the database is back.
                    logger.warning("database_away", work=self.name, error=repr(error))
                    await asyncio.sleep(AGAIN_SECONDS)
                    continue
                for each in claimed:
                    task = asyncio.create_task(self._deliver(each))
                    self._under_way[task] = each
                    task.add_done_callback(self._ended)
                if not claimed:
                    await wait_for_event(self._woken, at_latest=POLL_SECONDS)
        finally:
            await self._finish()

    async def _claim(self) -> list[Claimed]:
        free = self._concurrency - len(self._under_way)
        if free <= 0:
            return []
        async with self._database.transaction() as connection:
            return await repository.claim(connection, uuid4(), most=free, at_once=self._at_once, lease=self._lease)

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._under_way[task]
        self._woken.set()  # its place is free
        if not task.cancelled() and (error := task.exception()) is not None:
            # Its lease ends, and it is delivered again.
            logger.error("delivery_not_recorded", exc_info=error)

    async def _deliver(self, claimed: Claimed) -> None:
        outcome = await self._sender.send(claimed.message)
        verdict = judge(
            outcome, claimed.event_type, claimed.tries + 1, claimed.tried_for + timedelta(seconds=outcome.seconds)
        )
        paused = await self._record(claimed, outcome, verdict)
        DELIVERIES.labels(verdict.result).inc()
        SECONDS.observe(outcome.seconds)
        if paused:
            PAUSED.inc()
            logger.warning("subscription_paused", subscription_id=claimed.subscription_id, error=outcome.error)

    async def _record(self, claimed: Claimed, outcome: Outcome, verdict: Verdict) -> bool:
        """Record an outcome; while the database is away, try again for as long as the lease holds."""
        async with asyncio.timeout(LEASE_MARGIN.total_seconds()):
            while True:
                try:
                    async with self._database.transaction() as connection:
                        return await repository.record(connection, claimed, outcome, verdict)
                except Exception as error:
                    if not is_unavailable(error):
                        raise
                    logger.warning("database_away", delivery_id=claimed.id, error=repr(error))
                    await asyncio.sleep(AGAIN_SECONDS)

    async def _finish(self) -> None:
        """Let attempts end that are about to; give back the rest, which a receiver may then get twice."""
        if not self._under_way:
            return
        _done, late = await asyncio.wait(self._under_way, timeout=FINISH_SECONDS)
        given_up = [self._under_way[task] for task in late]
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)
            await self._release(given_up)

    async def _release(self, claims: Iterable[Claimed]) -> None:
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
