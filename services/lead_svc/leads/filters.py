"""Filters of lists of leads."""

from collections.abc import Collection
from dataclasses import dataclass

from services.lead_svc.domain.fields import LeadStatus


@dataclass(frozen=True, slots=True)
class LeadFilter:
    """Companies, and filters of a list of their leads; None selects any value."""

    companies: Collection[int]
    campaign_id: int | None = None
    status: LeadStatus | None = None
    priority: int | None = None
    assigned_to: int | None = None
    after_id: int | None = None
    """Only leads with larger ids: where the previous page ended."""
