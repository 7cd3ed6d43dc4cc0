"""Queries of the fan-out. They run on the driver: each takes a whole batch."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.database.engine import driver_connection
from shared.database.queries import load_queries
from shared.ids import CompanyId, SubscriptionId

_QUERIES: Final = load_queries(__file__, "queries.sql")


@dataclass(frozen=True, slots=True)
class Subscriber:
    """The part of a subscription that decides which events it gets."""

    id: SubscriptionId
    company_id: CompanyId
    types: tuple[str, ...]


async def lock_subscribers(connection: AsyncConnection, companies: Sequence[int]) -> list[Subscriber]:
    """Return the subscriptions of these companies that are not disabled; they cannot be deleted meanwhile."""
    driver = await driver_connection(connection)
    rows = await driver.fetch(_QUERIES.lock_subscribers, companies)
    return [Subscriber(SubscriptionId(row["id"]), CompanyId(row["company_id"]), tuple(row["types"])) for row in rows]


async def add_events(connection: AsyncConnection, events: Sequence[tuple[UUID, str, bytes]]) -> None:
    """Store events: id, type and body of each."""
    ids, types, bodies = zip(*events, strict=True)
    driver = await driver_connection(connection)
    await driver.execute(_QUERIES.add_events, ids, types, bodies)


async def add_deliveries(connection: AsyncConnection, pairs: Sequence[tuple[SubscriptionId, UUID]]) -> int:
    """Store a delivery for each pair of subscription and event, in this order; returns how many are new."""
    subscription_ids, event_ids = zip(*pairs, strict=True)
    driver = await driver_connection(connection)
    added: int = await driver.fetchval(_QUERIES.add_deliveries, subscription_ids, event_ids)
    return added
