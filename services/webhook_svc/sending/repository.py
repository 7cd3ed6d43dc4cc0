"""Queries of the deliverers: what is due is claimed, and what came of it is recorded.

A claim is a lease: ``claimed_by`` and the time at which it ends in ``due_at``. Nothing is locked while a message is on
its way, and what a deliverer that died had claimed is due again by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.webhook_svc.sending.attempt import Message, Outcome
from services.webhook_svc.sending.delivery_policy import Verdict
from services.webhook_svc.subscriptions.states import FAILING, GONE, PAUSED_AFTER

SUSPECT_AFTER: Final = 3
"""Failed attempts in a row after which a subscription gets one attempt at a time until one succeeds."""

# Whoever claims for a subscription holds its row, so that the bound of each holds for all processes together. In any
# order, so that none is always the last. A change of it by its company does not wait for more than this statement.
_READY: Final = text(
    """
    SELECT id FROM subscriptions
    WHERE state = 'active' AND EXISTS (
        SELECT FROM deliveries WHERE subscription_id = subscriptions.id AND status = 'pending' AND due_at <= now()
    )
    ORDER BY random() LIMIT :most FOR NO KEY UPDATE SKIP LOCKED
    """
)
# A statement of its own: its snapshot has what others claimed until the rows above were locked.
_CLAIM: Final = text(
    """
    WITH due AS (
        SELECT picked.id FROM unnest(CAST(:subscriptions AS bigint[])) AS ready (subscription_id)
        JOIN subscriptions ON subscriptions.id = ready.subscription_id
        CROSS JOIN LATERAL (
            SELECT greatest(
                0, CASE WHEN failures >= :suspect_after THEN 1 ELSE CAST(:at_once AS bigint) END - count(*)
            ) AS room
            FROM deliveries
            WHERE deliveries.subscription_id = ready.subscription_id AND claimed_by IS NOT NULL AND due_at > now()
        ) AS free
        CROSS JOIN LATERAL (
            SELECT id FROM deliveries
            WHERE deliveries.subscription_id = ready.subscription_id AND status = 'pending' AND due_at <= now()
            ORDER BY due_at, id LIMIT free.room FOR UPDATE SKIP LOCKED
        ) AS picked
        LIMIT :most
    ), claimed AS (
        UPDATE deliveries SET
            claimed_by = :claim,
            due_at = now() + CAST(:lease AS interval),
            trying_since = coalesce(trying_since, now())
        FROM due WHERE deliveries.id = due.id
        RETURNING deliveries.id, subscription_id, event_id, tries, now() - trying_since AS tried_for
    )
    SELECT claimed.*, events.type, events.body, url, secret,
        CASE WHEN previous_secret_until > now() THEN previous_secret END AS previous_secret
    FROM claimed
    JOIN events ON events.id = claimed.event_id
    JOIN subscriptions ON subscriptions.id = claimed.subscription_id
    ORDER BY claimed.id
    """
)
_SUCCEEDED: Final = text(
    "UPDATE subscriptions SET failures = 0, failing_since = NULL WHERE id = :subscription AND failing_since IS NOT NULL"
)
_FAILED: Final = text(
    """
    WITH failing AS (
        SELECT id, since, state = 'active' AND since <= now() - CAST(:paused_after AS interval) AS pauses
        FROM subscriptions, coalesce(failing_since, CAST(:started_at AS timestamptz)) AS since
        WHERE id = :subscription FOR NO KEY UPDATE OF subscriptions
    )
    UPDATE subscriptions SET
        failures = failures + 1,
        failing_since = since,
        state = CASE WHEN pauses THEN :state ELSE state END,
        reason = CASE WHEN pauses THEN :reason ELSE reason END,
        state_since = CASE WHEN pauses THEN now() ELSE state_since END
    FROM failing WHERE subscriptions.id = failing.id
    RETURNING pauses
    """
)
_GONE: Final = text(
    """
    UPDATE subscriptions SET state = :state, reason = :reason, state_since = now()
    WHERE id = :subscription AND state <> 'disabled'
    """
)
_SETTLE: Final = text(
    """
    WITH settled AS (
        UPDATE deliveries SET
            status = :status, tries = tries + 1, claimed_by = NULL, due_at = now() + CAST(:pause AS interval)
        WHERE id = :id AND claimed_by = :claim
        RETURNING id
    )
    INSERT INTO attempts (delivery_id, number, started_at, milliseconds, http_status, error)
    SELECT id, (SELECT coalesce(max(number), 0) + 1 FROM attempts WHERE delivery_id = id),
        :started_at, :milliseconds, :http_status, :error
    FROM settled
    RETURNING number
    """
)
_RELEASE: Final = text(
    """
    UPDATE deliveries SET claimed_by = NULL, due_at = now()
    WHERE id = ANY(CAST(:ids AS bigint[])) AND claimed_by = ANY(CAST(:claims AS uuid[]))
    """
)
_BACKLOG: Final = text(
    """
    SELECT count(*) FILTER (WHERE is_due) AS due,
        coalesce(extract(epoch FROM now() - min(due_at) FILTER (WHERE is_due)), 0)::float8 AS oldest,
        count(*) FILTER (WHERE state = 'active' AND NOT is_due) AS waiting,
        count(*) FILTER (WHERE state <> 'active') AS held
    FROM deliveries JOIN subscriptions ON subscriptions.id = subscription_id,
        LATERAL (SELECT state = 'active' AND due_at <= now() AS is_due) AS judged
    WHERE status = 'pending'
    """
)
_FORGET: Final = text(
    """
    DELETE FROM events WHERE id IN (
        SELECT id FROM events WHERE received_at < now() - CAST(:kept AS interval) ORDER BY received_at LIMIT :most
    )
    """
)
_FORGET_SECRETS: Final = text(
    "UPDATE subscriptions SET previous_secret = NULL, previous_secret_until = NULL WHERE previous_secret_until <= now()"
)
_FORGOTTEN_AT_ONCE: Final = 5_000


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that is this deliverer's to make, until its lease ends."""

    id: int
    claim: UUID
    subscription_id: int
    event_type: str
    tries: int
    """Attempts before this one."""
    tried_for: timedelta
    """Since the first of them began."""
    message: Message


@dataclass(frozen=True, slots=True)
class Backlog:
    """Deliveries that are not settled."""

    due: int
    oldest_seconds: float
    """How long the first of them has been due."""
    waiting: int
    """For their next attempt, or for the end of this one."""
    held: int
    """For a subscription that is not active."""


async def claim(
    connection: AsyncConnection, claim_id: UUID, *, most: int, at_once: int, lease: timedelta
) -> list[Claimed]:
    """Claim what is due, in the order in which it is to be sent.

    Parameters
    ----------
    claim_id
        Of this claim alone.
    most
        Largest number of deliveries.
    at_once
        Most deliveries of one subscription that may be claimed at a time, by whomever.
    lease
        How long they are nobody else's.
    """
    ready = (await connection.execute(_READY, {"most": most})).scalars().all()
    if not ready:
        return []
    parameters = {
        "subscriptions": ready,
        "suspect_after": SUSPECT_AFTER,
        "at_once": at_once,
        "most": most,
        "claim": claim_id,
        "lease": lease,
    }
    rows = (await connection.execute(_CLAIM, parameters)).mappings()
    return [
        Claimed(
            id=row["id"],
            claim=claim_id,
            subscription_id=row["subscription_id"],
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


async def record(connection: AsyncConnection, claimed: Claimed, outcome: Outcome, verdict: Verdict) -> bool:
    """Record an attempt and what becomes of its delivery and of its subscription.

    The subscription's row comes first: whoever changes a subscription and its deliveries holds it before them.

    Returns
    -------
    bool
        Whether the subscription was paused.
    """
    paused = False
    of_subscription = {"subscription": claimed.subscription_id}
    if verdict.result == "delivered":
        await connection.execute(_SUCCEEDED, of_subscription)
    elif verdict.result == "gone":
        await connection.execute(_GONE, of_subscription | {"state": GONE.state, "reason": GONE.reason})
    elif verdict.counts:
        failed = {
            "started_at": outcome.started_at,
            "paused_after": PAUSED_AFTER,
            "state": FAILING.state,
            "reason": FAILING.reason,
        }
        paused = bool((await connection.execute(_FAILED, of_subscription | failed)).scalar())
    settled = {
        "id": claimed.id,
        "claim": claimed.claim,
        "status": {"delivered": "delivered", "retried": "pending"}.get(verdict.result, "failed"),
        "pause": verdict.pause,
        "started_at": outcome.started_at,
        "milliseconds": round(outcome.seconds * 1000),
        "http_status": outcome.http_status,
        "error": outcome.error,
    }
    await connection.execute(_SETTLE, settled)
    return paused


async def release(connection: AsyncConnection, claims: Sequence[Claimed]) -> None:
    """Give back what was claimed and not recorded: it is due at once."""
    given_back = {"ids": [each.id for each in claims], "claims": list({each.claim for each in claims})}
    await connection.execute(_RELEASE, given_back)


async def backlog(connection: AsyncConnection) -> Backlog:
    """What there is to be sent."""
    row = (await connection.execute(_BACKLOG)).mappings().one()
    return Backlog(row["due"], row["oldest"], row["waiting"], row["held"])


async def delete_expired(connection: AsyncConnection, kept: timedelta) -> int:
    """Delete events that came longer ago than ``kept``, with all that became of them; returns how many."""
    forgotten = 0
    while True:
        result = await connection.execute(_FORGET, {"kept": kept, "most": _FORGOTTEN_AT_ONCE})
        forgotten += result.rowcount
        if result.rowcount < _FORGOTTEN_AT_ONCE:
            return forgotten


async def forget_secrets(connection: AsyncConnection) -> int:
    """Delete secrets that are no longer valid; returns how many."""
    return (await connection.execute(_FORGET_SECRETS)).rowcount
