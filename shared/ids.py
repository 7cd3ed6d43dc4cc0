"""Types of ids: each is an ``int``, and mypy rejects one where another is required."""

from typing import NewType

CompanyId = NewType("CompanyId", int)
SubscriptionId = NewType("SubscriptionId", int)
DeliveryId = NewType("DeliveryId", int)
