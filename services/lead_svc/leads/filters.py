"""Filters of lists of leads."""

from collections.abc import Collection
from dataclasses import dataclass

from services.lead_svc.domain.fields import LeadStatus
from shared.ids import CampaignId, LeadId, MemberId


@dataclass(frozen=True, slots=True)
class LeadFilter:
    """Companies, and filters of a list of their leads; None selects any value."""

    companies: Collection[int]
    campaign_id: CampaignId | None = None
    status: LeadStatus | None = None
    priority: int | None = None
    assigned_to: MemberId | None = None
    after_id: LeadId | None = None
    """Only leads with larger ids: where the previous page ended."""
