"""The queues of the lead context."""

from shared.events.imports import ImportRequested
from shared.messaging.topology import ExchangeName, QueueSpec

IMPORTS = QueueSpec(
    name="lead.imports",
    exchange=ExchangeName.COMMANDS,
    bindings=(ImportRequested.event_type,),
    # A worker that is killed returns the message too: only a file that kills one worker after the other gets here.
    delivery_limit=10,
)
"""Files to load. What ends in its dead letters ends its job as aborted."""

CAMPAIGN_COPY = QueueSpec(name="lead.campaigns", exchange=ExchangeName.EVENTS, bindings=("campaign.#",))
"""Keeps the local copy of campaigns current."""
