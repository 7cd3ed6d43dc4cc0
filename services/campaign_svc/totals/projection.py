"""The projection of lead events into the totals of campaigns.

The inbox applies each event once, and sums do not depend on the order of events.
"""

from collections.abc import Sequence
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from services.campaign_svc.queues import TOTALS
from services.campaign_svc.totals import repository
from services.campaign_svc.totals.aggregation import aggregate
from shared.events.envelope import Envelope
from shared.messaging.consumer import Subscription


async def project_totals(connection: AsyncConnection, events: Sequence[Envelope]) -> None:
    """Apply a batch of events, in any order.

    Raises
    ------
    pydantic.ValidationError
        If the data of an event does not match the schema of its type.
    """
    await repository.add(connection, aggregate(events))


SUBSCRIPTION: Final = Subscription(TOTALS, project_totals, batch=50)
"""An event may contain 500 leads: the batch size limits the memory of a consumer that lags behind."""
