"""Queries of the fan-out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

# The key is held, so that no subscription is deleted between being found and being delivered to; all else may change.
_SUBSCRIBERS: Final = text(
    """
    SELECT id, company_id, types FROM subscriptions
    WHERE company_id = ANY(CAST(:companies AS bigint[])) AND state <> 'disabled'
    ORDER BY id FOR KEY SHARE
    """
)
_ADD_EVENTS: Final = text(
    """
    INSERT INTO events (id, type, body)
    SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:types AS text[]), CAST(:bodies AS bytea[]))
    ON CONFLICT DO NOTHING
    """
)
# An event that comes again after the inbox has forgotten it is delivered already.
_ADD_DELIVERIES: Final = text(
    """
    INSERT INTO deliveries (subscription_id, event_id)
    SELECT subscription_id, event_id
    FROM unnest(CAST(:subscriptions AS bigint[]), CAST(:events AS uuid[])) WITH ORDINALITY
        AS wanted (subscription_id, event_id, place)
    ORDER BY place
    ON CONFLICT DO NOTHING
    """
)


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A subscription, as far as it matters which events it gets."""

    id: int
    company_id: int
    types: tuple[str, ...]


async def subscribers(connection: AsyncConnection, companies: Sequence[int]) -> list[Subscriber]:
    """The subscriptions of these companies that are not disabled."""
    rows = (await connection.execute(_SUBSCRIBERS, {"companies": companies})).mappings()
    return [Subscriber(row["id"], row["company_id"], tuple(row["types"])) for row in rows]


async def add_events(connection: AsyncConnection, events: Sequence[tuple[UUID, str, bytes]]) -> None:
    """Store events: id, type and body of each."""
    ids, types, bodies = zip(*events, strict=True)
    await connection.execute(_ADD_EVENTS, {"ids": list(ids), "types": list(types), "bodies": list(bodies)})


async def add_deliveries(connection: AsyncConnection, pairs: Sequence[tuple[int, UUID]]) -> int:
    """Store deliveries, each of an event to a subscription, in their order; returns how many are new."""
    subscriptions, events = zip(*pairs, strict=True)
    result = await connection.execute(_ADD_DELIVERIES, {"subscriptions": list(subscriptions), "events": list(events)})
    return result.rowcount
