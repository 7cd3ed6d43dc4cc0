"""The queue of the campaign service."""

from typing import Final

from shared.events.leads import LeadCallAttempted, LeadCreated, LeadDeleted
from shared.messaging.topology import ExchangeName, QueueSpec

TOTALS: Final = QueueSpec(
    name="campaign.totals",
    exchange=ExchangeName.EVENTS,
    bindings=(LeadCreated.event_type, LeadDeleted.event_type, LeadCallAttempted.event_type),
)
"""What the totals of campaigns are summed up from. Sums bear any order, so this queue needs none."""
