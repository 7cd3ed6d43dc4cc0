"""Queries on subscriptions. Every one takes the company beside the id."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import RowMapping, delete, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.webhook_svc.subscriptions.states import Standing
from services.webhook_svc.tables import deliveries, events, subscriptions

MOST_OF_A_COMPANY: Final = 50
"""Each event of a company is stored and sent for each of them."""

_CREATING: Final = text("SELECT pg_advisory_xact_lock(hashtextextended('subscriptions of ' || :company, 0))")
_RESTART: Final = text(
    """
    UPDATE deliveries SET due_at = now(), tries = 0, trying_since = NULL
    WHERE subscription_id = :subscription AND status = 'pending' AND (claimed_by IS NULL OR due_at <= now())
    """
)


async def count_to_create(connection: AsyncConnection, company_id: int) -> int:
    """How many a company has; nobody else creates one before the transaction's end."""
    await connection.execute(_CREATING, {"company": str(company_id)})
    query = select(func.count()).where(subscriptions.c.company_id == company_id)
    number: int = (await connection.execute(query)).scalar_one()
    return number


async def create(connection: AsyncConnection, values: Mapping[str, object]) -> RowMapping:
    """Store a subscription."""
    statement = insert(subscriptions).values(**values).returning(*subscriptions.columns)
    return (await connection.execute(statement)).mappings().one()


async def of_company(connection: AsyncConnection, company_id: int) -> Sequence[RowMapping]:
    """A company's subscriptions, oldest first."""
    query = select(*subscriptions.columns).where(subscriptions.c.company_id == company_id)
    return (await connection.execute(query.order_by(subscriptions.c.id))).mappings().all()


async def find(connection: AsyncConnection, company_id: int, subscription_id: int) -> RowMapping | None:
    """One subscription."""
    query = select(*subscriptions.columns).where(
        subscriptions.c.company_id == company_id, subscriptions.c.id == subscription_id
    )
    return (await connection.execute(query)).mappings().one_or_none()


async def hold(connection: AsyncConnection, company_id: int, subscription_id: int) -> RowMapping | None:
    """One subscription, which nobody else changes before the transaction's end, nor claims deliveries of."""
    query = (
        select(*subscriptions.columns)
        .where(subscriptions.c.company_id == company_id, subscriptions.c.id == subscription_id)
        .with_for_update(key_share=True)
    )
    return (await connection.execute(query)).mappings().one_or_none()


async def change(connection: AsyncConnection, held: RowMapping, values: Mapping[str, object]) -> RowMapping:
    """Change a subscription that is held."""
    statement = (
        update(subscriptions)
        .where(subscriptions.c.company_id == held["company_id"], subscriptions.c.id == held["id"])
        .values(**values, updated_at=func.statement_timestamp())
        .returning(*subscriptions.columns)
    )
    return (await connection.execute(statement)).mappings().one()


async def stand(connection: AsyncConnection, held: RowMapping, standing: Standing) -> RowMapping:
    """Give a subscription that is held another state. One that becomes active starts anew, and so does what it waits
    for: oldest first, each tried for as long as if it had never been tried before."""
    values: dict[str, object] = {
        "state": standing.state,
        "reason": standing.reason,
        "state_since": func.statement_timestamp(),
    }
    if standing.state == "active":
        values |= {"failures": 0, "failing_since": None}
        await connection.execute(_RESTART, {"subscription": held["id"]})
    return await change(connection, held, values)


async def rotate(connection: AsyncConnection, held: RowMapping, secret: str, overlap: timedelta) -> RowMapping:
    """Give a subscription that is held another secret; the one it had stays valid for the overlap."""
    values = {
        "secret": secret,
        "previous_secret": held["secret"],
        "previous_secret_until": func.statement_timestamp() + overlap,
    }
    return await change(connection, held, values)


async def remove(connection: AsyncConnection, company_id: int, subscription_id: int) -> bool:
    """Delete a subscription with its log; whether there was one."""
    # The log of a busy one has a million rows; the gateway waits for a little longer than this.
    await connection.execute(text("SET LOCAL statement_timeout = '70s'"))
    statement = delete(subscriptions).where(
        subscriptions.c.company_id == company_id, subscriptions.c.id == subscription_id
    )
    return (await connection.execute(statement)).rowcount > 0


async def add_delivery(
    connection: AsyncConnection, held: RowMapping, event_id: UUID, event_type: str, body: bytes
) -> int:
    """Store an event for one subscription alone; returns its delivery's id."""
    await connection.execute(insert(events).values(id=event_id, type=event_type, body=body))
    statement = insert(deliveries).values(subscription_id=held["id"], event_id=event_id).returning(deliveries.c.id)
    delivery_id: int = (await connection.execute(statement)).scalar_one()
    return delivery_id
