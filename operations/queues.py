"""The product's queues: the broker does not list them to a client without administrator's rights."""

from collections.abc import Sequence
from typing import Final

from services.analytics_svc.queues import PROJECTIONS
from services.campaign_svc.queues import TOTALS
from services.lead_svc.queues import CAMPAIGN_COPY, IMPORTS
from services.webhook_svc.queues import FAN_OUT
from shared.messaging.topology import QueueSpec

QUEUES: Final[Sequence[QueueSpec]] = (PROJECTIONS, TOTALS, CAMPAIGN_COPY, IMPORTS, FAN_OUT)


def queue_names() -> Sequence[str]:
    """Return the names of the queues, in alphabetical order."""
    return sorted(queue.name for queue in QUEUES)
