"""Operations on the log of deliveries."""

from sqlalchemy.ext.asyncio import AsyncConnection

from services.webhook_svc.deliveries import errors, repository
from services.webhook_svc.deliveries.delivery import Delivery, DeliveryFilter, DeliveryWithEvent, RedeliveryFilter
from services.webhook_svc.subscriptions import service as subscriptions
from shared.http.pagination import Page
from shared.ids import CompanyId, DeliveryId, SubscriptionId


async def list_page(
    connection: AsyncConnection,
    company_id: CompanyId,
    subscription_id: SubscriptionId,
    filters: DeliveryFilter,
    *,
    cursor: int | None,
    limit: int,
) -> Page[Delivery]:
    """Return a page of a subscription's deliveries, newest first.

    Raises
    ------
    NotFound
        If the company has no such subscription.
    """
    await subscriptions.get(connection, company_id, subscription_id)
    before = None if cursor is None else DeliveryId(cursor)
    rows = await repository.list_page(connection, subscription_id, filters, before=before, limit=limit + 1)
    return Page.of(rows, limit, lambda delivery: delivery.id)


async def get(
    connection: AsyncConnection, company_id: CompanyId, subscription_id: SubscriptionId, delivery_id: DeliveryId
) -> DeliveryWithEvent:
    """Return one delivery with its event.

    Raises
    ------
    NotFound
        If the company has no such subscription, or the subscription no such delivery.
    """
    await subscriptions.get(connection, company_id, subscription_id)
    delivery = await repository.find(connection, subscription_id, delivery_id)
    if delivery is None:
        raise errors.delivery_not_found()
    return delivery


async def redeliver(
    connection: AsyncConnection, company_id: CompanyId, subscription_id: SubscriptionId, delivery_id: DeliveryId
) -> DeliveryWithEvent:
    """Send a delivery again, whatever its status; a pending one is due at once.

    Raises
    ------
    NotFound
        If the company has no such subscription, or the subscription no such delivery.
    Conflict
        If an attempt is in progress, or the subscription is disabled.
    """
    await subscriptions.lock_enabled(connection, company_id, subscription_id)
    if not await repository.redeliver(connection, subscription_id, delivery_id):
        if await repository.find(connection, subscription_id, delivery_id) is None:
            raise errors.delivery_not_found()
        raise errors.delivery_in_progress()
    return await get(connection, company_id, subscription_id, delivery_id)


async def redeliver_range(
    connection: AsyncConnection, company_id: CompanyId, subscription_id: SubscriptionId, filters: RedeliveryFilter
) -> int:
    """Send completed deliveries again; returns how many.

    Raises
    ------
    NotFound
        If the company has no such subscription.
    Conflict
        If it is disabled.
    """
    await subscriptions.lock_enabled(connection, company_id, subscription_id)
    return await repository.redeliver_range(connection, subscription_id, filters)
