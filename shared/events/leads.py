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


class LeadCreated(EventData):
    """Leads were created: by hand, or by an import."""

    event_type: ClassVar[str] = "lead.created.v1"

    leads: Annotated[list[Lead], Field(min_length=1, max_length=LEADS_PER_EVENT)]


class LeadDeleted(EventData):
    """Leads were deleted; each is told as it was last."""

    event_type: ClassVar[str] = "lead.deleted.v1"

    leads: Annotated[list[Lead], Field(min_length=1, max_length=LEADS_PER_EVENT)]


class LeadCallAttempted(EventData):
    """Calls were made to leads."""

    event_type: ClassVar[str] = "lead.call_attempted.v1"

    call_attempts: Annotated[list[CallAttempt], Field(min_length=1, max_length=LEADS_PER_EVENT)]
