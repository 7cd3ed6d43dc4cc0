"""A lead as it is stored."""

from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal

from services.lead_svc.domain.fields import LeadStatus
from shared.ids import CampaignId, CompanyId, ImportId, LeadId, MemberId


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """A row of the table ``leads``, with the names of its columns."""

    id: LeadId
    company_id: CompanyId
    campaign_id: CampaignId
    first_name: str | None
    last_name: str | None
    phone: str
    """E.164."""
    alternate_phone: str | None
    """E.164."""
    email: str | None
    company_name: str | None
    job_title: str | None
    industry: str | None
    status: LeadStatus
    sub_status: str | None
    priority: int
    """1 (highest) to 5."""
    best_time_to_call: time | None
    timezone: str
    preferred_language: str
    country: str | None
    state: str | None
    city: str | None
    address: str | None
    postal_code: str | None
    source: str | None
    source_details: str | None
    annual_revenue: Decimal | None
    company_size: str | None
    lead_score: int | None
    """0 to 100."""
    interest_level: str | None
    pain_points: list[str] | None
    requirements: list[str] | None
    custom_fields: dict[str, object]
    """Includes tags and phone extensions."""
    assigned_to: MemberId | None
    notes: str | None
    last_contact_date: datetime | None
    next_contact_date: datetime | None
    attempts: int
    """Calls made."""
    conversion_value: Decimal | None
    converted_at: datetime | None
    import_id: ImportId | None
    version: int
    created_at: datetime
    updated_at: datetime
