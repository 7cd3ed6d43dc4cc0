"""The status of a lead: the allowed transitions.

Everything that changes a status reads this table: PATCH, PUT, bulk update, call attempts, imports, the API's
documentation and ``docs/leads.md``.
"""

from collections.abc import Mapping
from typing import Final

from services.lead_svc.domain.fields import LeadStatus

ALLOWED_TRANSITIONS: Final[Mapping[LeadStatus, tuple[LeadStatus, ...]]] = {
    LeadStatus.PENDING: (
        LeadStatus.IN_PROGRESS,
        LeadStatus.SCHEDULED,
        LeadStatus.COMPLETED,
        LeadStatus.FAILED,
        LeadStatus.BLACKLISTED,
    ),
    LeadStatus.IN_PROGRESS: (
        LeadStatus.PENDING,
        LeadStatus.SCHEDULED,
        LeadStatus.COMPLETED,
        LeadStatus.FAILED,
        LeadStatus.BLACKLISTED,
    ),
    LeadStatus.SCHEDULED: (
        LeadStatus.PENDING,
        LeadStatus.IN_PROGRESS,
        LeadStatus.COMPLETED,
        LeadStatus.FAILED,
        LeadStatus.BLACKLISTED,
    ),
    # A completed or failed lead may be called again.
    LeadStatus.COMPLETED: (LeadStatus.IN_PROGRESS, LeadStatus.SCHEDULED, LeadStatus.BLACKLISTED),
    LeadStatus.FAILED: (
        LeadStatus.PENDING,
        LeadStatus.IN_PROGRESS,
        LeadStatus.SCHEDULED,
        LeadStatus.COMPLETED,
        LeadStatus.BLACKLISTED,
    ),
    LeadStatus.BLACKLISTED: (),
}
"""The statuses that each status may change to. Only an administrator's PATCH of the status leaves ``blacklisted``."""

OPEN: Final = frozenset({LeadStatus.PENDING, LeadStatus.IN_PROGRESS, LeadStatus.SCHEDULED})
"""Statuses of leads that are still to be called."""


def can_transition(status: LeadStatus, new_status: LeadStatus) -> bool:
    """Whether a lead may change from one status to another; a status may always stay the same."""
    return new_status == status or new_status in ALLOWED_TRANSITIONS[status]


def forbidden_transition(status: LeadStatus, new_status: LeadStatus) -> str:
    """The error text for a transition that is not allowed."""
    text = f"Status cannot change from {status} to {new_status}"
    allowed = ", ".join(ALLOWED_TRANSITIONS[status])
    return f"{text}; allowed: {allowed}" if allowed else text
