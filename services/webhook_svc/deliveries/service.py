"""What can be asked of the log, and had made again."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from services.webhook_svc.deliveries import repository
from services.webhook_svc.deliveries.repository import LogFilter
from services.webhook_svc.deliveries.schemas import RedeliverBody
from services.webhook_svc.subscriptions import errors
from services.webhook_svc.subscriptions import service as subscriptions
from shared.http.errors import Conflict, NotFound


def not_found() -> NotFound:
    """The subscription has no such delivery, or no more."""
    return NotFound("Delivery not found")


def under_way() -> Conflict:
    """What is being sent cannot be sent at the same time."""
    return Conflict("Delivery is under way", "An attempt is being made at this moment; look at it again when it ended")


async def page(
    connection: AsyncConnection, company_id: int, narrowed: LogFilter, limit: int
) -> tuple[Sequence[dict[str, Any]], bool]:
    """Deliveries of a subscription, newest first, and whether there are more.

    Raises
    ------
    NotFound
        If the company has no such subscription.
    """
    await subscriptions.get(connection, company_id, narrowed.subscription_id)
    return await repository.page(connection, narrowed, limit)


async def get(connection: AsyncConnection, company_id: int, subscription_id: int, delivery_id: int) -> dict[str, Any]:
    """One delivery, with its event; ``NotFound`` if there is none."""
    await subscriptions.get(connection, company_id, subscription_id)
    found = await repository.find(connection, subscription_id, delivery_id)
    if found is None:
        raise not_found()
    return found


async def redeliver(
    connection: AsyncConnection, company_id: int, subscription_id: int, delivery_id: int
) -> dict[str, Any]:
    """Make a delivery anew, whatever came of it; one that waits is due at once.

    Raises
    ------
    NotFound
        If there is none.
    Conflict
        If it is under way, or its subscription disabled.
    """
    await _hold_not_disabled(connection, company_id, subscription_id)
    if not await repository.again(connection, subscription_id, delivery_id):
        if await repository.find(connection, subscription_id, delivery_id) is None:
            raise not_found()
        raise under_way()
    return await get(connection, company_id, subscription_id, delivery_id)


async def redeliver_range(
    connection: AsyncConnection, company_id: int, subscription_id: int, body: RedeliverBody
) -> int:
    """Make settled deliveries anew; returns how many. Raises ``NotFound``, or ``Conflict`` if it is disabled."""
    await _hold_not_disabled(connection, company_id, subscription_id)
    return await repository.range_again(connection, subscription_id, body.since, body.until, body.status)


async def _hold_not_disabled(connection: AsyncConnection, company_id: int, subscription_id: int) -> None:
    held = await subscriptions.hold(connection, company_id, subscription_id)
    if held["state"] == "disabled":
        raise errors.switched_off()
