"""The inbox: a message delivered twice is applied once."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.events.envelope import Envelope

KEPT = timedelta(days=14)
"""How long an applied message is remembered; duplicates come within seconds, or days later from a dead-letter queue."""


# The lock is taken first: while a projection is built anew, its consumers wait here, before they hold anything that the
# rebuild needs. The wait has the database's limit for locks, after which the batch is tried again.
_CLAIM: Final = text(
    """
    WITH turn AS MATERIALIZED (SELECT pg_advisory_xact_lock_shared(hashtextextended(:consumer, 0)))
    INSERT INTO inbox (consumer, event_id)
    SELECT :consumer, unnest(CAST(:ids AS uuid[])) FROM turn
    ON CONFLICT DO NOTHING RETURNING event_id
    """
)


async def claim(connection: AsyncConnection, consumer: str, event_ids: Sequence[UUID]) -> set[UUID]:
    """Mark events as applied by ``consumer`` in this transaction.

    Returns the ids that were not yet: only those may be applied. When another transaction is just applying one of
    them, this waits for its end.
    """
    # In one order, so that two consumers of overlapping batches cannot wait for each other.
    ordered = sorted(set(event_ids))
    return set((await connection.execute(_CLAIM, {"consumer": consumer, "ids": ordered})).scalars())


async def claim_events(connection: AsyncConnection, consumer: str, events: Sequence[Envelope]) -> list[Envelope]:
    """Claim events; returns those to apply, each once, in their order."""
    fresh = await claim(connection, consumer, [event.id for event in events])
    todo = []
    for event in events:
        if event.id in fresh:
            fresh.remove(event.id)  # a message may also stand twice in one batch
            todo.append(event)
    return todo


async def reset(connection: AsyncConnection, consumer: str) -> None:
    """Forget all that ``consumer`` has applied, and keep it from applying anything until this transaction ends."""
    named = {"consumer": consumer}
    await connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:consumer, 0))"), named)
    await connection.execute(text("DELETE FROM inbox WHERE consumer = :consumer"), named)


async def delete_expired(connection: AsyncConnection) -> int:
    """Delete what was applied longer ago than ``KEPT``; returns how many rows."""
    result = await connection.execute(
        text("DELETE FROM inbox WHERE applied_at < now() - CAST(:kept AS interval)"), {"kept": KEPT}
    )
    return result.rowcount
