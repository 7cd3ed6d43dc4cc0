"""Leads as API clients see them."""

from datetime import datetime

from pydantic import BaseModel, Field

from services.lead_svc.domain.fields import InterestLevel, LeadStatus
from services.lead_svc.leads.bodies import TimeOfDay
from shared.http.openapi import Done


class Updated(Done):
    """What was done, and with how many leads."""

    updated_count: int


class Assigned(Done):
    """What was done, and with how many leads."""

    assigned_count: int


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
    sub_status: str | None
    priority: int = Field(description="1 (highest) to 5.")
    best_time_to_call: TimeOfDay | None
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
    attempts: int = Field(description="Calls made.")
    conversion_value: float | None
    converted_at: datetime | None
    import_id: int | None = Field(description="The import that created the lead.")
    version: int
    created_at: datetime
    updated_at: datetime
    tags: list[str] | None = Field(description="The tags of `custom_fields`.")


class LeadAnswer(Done):
    """A lead, and what was done with it."""

    data: LeadShown
