"""A subscription, and the values that its company sets."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.webhook_svc.domain.subscription_state import StatusReason, SubscriptionState, SubscriptionStatus
from shared.ids import CompanyId, SubscriptionId

MAX_SUBSCRIPTIONS: Final = 50
"""Subscriptions of one company: each event of the company is sent to each of them."""


@dataclass(frozen=True, slots=True)
class SubscriptionValues:
    """What a company sets when it creates or replaces a subscription."""

    url: str
    types: tuple[str, ...]
    description: str | None
    active: bool


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription as it is stored."""

    id: SubscriptionId
    company_id: CompanyId
    url: str
    types: tuple[str, ...]
    description: str | None
    status: SubscriptionStatus
    status_reason: StatusReason | None
    status_since: datetime
    failing_since: datetime | None
    """Start of the first attempt after the last success."""
    secret: str
    previous_secret_until: datetime | None
    created_at: datetime
    updated_at: datetime

    @property
    def active(self) -> bool:
        """Whether events are sent to it or retained for it."""
        return self.status is not SubscriptionStatus.DISABLED

    @property
    def state(self) -> SubscriptionState:
        """Its status and the reason."""
        return SubscriptionState(self.status, self.status_reason)
