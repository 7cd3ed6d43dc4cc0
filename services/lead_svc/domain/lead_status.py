"""The status of a lead: which may follow which.

Everything that changes a status reads this table: PATCH, PUT, bulk update, call attempts, the API's documentation and
``docs/leads.md``.
"""

from collections.abc import Mapping
from typing import Final

from services.lead_svc.domain.fields import LeadStatus

FOLLOWING: Final[Mapping[LeadStatus, tuple[LeadStatus, ...]]] = {
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
    # What is done may be taken up again, and so may what failed.
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
"""What may follow each status. Nothing follows ``blacklisted``, but for an administrator's explicit word."""


def may_follow(status: LeadStatus, wanted: LeadStatus) -> bool:
    """Whether a lead may go from one status to another; staying is always possible."""
    return wanted == status or wanted in FOLLOWING[status]


OPEN: Final = frozenset({LeadStatus.PENDING, LeadStatus.IN_PROGRESS, LeadStatus.SCHEDULED})
"""The lead is still to be called."""
