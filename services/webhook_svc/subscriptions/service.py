"""What can be done with subscriptions."""

from datetime import timedelta
from typing import ClassVar, Final

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from services.webhook_svc.destinations import Destinations
from services.webhook_svc.signatures import new_secret
from services.webhook_svc.subscriptions import errors, repository
from services.webhook_svc.subscriptions.event_types import PING
from services.webhook_svc.subscriptions.schemas import SubscriptionBody
from services.webhook_svc.subscriptions.states import ACTIVE, SWITCHED_OFF, Standing, told_to_be
from shared.events.envelope import EventData, compose

OVERLAP: Final = timedelta(days=1)
"""How long a secret that was replaced stays valid."""
SOURCE: Final = "/webhook-svc"


class Ping(EventData):
    """A test: nothing has happened."""

    event_type: ClassVar[str] = PING

    subscription_id: int


async def create(
    connection: AsyncConnection, destinations: Destinations, company_id: int, body: SubscriptionBody
) -> RowMapping:
    """Subscribe. The row has the secret.

    Raises
    ------
    BadRequest
        If no messages are sent to the URL.
    Conflict
        If the company has too many.
    """
    _require_permitted(destinations, body.url)
    if await repository.count_to_create(connection, company_id) >= repository.MOST_OF_A_COMPANY:
        raise errors.too_many()
    standing = ACTIVE if body.active else SWITCHED_OFF
    values = {
        **_sent(body),
        "company_id": company_id,
        "secret": new_secret(),
        "state": standing.state,
        "reason": standing.reason,
    }
    return await repository.create(connection, values)


async def get(connection: AsyncConnection, company_id: int, subscription_id: int) -> RowMapping:
    """One subscription; raises ``NotFound`` if the company has no such."""
    found = await repository.find(connection, company_id, subscription_id)
    if found is None:
        raise errors.not_found()
    return found


async def hold(connection: AsyncConnection, company_id: int, subscription_id: int) -> RowMapping:
    """As ``get``; nobody else changes it before the transaction's end."""
    held = await repository.hold(connection, company_id, subscription_id)
    if held is None:
        raise errors.not_found()
    return held


async def replace(
    connection: AsyncConnection,
    destinations: Destinations,
    company_id: int,
    subscription_id: int,
    body: SubscriptionBody,
) -> RowMapping:
    """Replace what was sent of a subscription; its secret stays.

    Raises
    ------
    NotFound
        If the company has no such.
    BadRequest
        If no messages are sent to the URL.
    """
    held = await hold(connection, company_id, subscription_id)
    _require_permitted(destinations, body.url)
    now = _standing(held)
    wanted = told_to_be(body.active, now)
    if wanted != now:
        await repository.stand(connection, held, wanted)
    return await repository.change(connection, held, _sent(body))


async def delete(connection: AsyncConnection, company_id: int, subscription_id: int) -> None:
    """Delete a subscription with all that was to be sent to it; raises ``NotFound`` if the company has no such."""
    if not await repository.remove(connection, company_id, subscription_id):
        raise errors.not_found()


async def rotate_secret(connection: AsyncConnection, company_id: int, subscription_id: int) -> RowMapping:
    """Give a subscription a new secret; messages are signed with the one it had, too, for ``OVERLAP``."""
    held = await hold(connection, company_id, subscription_id)
    return await repository.rotate(connection, held, new_secret(), OVERLAP)


async def resume(connection: AsyncConnection, company_id: int, subscription_id: int) -> RowMapping:
    """Send to a paused subscription again, beginning with what was kept for it.

    Raises
    ------
    NotFound
        If the company has no such.
    Conflict
        If it is disabled.
    """
    held = await hold(connection, company_id, subscription_id)
    if held["state"] == "disabled":
        raise errors.switched_off()
    return held if held["state"] == "active" else await repository.stand(connection, held, ACTIVE)


async def test(connection: AsyncConnection, company_id: int, subscription_id: int) -> int:
    """Send an event that says nothing; returns its delivery's id.

    Raises
    ------
    NotFound
        If the company has no such.
    Conflict
        If it is not active.
    """
    held = await hold(connection, company_id, subscription_id)
    if held["state"] == "disabled":
        raise errors.switched_off()
    if held["state"] == "paused":
        raise errors.paused()
    ping = compose(Ping(subscription_id=subscription_id), source=SOURCE, company_id=company_id)
    return await repository.add_delivery(connection, held, ping.id, ping.type, ping.body)


def _require_permitted(destinations: Destinations, url: str) -> None:
    objection = destinations.objection(url)
    if objection is not None:
        raise errors.bad_url(url, objection)


def _sent(body: SubscriptionBody) -> dict[str, object]:
    return {"url": body.url, "types": list(dict.fromkeys(body.types)), "description": body.description}


def _standing(row: RowMapping) -> Standing:
    return Standing(row["state"], row["reason"])
