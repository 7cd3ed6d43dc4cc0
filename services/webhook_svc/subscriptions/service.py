"""Operations on subscriptions."""

from datetime import timedelta
from functools import partial
from typing import ClassVar, Final

from pydantic import TypeAdapter
from sqlalchemy.ext.asyncio import AsyncConnection

from services.webhook_svc.domain.destinations import DestinationPolicy
from services.webhook_svc.domain.event_types import PING
from services.webhook_svc.domain.signatures import new_secret
from services.webhook_svc.domain.subscription_state import ACTIVE, SubscriptionStatus, updated_state
from services.webhook_svc.subscriptions import errors, repository
from services.webhook_svc.subscriptions.subscription import MAX_SUBSCRIPTIONS, Subscription, SubscriptionValues
from shared.database.idempotency_keys import IdempotentRequest
from shared.events.envelope import EventData, compose
from shared.idempotent_execution import Idempotent, run_idempotent
from shared.ids import CompanyId, DeliveryId, SubscriptionId

SECRET_OVERLAP: Final = timedelta(days=1)
"""How long a secret stays valid after a rotation."""
SOURCE: Final = "/webhook-svc"
_STORED_RESULT: Final = TypeAdapter(Subscription)


class Ping(EventData):
    """A test event; it reports no change."""

    event_type: ClassVar[str] = PING

    subscription_id: int


async def create(
    connection: AsyncConnection,
    request: IdempotentRequest | None,
    destinations: DestinationPolicy,
    company_id: CompanyId,
    values: SubscriptionValues,
) -> Idempotent[Subscription]:
    """Create a subscription.

    Parameters
    ----------
    request
        The request under its idempotency key, if it has one.

    Raises
    ------
    BadRequest
        If messages may not be sent to the URL.
    Conflict
        If the company has too many subscriptions, or the same request is in progress.
    UnprocessableContent
        If the key came with another request before.
    """
    return await run_idempotent(
        connection,
        request,
        partial(_create, connection, destinations, company_id, values),
        encode=_STORED_RESULT.dump_json,
        decode=_STORED_RESULT.validate_json,
    )


async def list_of_company(connection: AsyncConnection, company_id: CompanyId) -> list[Subscription]:
    """Return a company's subscriptions, oldest first."""
    return await repository.list_of_company(connection, company_id)


async def get(connection: AsyncConnection, company_id: CompanyId, subscription_id: SubscriptionId) -> Subscription:
    """Return one subscription.

    Raises
    ------
    NotFound
        If the company has no such subscription.
    """
    subscription = await repository.find(connection, company_id, subscription_id)
    if subscription is None:
        raise errors.subscription_not_found()
    return subscription


async def lock(connection: AsyncConnection, company_id: CompanyId, subscription_id: SubscriptionId) -> Subscription:
    """Return one subscription, which no other transaction changes before the end of this one.

    Raises
    ------
    NotFound
        If the company has no such subscription.
    """
    subscription = await repository.lock_for_update(connection, company_id, subscription_id)
    if subscription is None:
        raise errors.subscription_not_found()
    return subscription


async def lock_enabled(
    connection: AsyncConnection, company_id: CompanyId, subscription_id: SubscriptionId
) -> Subscription:
    """Lock a subscription that is active or paused.

    Raises
    ------
    NotFound
        If the company has no such subscription.
    Conflict
        If it is disabled.
    """
    locked = await lock(connection, company_id, subscription_id)
    if locked.status is SubscriptionStatus.DISABLED:
        raise errors.subscription_disabled()
    return locked


async def update(
    connection: AsyncConnection,
    destinations: DestinationPolicy,
    company_id: CompanyId,
    subscription_id: SubscriptionId,
    values: SubscriptionValues,
) -> Subscription:
    """Replace the values of a subscription; its secret stays.

    Raises
    ------
    NotFound
        If the company has no such subscription.
    BadRequest
        If messages may not be sent to the URL.
    """
    locked = await lock(connection, company_id, subscription_id)
    _require_allowed(destinations, values.url)
    state = updated_state(values.active, locked.state)
    if state != locked.state:
        await repository.set_state(connection, locked, state)
    return await repository.set_values(connection, locked, values)


async def delete(connection: AsyncConnection, company_id: CompanyId, subscription_id: SubscriptionId) -> None:
    """Delete a subscription with its pending deliveries and its log.

    Raises
    ------
    NotFound
        If the company has no such subscription.
    """
    if not await repository.remove(connection, company_id, subscription_id):
        raise errors.subscription_not_found()


async def rotate_secret(
    connection: AsyncConnection, company_id: CompanyId, subscription_id: SubscriptionId
) -> Subscription:
    """Give a subscription a new secret; for ``SECRET_OVERLAP`` messages are signed with the current one, too.

    Raises
    ------
    NotFound
        If the company has no such subscription.
    """
    locked = await lock(connection, company_id, subscription_id)
    return await repository.set_secret(connection, locked, new_secret(), SECRET_OVERLAP)


async def resume(connection: AsyncConnection, company_id: CompanyId, subscription_id: SubscriptionId) -> Subscription:
    """Send to a paused subscription again, beginning with the events that were retained for it.

    Raises
    ------
    NotFound
        If the company has no such subscription.
    Conflict
        If it is disabled.
    """
    locked = await lock_enabled(connection, company_id, subscription_id)
    if locked.status is SubscriptionStatus.ACTIVE:
        return locked
    return await repository.set_state(connection, locked, ACTIVE)


async def test(connection: AsyncConnection, company_id: CompanyId, subscription_id: SubscriptionId) -> DeliveryId:
    """Queue a ping for a subscription; returns the id of its delivery.

    Raises
    ------
    NotFound
        If the company has no such subscription.
    Conflict
        If it is not active.
    """
    locked = await lock_enabled(connection, company_id, subscription_id)
    if locked.status is SubscriptionStatus.PAUSED:
        raise errors.subscription_paused()
    ping = compose(Ping(subscription_id=subscription_id), source=SOURCE, company_id=company_id)
    return await repository.add_delivery(connection, locked.id, ping.id, ping.type, ping.body)


async def _create(
    connection: AsyncConnection, destinations: DestinationPolicy, company_id: CompanyId, values: SubscriptionValues
) -> Subscription:
    _require_allowed(destinations, values.url)
    if await repository.lock_and_count(connection, company_id) >= MAX_SUBSCRIPTIONS:
        raise errors.too_many_subscriptions()
    return await repository.create(connection, company_id, values, new_secret())


def _require_allowed(destinations: DestinationPolicy, url: str) -> None:
    error = destinations.url_error(url)
    if error is not None:
        raise errors.url_not_allowed(url, error)
