"""The queue of the webhook service."""

from typing import Final

from services.webhook_svc.domain.event_types import EVENT_TYPES
from shared.messaging.topology import ExchangeName, QueueSpec

FAN_OUT: Final = QueueSpec(name="webhook.fanout", exchange=ExchangeName.EVENTS, bindings=EVENT_TYPES, ordered=True)
"""Every event there is. In order, because deliveries of a subscription begin in the order they were written in."""
