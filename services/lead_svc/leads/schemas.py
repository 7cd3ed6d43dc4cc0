"""Leads as API clients see them."""

from datetime import datetime, time

from pydantic import BaseModel, Field

from services.lead_svc.leads.fields import InterestLevel, LeadStatus


class LeadShown(BaseModel):
    """A lead with all its fields; what is not known is null."""

    id: int
    company_id: int
    campaign_id: int
    first_name: str | None
    last_name: str | None
    phone: str = Field(description="E.164.", examples=["+1234567890"])
    alternate_phone: str | None
    email: str | None
    company_name: str | None
    job_title: str | None
    industry: str | None
    status: LeadStatus
    priority: int = Field(description="1 (highest) to 5.")
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
    annual_revenue: float | None
    company_size: str | None
    lead_score: int | None = Field(description="0 to 100.")
    interest_level: InterestLevel | None
    pain_points: list[str] | None
    requirements: list[str] | None
    custom_fields: dict[str, object] = Field(
        description="Tags, a phone extension and every column of an imported file that is not a field of a lead."
    )
    assigned_to: int | None
    notes: str | None
    last_contact_date: datetime | None
    next_contact_date: datetime | None
    import_id: int | None = Field(description="The import that created the lead.")
    version: int
    created_at: datetime
    updated_at: datetime
    tags: list[str] | None = Field(description="The tags of `custom_fields`.")
