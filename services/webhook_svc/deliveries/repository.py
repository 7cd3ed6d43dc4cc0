"""Queries on the log of deliveries. Each takes the subscription, whose company the service has checked."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson
from sqlalchemy import ColumnElement, Row, Text, Update, and_, case, cast, func, literal, select, true, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.webhook_svc.deliveries.delivery import (
    Attempt,
    Delivery,
    DeliveryFilter,
    DeliveryWithEvent,
    RedeliveryFilter,
)
from services.webhook_svc.domain.delivery_status import DeliveryStatus
from services.webhook_svc.domain.subscription_state import SubscriptionStatus
from services.webhook_svc.tables import attempts, deliveries, events, is_unclaimed, subscriptions
from shared.ids import DeliveryId, SubscriptionId

MAX_ATTEMPTS: Final = 50
"""Attempts of one delivery in a response: a delivery that is sent again and again may have any number."""

_IS_PENDING: Final = deliveries.c.status == DeliveryStatus.PENDING
_IS_ACTIVE: Final = subscriptions.c.state == SubscriptionStatus.ACTIVE
_DELIVERIES: Final = (
    select(
        deliveries.c.id,
        deliveries.c.subscription_id,
        deliveries.c.event_id,
        events.c.type,
        case(
            (and_(_IS_PENDING, ~_IS_ACTIVE), literal(DeliveryStatus.HELD.value)), else_=cast(deliveries.c.status, Text)
        ).label("status"),
        deliveries.c.created_at,
        case((and_(_IS_PENDING, _IS_ACTIVE, is_unclaimed()), deliveries.c.due_at)).label("next_attempt_at"),
    )
    .join(events, events.c.id == deliveries.c.event_id)
    .join(subscriptions, subscriptions.c.id == deliveries.c.subscription_id)
)


async def list_page(
    connection: AsyncConnection,
    subscription_id: SubscriptionId,
    filters: DeliveryFilter,
    *,
    before: DeliveryId | None,
    limit: int,
) -> list[Delivery]:
    """Return deliveries, newest first.

    Parameters
    ----------
    before
        Return deliveries that are older than this one; None returns the newest.
    """
    query = _DELIVERIES.where(deliveries.c.subscription_id == subscription_id, *_conditions(filters))
    if before is not None:
        query = query.where(deliveries.c.id < before)
    rows = (await connection.execute(query.order_by(deliveries.c.id.desc()).limit(limit))).all()
    of_deliveries = await _attempts(connection, [row.id for row in rows])
    return [Delivery(**_fields(row, of_deliveries)) for row in rows]


async def find(
    connection: AsyncConnection, subscription_id: SubscriptionId, delivery_id: DeliveryId
) -> DeliveryWithEvent | None:
    """Return one delivery with its event, or None."""
    query = _DELIVERIES.add_columns(events.c.body).where(
        deliveries.c.subscription_id == subscription_id, deliveries.c.id == delivery_id
    )
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        return None
    return DeliveryWithEvent(
        **_fields(row, await _attempts(connection, [delivery_id])), event=orjson.Fragment(row.body)
    )


async def redeliver(connection: AsyncConnection, subscription_id: SubscriptionId, delivery_id: DeliveryId) -> bool:
    """Make a delivery due now; returns False when it does not exist or an attempt is in progress."""
    statement = _restart(subscription_id).where(deliveries.c.id == delivery_id, is_unclaimed())
    return (await connection.execute(statement)).rowcount > 0


async def redeliver_range(
    connection: AsyncConnection, subscription_id: SubscriptionId, filters: RedeliveryFilter
) -> int:
    """Make completed deliveries due now; they are sent in the order of events. Returns how many."""
    statement = _restart(subscription_id).where(~_IS_PENDING, deliveries.c.created_at >= filters.since)
    if filters.until is not None:
        statement = statement.where(deliveries.c.created_at < filters.until)
    if filters.status is not None:
        statement = statement.where(deliveries.c.status == filters.status)
    return (await connection.execute(statement)).rowcount


def _conditions(filters: DeliveryFilter) -> list[ColumnElement[bool]]:
    conditions = []
    if filters.status is DeliveryStatus.HELD:
        conditions += [_IS_PENDING, ~_IS_ACTIVE]
    elif filters.status is DeliveryStatus.PENDING:
        conditions += [_IS_PENDING, _IS_ACTIVE]
    elif filters.status is not None:
        conditions.append(deliveries.c.status == filters.status)
    if filters.event_type is not None:
        conditions.append(events.c.type == filters.event_type)
    if filters.since is not None:
        conditions.append(deliveries.c.created_at >= filters.since)
    return conditions


def _restart(subscription_id: SubscriptionId) -> Update:
    return (
        update(deliveries)
        .where(deliveries.c.subscription_id == subscription_id)
        .values(status=DeliveryStatus.PENDING, due_at=func.now(), tries=0, trying_since=None, claimed_by=None)
    )


async def _attempts(
    connection: AsyncConnection, delivery_ids: Sequence[DeliveryId]
) -> Mapping[DeliveryId, list[Attempt]]:
    """Return the last ``MAX_ATTEMPTS`` attempts of each delivery, oldest first."""
    last = (
        select(attempts)
        .where(attempts.c.delivery_id == deliveries.c.id)
        .order_by(attempts.c.number.desc())
        .limit(MAX_ATTEMPTS)
        .lateral()
    )
    query = (select(last).select_from(deliveries).join(last, true()).where(deliveries.c.id.in_(delivery_ids))).order_by(
        last.c.number
    )
    of_deliveries: defaultdict[DeliveryId, list[Attempt]] = defaultdict(list)
    for row in await connection.execute(query):
        of_deliveries[DeliveryId(row.delivery_id)].append(
            Attempt(row.number, row.started_at, row.milliseconds, row.http_status, row.error)
        )
    return of_deliveries


def _fields(row: Row[*tuple[Any, ...]], of_deliveries: Mapping[DeliveryId, list[Attempt]]) -> dict[str, Any]:
    return {
        "id": DeliveryId(row.id),
        "subscription_id": SubscriptionId(row.subscription_id),
        "event_id": str(row.event_id),
        "event_type": row.type,
        "status": DeliveryStatus(row.status),
        "created_at": row.created_at,
        "next_attempt_at": row.next_attempt_at,
        "attempts": tuple(of_deliveries[row.id]),
    }
