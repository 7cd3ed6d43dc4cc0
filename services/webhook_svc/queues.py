"""The queue of the webhook service."""

from typing import Final

from services.webhook_svc.domain.event_types import EVENT_TYPES
from shared.messaging.topology import ExchangeName, QueueSpec

FAN_OUT: Final = QueueSpec(name="webhook.fanout", exchange=ExchangeName.EVENTS, bindings=EVENT_TYPES, ordered=True)
"""Every published event type. In order, because deliveries of a subscription begin in the order of their rows."""
