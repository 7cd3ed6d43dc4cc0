"""The state of a subscription: whether events are sent to it, retained for it, or skipped.

========  =====================  ========  ==========================================================
from      on                     to        events
========  =====================  ========  ==========================================================
active    a day of failures      paused    are retained for it
active    a response 410 Gone    disabled  skip it; its pending deliveries are held
any       ``active: false``      disabled  skip it; its pending deliveries are held
paused    resume                 active    retained events are sent, oldest first
disabled  ``active: true``       active    held deliveries are sent, oldest first
========  =====================  ========  ==========================================================
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

PAUSED_AFTER: Final = timedelta(days=1)
"""A subscription is paused when every attempt failed for this long: as long as one delivery is retried."""


class SubscriptionStatus(StrEnum):
    """Whether events are sent to a subscription."""

    ACTIVE = "active"
    PAUSED = "paused"
    DISABLED = "disabled"


class StatusReason(StrEnum):
    """Why a subscription is not active."""

    FAILING = "failing"
    GONE = "gone"
    SWITCHED_OFF = "switched_off"


@dataclass(frozen=True, slots=True)
class SubscriptionState:
    """A status and its reason; an active subscription has none."""

    status: SubscriptionStatus
    reason: StatusReason | None = None


ACTIVE: Final = SubscriptionState(SubscriptionStatus.ACTIVE)
SWITCHED_OFF: Final = SubscriptionState(SubscriptionStatus.DISABLED, StatusReason.SWITCHED_OFF)
GONE: Final = SubscriptionState(SubscriptionStatus.DISABLED, StatusReason.GONE)
FAILING: Final = SubscriptionState(SubscriptionStatus.PAUSED, StatusReason.FAILING)


def initial_state(active: bool) -> SubscriptionState:
    """Return the state of a new subscription."""
    return ACTIVE if active else SWITCHED_OFF


def updated_state(active: bool, current: SubscriptionState) -> SubscriptionState:
    """Return the state after a company updated ``active``.

    A paused subscription stays paused: only a resume confirms that its endpoint works again.
    """
    if not active:
        return current if current.status is SubscriptionStatus.DISABLED else SWITCHED_OFF
    return ACTIVE if current.status is SubscriptionStatus.DISABLED else current


def is_to_be_paused(status: SubscriptionStatus, failing_since: datetime, now: datetime) -> bool:
    """Return whether a failed attempt pauses its subscription.

    Parameters
    ----------
    failing_since
        Start of the first attempt after the last success.
    """
    return status is SubscriptionStatus.ACTIVE and now - failing_since >= PAUSED_AFTER
