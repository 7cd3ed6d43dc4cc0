"""Events of leads. Each carries a list, 1 to 500 leads of one campaign, as they are after the change."""

from typing import Annotated, ClassVar, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from shared.events.campaigns import Money
from shared.events.envelope import EventData

LEADS_PER_EVENT = 500
"""Most leads in one event: one message of this size costs about as much to send as one with a single lead."""

LeadStatus = Literal["pending", "in_progress", "completed", "failed", "scheduled", "blacklisted"]


class Lead(BaseModel):
    """A lead as other services know it."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    id: int
    version: int = Field(ge=1)
    """Grows with every change; a reader drops what is older than what it has."""
    campaign_id: int
    company_id: int
    first_name: str | None
    last_name: str | None
    phone: str
    """E.164."""
    email: str | None
    status: LeadStatus
    priority: int = Field(ge=1, le=5)
    source: str | None
    lead_score: int | None = Field(ge=0, le=100)
    interest_level: Literal["low", "medium", "high"] | None
    assigned_to: int | None
    created_at: AwareDatetime
    updated_at: AwareDatetime


class QualityReport(BaseModel):
    """How good a call was, as the voice provider scored it. What it does not say is null."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    accuracy: float | None = Field(default=None, ge=0, le=100)
    clarity: float | None = Field(default=None, ge=0, le=100)
    engagement: float | None = Field(default=None, ge=0, le=100)
    adherence_to_script: float | None = Field(default=None, ge=0, le=100)
    sentiment_score: float | None = Field(default=None, ge=-10, le=10)
    customer_satisfaction: float | None = Field(default=None, ge=0, le=5)
    response_time_seconds: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    regulatory_compliance: bool | None = None
    data_protection: bool | None = None
    issues: list[str] = []
    """Kinds of what went wrong, as ``script_deviation``."""


class CallAttempt(BaseModel):
    """A call that was made, as it was reported."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    id: int
    lead_id: int
    campaign_id: int
    company_id: int
    started_at: AwareDatetime
    duration: int = Field(ge=0)
    """Seconds."""
    successful: bool
    disposition: str | None
    agent_id: int | None
    cost: Money | None
    """What this call cost, where it was reported."""
    notes: str | None = None
    transcript: str | None = None
    keywords: list[str] = []
    quality: QualityReport | None = None


class StatusChange(Lead):
    """A lead, and the status it had before."""

    previous_status: LeadStatus


class Assignment(Lead):
    """A lead, and whose it was before."""

    previous_assigned_to: int | None


class Scheduling(Lead):
    """A lead, and when it is to be called."""

    next_contact_date: AwareDatetime


class Conversion(Lead):
    """A lead that was converted, and what that is worth."""

    conversion_value: Money
    converted_at: AwareDatetime


Leads = Annotated[list[Lead], Field(min_length=1, max_length=LEADS_PER_EVENT)]


class LeadCreated(EventData):
    """Leads were created: by hand, or by an import."""

    event_type: ClassVar[str] = "lead.created.v1"

    leads: Leads


class LeadUpdated(EventData):
    """Something of leads was changed that no other event tells."""

    event_type: ClassVar[str] = "lead.updated.v1"

    leads: Leads


class LeadStatusChanged(EventData):
    """Leads got another status."""

    event_type: ClassVar[str] = "lead.status_changed.v1"

    leads: Annotated[list[StatusChange], Field(min_length=1, max_length=LEADS_PER_EVENT)]


class LeadAssigned(EventData):
    """Leads were given to an agent, or to none."""

    event_type: ClassVar[str] = "lead.assigned.v1"

    leads: Annotated[list[Assignment], Field(min_length=1, max_length=LEADS_PER_EVENT)]


class LeadScheduled(EventData):
    """It was agreed when leads are to be called."""

    event_type: ClassVar[str] = "lead.scheduled.v1"

    leads: Annotated[list[Scheduling], Field(min_length=1, max_length=LEADS_PER_EVENT)]


class LeadConverted(EventData):
    """Leads were converted."""

    event_type: ClassVar[str] = "lead.converted.v1"

    leads: Annotated[list[Conversion], Field(min_length=1, max_length=LEADS_PER_EVENT)]


class LeadDeleted(EventData):
    """Leads were deleted; each is told as it was last."""

    event_type: ClassVar[str] = "lead.deleted.v1"

    leads: Leads


class LeadCallAttempted(EventData):
    """Calls were made to leads."""

    event_type: ClassVar[str] = "lead.call_attempted.v1"

    call_attempts: Annotated[list[CallAttempt], Field(min_length=1, max_length=LEADS_PER_EVENT)]
