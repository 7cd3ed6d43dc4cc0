"""Queries of the deliverer: claims of due deliveries, and records of attempts.

A claim is a lease: ``claimed_by`` has the claim's id and ``due_at`` the end of the lease. No transaction is open while
a message is being sent, and the claims of a process that died become due by themselves.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import and_, delete, exists, extract, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.webhook_svc.domain.delivery_status import DeliveryStatus
from services.webhook_svc.domain.subscription_state import (
    FAILING,
    GONE,
    SubscriptionStatus,
    is_to_be_paused,
)
from services.webhook_svc.sending.attempt import Message, Outcome
from services.webhook_svc.sending.delivery_policy import Decision, Result
from services.webhook_svc.tables import deliveries, events, subscriptions
from shared.database.engine import driver_connection
from shared.database.queries import load_queries
from shared.ids import DeliveryId, SubscriptionId

SUSPECT_AFTER: Final = 3
"""Failed attempts in a row after which a subscription gets one attempt at a time, until one succeeds."""

_QUERIES: Final = load_queries(__file__, "queries.sql")
_STATUS_AFTER: Final[dict[Result, DeliveryStatus]] = {
    Result.DELIVERED: DeliveryStatus.DELIVERED,
    Result.RETRIED: DeliveryStatus.PENDING,
    Result.FAILED: DeliveryStatus.FAILED,
    Result.GONE: DeliveryStatus.FAILED,
}
_EXPIRED_BATCH: Final = 5_000


@dataclass(frozen=True, slots=True)
class ClaimedDelivery:
    """A delivery that only this process may send until its lease ends."""

    id: DeliveryId
    claim_id: UUID
    subscription_id: SubscriptionId
    event_type: str
    tries: int
    """Attempts before this one."""
    tried_for: timedelta
    """Time since the start of the first attempt."""
    message: Message


@dataclass(frozen=True, slots=True)
class Backlog:
    """Numbers of pending deliveries."""

    due: int
    oldest_seconds: float
    """How long the first of the due deliveries has been due; 0 when there is none."""
    waiting: int
    """Waiting for their next attempt, or in progress."""
    held: int
    """Waiting for a subscription that is not active."""


async def claim(
    connection: AsyncConnection,
    claim_id: UUID,
    *,
    limit: int,
    limit_per_subscription: int,
    lease: timedelta,
) -> list[ClaimedDelivery]:
    """Claim due deliveries, in the order in which they are to be sent.

    Parameters
    ----------
    claim_id
        Id of this claim alone.
    limit
        Maximum number of deliveries.
    limit_per_subscription
        Maximum number of deliveries of one subscription that are claimed at a time, in all processes together.
    lease
        How long no other process may claim them.
    """
    ready = await _lock_ready(connection, limit)
    if not ready:
        return []
    driver = await driver_connection(connection)
    rows = await driver.fetch(_QUERIES.claim, ready, SUSPECT_AFTER, limit_per_subscription, limit, claim_id, lease)
    return [
        ClaimedDelivery(
            id=DeliveryId(row["id"]),
            claim_id=claim_id,
            subscription_id=SubscriptionId(row["subscription_id"]),
            event_type=row["type"],
            tries=row["tries"],
            tried_for=row["tried_for"],
            message=Message(
                url=row["url"],
                keys=tuple(key for key in (row["secret"], row["previous_secret"]) if key is not None),
                event_id=row["event_id"],
                body=row["body"],
            ),
        )
        for row in rows
    ]


async def record(connection: AsyncConnection, claimed: ClaimedDelivery, outcome: Outcome, decision: Decision) -> bool:
    """Record an attempt, and change its delivery and its subscription as decided.

    The subscription's row is locked before the delivery's, as in every transaction that changes both.

    Returns
    -------
    bool
        Whether the subscription was paused.
    """
    paused = False
    if decision.result is Result.DELIVERED:
        await _record_success(connection, claimed.subscription_id)
    elif decision.result is Result.GONE:
        await _record_gone(connection, claimed.subscription_id)
    elif decision.counts:
        paused = await _record_failure(connection, claimed.subscription_id, outcome)
    driver = await driver_connection(connection)
    await driver.execute(
        _QUERIES.record_attempt,
        claimed.id,
        claimed.claim_id,
        _STATUS_AFTER[decision.result],
        decision.pause,
        outcome.started_at,
        round(outcome.seconds * 1000),
        outcome.http_status,
        outcome.error,
    )
    return paused


async def release(connection: AsyncConnection, claims: Sequence[ClaimedDelivery]) -> None:
    """Release deliveries that were claimed and not recorded: they are due at once."""
    statement = (
        update(deliveries)
        .where(
            deliveries.c.id.in_([claimed.id for claimed in claims]),
            deliveries.c.claimed_by.in_({claimed.claim_id for claimed in claims}),
        )
        .values(claimed_by=None, due_at=func.now())
    )
    await connection.execute(statement)


async def backlog(connection: AsyncConnection) -> Backlog:
    """Count the pending deliveries."""
    is_active = subscriptions.c.state == SubscriptionStatus.ACTIVE
    is_due = and_(is_active, deliveries.c.due_at <= func.now())
    oldest = extract("epoch", func.now() - func.min(deliveries.c.due_at).filter(is_due))
    query = (
        select(
            func.count().filter(is_due),
            func.coalesce(oldest, 0),
            func.count().filter(is_active, ~is_due),
            func.count().filter(~is_active),
        )
        .select_from(deliveries)
        .join(subscriptions, subscriptions.c.id == deliveries.c.subscription_id)
        .where(deliveries.c.status == DeliveryStatus.PENDING)
    )
    due, oldest_seconds, waiting, waiting_for_subscription = (await connection.execute(query)).one()
    return Backlog(due, float(oldest_seconds), waiting, waiting_for_subscription)


async def delete_expired(connection: AsyncConnection, retention: timedelta) -> int:
    """Delete events that are older than the retention, with their deliveries and attempts; returns how many."""
    expired = (
        select(events.c.id)
        .where(events.c.received_at < func.now() - retention)
        .order_by(events.c.received_at)
        .limit(_EXPIRED_BATCH)
    )
    statement = delete(events).where(events.c.id.in_(expired))
    deleted = 0
    while True:
        batch = (await connection.execute(statement)).rowcount
        deleted += batch
        if batch < _EXPIRED_BATCH:
            return deleted


async def _lock_ready(connection: AsyncConnection, limit: int) -> Sequence[SubscriptionId]:
    """Lock active subscriptions with due deliveries.

    A process that claims for a subscription locks its row, so that the limit per subscription applies to all processes
    together. The order is random, so that no subscription is always the last. A company that changes its subscription
    waits no longer than the claim takes.
    """
    has_due = exists().where(
        deliveries.c.subscription_id == subscriptions.c.id,
        deliveries.c.status == DeliveryStatus.PENDING,
        deliveries.c.due_at <= func.now(),
    )
    query = (
        select(subscriptions.c.id)
        .where(subscriptions.c.state == SubscriptionStatus.ACTIVE, has_due)
        .order_by(func.random())
        .limit(limit)
        .with_for_update(key_share=True, skip_locked=True)
    )
    return [SubscriptionId(row.id) for row in await connection.execute(query)]


async def _record_success(connection: AsyncConnection, subscription_id: SubscriptionId) -> None:
    statement = (
        update(subscriptions)
        .where(subscriptions.c.id == subscription_id, subscriptions.c.failing_since.is_not(None))
        .values(failures=0, failing_since=None)
    )
    await connection.execute(statement)


async def _record_gone(connection: AsyncConnection, subscription_id: SubscriptionId) -> None:
    statement = (
        update(subscriptions)
        .where(subscriptions.c.id == subscription_id, subscriptions.c.state != SubscriptionStatus.DISABLED)
        .values(state=GONE.status, reason=GONE.reason, state_since=func.now())
    )
    await connection.execute(statement)


async def _record_failure(connection: AsyncConnection, subscription_id: SubscriptionId, outcome: Outcome) -> bool:
    """Count a failure; returns whether it paused the subscription."""
    query = (
        select(subscriptions.c.state, subscriptions.c.failing_since, func.now().label("now"))
        .where(subscriptions.c.id == subscription_id)
        .with_for_update(key_share=True)
    )
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        return False  # deleted, and the delivery with it
    failing_since = row.failing_since or outcome.started_at
    columns: dict[str, object] = {"failures": subscriptions.c.failures + 1, "failing_since": failing_since}
    pauses = is_to_be_paused(SubscriptionStatus(row.state), failing_since, row.now)
    if pauses:
        columns |= {"state": FAILING.status, "reason": FAILING.reason, "state_since": func.now()}
    await connection.execute(update(subscriptions).where(subscriptions.c.id == subscription_id).values(columns))
    return pauses
