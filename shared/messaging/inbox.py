"""The inbox: a message that is delivered twice is applied once."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.events.envelope import Envelope

RETENTION = timedelta(days=14)
"""How long a row is stored; duplicates come within seconds, or days later from a dead-letter queue."""


# The lock is taken first: while a projection is rebuilt, its consumers wait here, before they lock anything that the
# rebuild needs. The wait has the database's limit for locks, after which the batch is retried.
_CLAIM: Final = text(
    """
    WITH turn AS MATERIALIZED (SELECT pg_advisory_xact_lock_shared(hashtextextended(:consumer, 0)))
    INSERT INTO inbox (consumer, event_id)
    SELECT :consumer, unnest(CAST(:ids AS uuid[])) FROM turn
    ON CONFLICT DO NOTHING RETURNING event_id
    """
)


async def claim(connection: AsyncConnection, consumer: str, event_ids: Sequence[UUID]) -> set[UUID]:
    """Record events as applied by ``consumer`` in this transaction.

    Returns the ids that were not recorded yet: only those may be applied. While another transaction is applying one of
    them, this waits for its end.
    """
    # In one order, so that two consumers of overlapping batches cannot deadlock.
    ordered = sorted(set(event_ids))
    return set((await connection.execute(_CLAIM, {"consumer": consumer, "ids": ordered})).scalars())


async def claim_events(connection: AsyncConnection, consumer: str, events: Sequence[Envelope]) -> list[Envelope]:
    """Claim events; return those to apply, each once, in their order."""
    new_ids = await claim(connection, consumer, [event.id for event in events])
    new = []
    for event in events:
        if event.id in new_ids:
            new_ids.remove(event.id)  # a message may also be twice in one batch
            new.append(event)
    return new


async def reset(connection: AsyncConnection, consumer: str) -> None:
    """Delete the rows of ``consumer``, and block it from applying anything until this transaction ends."""
    parameters = {"consumer": consumer}
    await connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:consumer, 0))"), parameters)
    await connection.execute(text("DELETE FROM inbox WHERE consumer = :consumer"), parameters)


async def delete_expired(connection: AsyncConnection) -> int:
    """Delete the rows that are older than ``RETENTION``; return their number."""
    result = await connection.execute(
        text("DELETE FROM inbox WHERE applied_at < now() - CAST(:retention AS interval)"), {"retention": RETENTION}
    )
    return result.rowcount
