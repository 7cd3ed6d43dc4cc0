"""Keeps the totals of campaigns current: lead events in, sums out.

Each event adds to the sums once, which the inbox sees to, and sums do not mind the order.
"""

from collections.abc import Sequence
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from services.campaign_svc.queues import TOTALS
from services.campaign_svc.totals import repository
from services.campaign_svc.totals.aggregation import collect
from shared.events.envelope import Envelope
from shared.messaging.consumer import Subscription


async def project_totals(connection: AsyncConnection, events: Sequence[Envelope]) -> None:
    """Apply a batch of events, in whatever order they came.

    Raises
    ------
    pydantic.ValidationError
        If the data of an event is not what its type promises.
    """
    await repository.add(connection, collect(events))


SUBSCRIPTION: Final = Subscription(TOTALS, project_totals, batch=50)
"""An event may hold 500 leads: the batch bounds the memory of a consumer that is behind."""
