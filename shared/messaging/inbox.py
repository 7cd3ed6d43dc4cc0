"""The inbox: a message delivered twice is applied once."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

KEPT = timedelta(days=14)
"""How long an applied message is remembered; duplicates come within seconds, or days later from a dead-letter queue."""


async def claim(connection: AsyncConnection, consumer: str, event_ids: Sequence[UUID]) -> set[UUID]:
    """Mark events as applied by ``consumer`` in this transaction.

    Returns the ids that were not yet: only those may be applied. When another transaction is just applying one of
    them, this waits for its end.
    """
    # In one order, so that two consumers of overlapping batches cannot wait for each other.
    ordered = sorted(set(event_ids))
    result = await connection.execute(
        text(
            "INSERT INTO inbox (consumer, event_id) SELECT :consumer, unnest(CAST(:ids AS uuid[]))"
            " ON CONFLICT DO NOTHING RETURNING event_id"
        ),
        {"consumer": consumer, "ids": ordered},
    )
    return set(result.scalars())


async def forget_old(connection: AsyncConnection) -> int:
    """Delete what was applied longer ago than ``KEPT``; returns how many rows."""
    result = await connection.execute(
        text("DELETE FROM inbox WHERE applied_at < now() - CAST(:kept AS interval)"), {"kept": KEPT}
    )
    return result.rowcount
