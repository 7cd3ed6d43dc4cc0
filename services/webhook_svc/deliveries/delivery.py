"""A delivery with its attempts, and the filters of the log."""

from dataclasses import dataclass
from datetime import datetime

import orjson

from services.webhook_svc.domain.delivery_status import DeliveryStatus
from shared.ids import DeliveryId, SubscriptionId


@dataclass(frozen=True, slots=True)
class Attempt:
    """One HTTP request of a delivery."""

    number: int
    started_at: datetime
    duration_ms: int
    http_status: int | None
    error: str | None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event for one subscription. Its fields are the members of its JSON form."""

    id: DeliveryId
    subscription_id: SubscriptionId
    event_id: str
    event_type: str
    status: DeliveryStatus
    created_at: datetime
    next_attempt_at: datetime | None
    attempts: tuple[Attempt, ...]


@dataclass(frozen=True, slots=True)
class DeliveryWithEvent(Delivery):
    """A delivery and the JSON text of its event."""

    event: orjson.Fragment


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    """Conditions that select deliveries of a subscription; None selects all."""

    status: DeliveryStatus | None = None
    event_type: str | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class RedeliveryFilter:
    """Conditions that select the completed deliveries to send again."""

    since: datetime
    until: datetime | None = None
    """Exclusive."""
    status: DeliveryStatus | None = None
    """Delivered or failed; None selects both."""
