"""Queries on the log of deliveries. Every one takes the subscription, whose company was checked, beside the id."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.webhook_svc.deliveries.schemas import Status

_MOST_ATTEMPTS: Final = 50
"""Of one delivery that are shown: one that is sent anew again and again may have any number."""

# Held is not stored: it is what waits for a subscription that is not active.
_SHOWN: Final = """
SELECT deliveries.id, subscription_id, event_id::text, type AS event_type,
    CASE WHEN status = 'pending' AND state <> 'active' THEN 'held' ELSE status::text END AS status,
    deliveries.created_at,
    CASE WHEN status = 'pending' AND state = 'active' AND (claimed_by IS NULL OR due_at <= now())
        THEN due_at END AS next_attempt_at,
    body
FROM deliveries
JOIN events ON events.id = event_id
JOIN subscriptions ON subscriptions.id = subscription_id
WHERE subscription_id = :subscription
"""
_ATTEMPTS: Final = text(
    """
    SELECT of_delivery.* FROM unnest(CAST(:deliveries AS bigint[])) AS asked (id)
    CROSS JOIN LATERAL (
        SELECT delivery_id, number, started_at, milliseconds AS duration_ms, http_status, error
        FROM attempts WHERE delivery_id = asked.id ORDER BY number DESC LIMIT :most
    ) AS of_delivery
    ORDER BY number
    """
)
# What is on its way goes on; what waits is due at once. Oldest first, as they were written.
_AGAIN: Final = """
UPDATE deliveries SET status = 'pending', due_at = now(), tries = 0, trying_since = NULL, claimed_by = NULL
WHERE subscription_id = :subscription
"""
_ONE_AGAIN: Final = text(f"{_AGAIN} AND id = :id AND (claimed_by IS NULL OR due_at <= now()) RETURNING id")
_RANGE_AGAIN: Final = text(
    f"""
    {_AGAIN} AND status <> 'pending' AND created_at >= :since
    AND (CAST(:until AS timestamptz) IS NULL OR created_at < :until)
    AND (CAST(:status AS text) IS NULL OR status::text = :status)
    """
)


@dataclass(frozen=True, slots=True)
class LogFilter:
    """Which deliveries of a subscription; None narrows nothing."""

    subscription_id: int
    status: Status | None = None
    event_type: str | None = None
    since: datetime | None = None
    before_id: int | None = None


async def page(connection: AsyncConnection, narrowed: LogFilter, limit: int) -> tuple[Sequence[dict[str, Any]], bool]:
    """Deliveries, newest first, and whether there are more."""
    conditions = []
    if narrowed.status == "held":
        conditions.append("status = 'pending' AND state <> 'active'")
    elif narrowed.status == "pending":
        conditions.append("status = 'pending' AND state = 'active'")
    elif narrowed.status is not None:
        conditions.append("status::text = :status")
    if narrowed.event_type is not None:
        conditions.append("type = :event_type")
    if narrowed.since is not None:
        conditions.append("deliveries.created_at >= :since")
    if narrowed.before_id is not None:
        conditions.append("deliveries.id < :before_id")
    query = " AND ".join((_SHOWN, *conditions)) + " ORDER BY deliveries.id DESC LIMIT :limit"
    parameters = {
        "subscription": narrowed.subscription_id,
        "status": narrowed.status,
        "event_type": narrowed.event_type,
        "since": narrowed.since,
        "before_id": narrowed.before_id,
        "limit": limit + 1,
    }
    rows = (await connection.execute(text(query), _named_in(query, parameters))).mappings().all()
    shown = await _with_attempts(connection, [dict(row) for row in rows[:limit]])
    for each in shown:
        del each["body"]
    return shown, len(rows) > limit


async def find(connection: AsyncConnection, subscription_id: int, delivery_id: int) -> dict[str, Any] | None:
    """One delivery, with its event."""
    found = {"subscription": subscription_id, "id": delivery_id}
    row = (await connection.execute(text(f"{_SHOWN} AND deliveries.id = :id"), found)).mappings().one_or_none()
    if row is None:
        return None
    [delivery] = await _with_attempts(connection, [dict(row)])
    body = delivery.pop("body")
    return {**delivery, "event": orjson.Fragment(body)}


async def again(connection: AsyncConnection, subscription_id: int, delivery_id: int) -> bool:
    """Make a delivery anew, now; False when there is none, or when it is under way."""
    found = {"subscription": subscription_id, "id": delivery_id}
    return (await connection.execute(_ONE_AGAIN, found)).scalar() is not None


async def range_again(
    connection: AsyncConnection, subscription_id: int, since: datetime, until: datetime | None, status: str | None
) -> int:
    """Make settled deliveries anew, oldest first; returns how many."""
    narrowed = {"subscription": subscription_id, "since": since, "until": until, "status": status}
    return (await connection.execute(_RANGE_AGAIN, narrowed)).rowcount


async def _with_attempts(connection: AsyncConnection, deliveries: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
    asked = {"deliveries": [each["id"] for each in deliveries], "most": _MOST_ATTEMPTS}
    attempts: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in (await connection.execute(_ATTEMPTS, asked)).mappings():
        attempt = dict(row)
        attempts[attempt.pop("delivery_id")].append(attempt)
    return [{**each, "attempts": attempts[each["id"]]} for each in deliveries]


def _named_in(query: str, parameters: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in parameters.items() if f":{name}" in query}
