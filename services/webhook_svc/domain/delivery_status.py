"""The status of a delivery, as it is stored and as it is published."""

from enum import StrEnum
from typing import Final


class DeliveryStatus(StrEnum):
    """Where a delivery is between its event and its last attempt."""

    PENDING = "pending"
    HELD = "held"
    DELIVERED = "delivered"
    FAILED = "failed"


STORED_STATUSES: Final = (DeliveryStatus.PENDING, DeliveryStatus.DELIVERED, DeliveryStatus.FAILED)
"""``held`` is derived: a pending delivery of a subscription that is not active."""
