"""Queries on subscriptions. Each takes the company in addition to the id."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.webhook_svc.domain.delivery_status import DeliveryStatus
from services.webhook_svc.domain.subscription_state import (
    StatusReason,
    SubscriptionState,
    SubscriptionStatus,
    initial_state,
)
from services.webhook_svc.subscriptions.subscription import Subscription, SubscriptionValues
from services.webhook_svc.tables import deliveries, events, is_unclaimed, subscriptions
from shared.ids import CompanyId, DeliveryId, SubscriptionId

_DELETE_TIMEOUT = "70s"
"""The log of a busy subscription has a million rows; the gateway waits a little longer than this."""


async def lock_and_count(connection: AsyncConnection, company_id: CompanyId) -> int:
    """Return how many subscriptions a company has; no other transaction creates one before the end of this one."""
    lock = func.pg_advisory_xact_lock(func.hashtextextended(f"subscriptions of {company_id}", 0))
    await connection.execute(select(lock))
    query = select(func.count()).where(subscriptions.c.company_id == company_id)
    number: int = (await connection.execute(query)).scalar_one()
    return number


async def create(
    connection: AsyncConnection, company_id: CompanyId, values: SubscriptionValues, secret: str
) -> Subscription:
    """Store a new subscription."""
    statement = (
        insert(subscriptions)
        .values(
            company_id=company_id, secret=secret, **_columns(values), **_state_columns(initial_state(values.active))
        )
        .returning(*subscriptions.columns)
    )
    return _subscription((await connection.execute(statement)).one())


async def list_of_company(connection: AsyncConnection, company_id: CompanyId) -> list[Subscription]:
    """Return a company's subscriptions, oldest first."""
    query = select(subscriptions).where(subscriptions.c.company_id == company_id).order_by(subscriptions.c.id)
    return [_subscription(row) for row in await connection.execute(query)]


async def find(
    connection: AsyncConnection, company_id: CompanyId, subscription_id: SubscriptionId
) -> Subscription | None:
    """Return one subscription, or None."""
    query = select(subscriptions).where(*_is(company_id, subscription_id))
    row = (await connection.execute(query)).one_or_none()
    return _subscription(row) if row else None


async def lock_for_update(
    connection: AsyncConnection, company_id: CompanyId, subscription_id: SubscriptionId
) -> Subscription | None:
    """Return one subscription, or None.

    No other transaction changes it or claims its deliveries before the end of this one.
    """
    query = select(subscriptions).where(*_is(company_id, subscription_id)).with_for_update(key_share=True)
    row = (await connection.execute(query)).one_or_none()
    return _subscription(row) if row else None


async def set_values(connection: AsyncConnection, locked: Subscription, values: SubscriptionValues) -> Subscription:
    """Store new values of a locked subscription; ``active`` is a matter of ``set_state``."""
    return await _update(connection, locked, _columns(values))


async def set_state(connection: AsyncConnection, locked: Subscription, state: SubscriptionState) -> Subscription:
    """Store the new state of a locked subscription.

    One that becomes active has no failures, and its pending deliveries are due at once: oldest first, each retried
    for as long as a new one.
    """
    columns = _state_columns(state) | {"state_since": func.statement_timestamp()}
    if state.status is SubscriptionStatus.ACTIVE:
        columns |= {"failures": 0, "failing_since": None}
        restart = (
            update(deliveries)
            .where(
                deliveries.c.subscription_id == locked.id,
                deliveries.c.status == DeliveryStatus.PENDING,
                is_unclaimed(),
            )
            .values(due_at=func.now(), tries=0, trying_since=None)
        )
        await connection.execute(restart)
    return await _update(connection, locked, columns)


async def set_secret(
    connection: AsyncConnection, locked: Subscription, secret: str, overlap: timedelta
) -> Subscription:
    """Store a new secret of a locked subscription; its current secret stays valid for the overlap."""
    columns = {
        "secret": secret,
        "previous_secret": locked.secret,
        "previous_secret_until": func.statement_timestamp() + overlap,
    }
    return await _update(connection, locked, columns)


async def remove(connection: AsyncConnection, company_id: CompanyId, subscription_id: SubscriptionId) -> bool:
    """Delete a subscription with its log; returns whether it existed."""
    await connection.execute(select(func.set_config("statement_timeout", _DELETE_TIMEOUT, True)))
    statement = delete(subscriptions).where(*_is(company_id, subscription_id))
    return (await connection.execute(statement)).rowcount > 0


async def add_delivery(
    connection: AsyncConnection, subscription_id: SubscriptionId, event_id: UUID, event_type: str, body: bytes
) -> DeliveryId:
    """Store an event for one subscription alone; returns the id of its delivery."""
    await connection.execute(insert(events).values(id=event_id, type=event_type, body=body))
    statement = insert(deliveries).values(subscription_id=subscription_id, event_id=event_id).returning(deliveries.c.id)
    return DeliveryId((await connection.execute(statement)).scalar_one())


async def delete_expired_secrets(connection: AsyncConnection) -> int:
    """Delete previous secrets that are no longer valid; returns how many."""
    statement = (
        update(subscriptions)
        .where(subscriptions.c.previous_secret_until <= func.now())
        .values(previous_secret=None, previous_secret_until=None)
    )
    return (await connection.execute(statement)).rowcount


def _is(company_id: CompanyId, subscription_id: SubscriptionId) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return subscriptions.c.company_id == company_id, subscriptions.c.id == subscription_id


async def _update(connection: AsyncConnection, locked: Subscription, columns: Mapping[str, object]) -> Subscription:
    statement = (
        update(subscriptions)
        .where(*_is(locked.company_id, locked.id))
        .values(**columns, updated_at=func.statement_timestamp())
        .returning(*subscriptions.columns)
    )
    return _subscription((await connection.execute(statement)).one())


def _columns(values: SubscriptionValues) -> dict[str, object]:
    return {"url": values.url, "types": list(values.types), "description": values.description}


def _state_columns(state: SubscriptionState) -> dict[str, object]:
    return {"state": state.status, "reason": state.reason}


def _subscription(row: Row[Any]) -> Subscription:
    return Subscription(
        id=SubscriptionId(row.id),
        company_id=CompanyId(row.company_id),
        url=row.url,
        types=tuple(row.types),
        description=row.description,
        status=SubscriptionStatus(row.state),
        status_reason=StatusReason(row.reason) if row.reason else None,
        status_since=row.state_since,
        failing_since=row.failing_since,
        secret=row.secret,
        previous_secret_until=row.previous_secret_until,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
