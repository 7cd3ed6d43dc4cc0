"""Events of leads. Each carries a list, 1 to 500 leads of one company, as they are after the change."""

from typing import Annotated, ClassVar, Literal

from pydantic import AwareDatetime, Field

from shared.events.envelope import EventData, EventPart
from shared.schema import Money

LEADS_PER_EVENT = 500
"""Maximum number of leads in one event: a message of this size costs about as much as one with a single lead."""

LeadStatus = Literal["pending", "in_progress", "completed", "failed", "scheduled", "blacklisted"]


class Lead(EventPart):
    """A lead as other services know it."""

    id: int
    """Unique among the leads of all companies, and never reused."""
    version: int = Field(ge=1)
    """Grows with every change; a reader drops what is older than what it has."""
    campaign_id: int
    """The campaign that calls it, for life."""
    company_id: int
    """The company whose lead it is, for life."""
    first_name: str | None
    """Null if not known."""
    last_name: str | None
    """Null if not known."""
    phone: str
    """E.164: a plus sign and digits, as ``+14155552671``."""
    email: str | None
    """Null if not known."""
    status: LeadStatus
    """The state of calling it. A ``blacklisted`` lead is not called."""
    priority: int = Field(ge=1, le=5)
    """1 is called first, 5 last."""
    source: str | None
    """The origin of the lead, in the company's own word, as ``website``; null if not known."""
    lead_score: int | None = Field(ge=0, le=100)
    """How promising it is, 100 is most; null if not scored."""
    interest_level: Literal["low", "medium", "high"] | None
    """Null if not known."""
    assigned_to: int | None
    """The agent to whom it is assigned, a member of the company; null if not assigned."""
    created_at: AwareDatetime
    """When it was created."""
    updated_at: AwareDatetime
    """When this version was made."""


class QualityReport(EventPart):
    """The quality of a call, as the voice provider scored it. A score that was not reported is null."""

    accuracy: float | None = Field(default=None, ge=0, le=100)
    """100 is best."""
    clarity: float | None = Field(default=None, ge=0, le=100)
    """100 is best."""
    engagement: float | None = Field(default=None, ge=0, le=100)
    """100 is best."""
    adherence_to_script: float | None = Field(default=None, ge=0, le=100)
    """100 is best."""
    sentiment_score: float | None = Field(default=None, ge=-10, le=10)
    """The mood of the person who was called: below 0 is bad, above 0 good."""
    customer_satisfaction: float | None = Field(default=None, ge=0, le=5)
    """5 is best."""
    response_time_seconds: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    """Seconds that the voice took to respond."""
    regulatory_compliance: bool | None = None
    """Whether the call complied with the rules for calls."""
    data_protection: bool | None = None
    """Whether the call complied with the rules for personal data."""
    issues: list[str] = Field(default_factory=list)
    """Kinds of issues, as ``script_deviation``."""


class CallAttempt(EventPart):
    """A call that was made, as it was reported. It never changes, and therefore has no version."""

    id: int
    """Unique among the calls of all companies, and never reused."""
    lead_id: int
    """The lead that was called."""
    campaign_id: int
    """The lead's campaign."""
    company_id: int
    """The lead's company."""
    started_at: AwareDatetime
    """When the call began."""
    duration: int = Field(ge=0)
    """Seconds."""
    successful: bool
    """Whether it succeeded: as reported; else by its disposition; else whether the lead was completed."""
    disposition: str | None
    """Its outcome, in the reporter's word, as ``callback_requested``; any word is possible. Null if not reported."""
    agent_id: int | None
    """The member of the company who made the call, or to whom the lead was assigned; null if neither is known."""
    cost: Money | None
    """The cost of this call, in the company's currency; null if not reported."""
    notes: str | None = None
    """Notes; null if there are none."""
    transcript: str | None = None
    """The transcript; null if not reported."""
    keywords: list[str] = Field(default_factory=list)
    """The keywords of the conversation; may be empty."""
    quality: QualityReport | None = None
    """The scores of its quality; null if not scored."""


class StatusChange(Lead):
    """A lead, and the status it had before."""

    previous_status: LeadStatus
    """The status before the change."""


class Assignment(Lead):
    """A lead, and the agent to whom it was assigned before."""

    previous_assigned_to: int | None
    """The agent to whom it was assigned; null if it was not assigned."""


class Scheduling(Lead):
    """A lead, and the time of its next call."""

    next_contact_date: AwareDatetime
    """The time of the next call."""


class Conversion(Lead):
    """A lead that was converted, and the value of the conversion."""

    conversion_value: Money
    """The value, in the company's currency."""
    converted_at: AwareDatetime
    """When it was first converted; a correction of the value does not change it."""


Leads = Annotated[list[Lead], Field(min_length=1, max_length=LEADS_PER_EVENT)]


class LeadCreated(EventData):
    """Leads were created: one by one, or by an import.

    An import of 1,200 leads emits three of these events. A lead may start with any status.
    """

    event_type: ClassVar[str] = "lead.created.v1"

    leads: Leads
    """The new leads, all of version 1."""


class LeadUpdated(EventData):
    """Leads were changed in a way that no other event covers.

    The changed field may be one that events do not carry, as a lead's notes.
    """

    event_type: ClassVar[str] = "lead.updated.v1"

    leads: Leads
    """The leads after the change."""


class LeadStatusChanged(EventData):
    """The status of leads changed: by request, call, scheduling, conversion, or the do-not-call list."""

    event_type: ClassVar[str] = "lead.status_changed.v1"

    leads: Annotated[list[StatusChange], Field(min_length=1, max_length=LEADS_PER_EVENT)]
    """The leads after the change."""


class LeadAssigned(EventData):
    """Leads were assigned to an agent, or to none."""

    event_type: ClassVar[str] = "lead.assigned.v1"

    leads: Annotated[list[Assignment], Field(min_length=1, max_length=LEADS_PER_EVENT)]
    """The leads after the change."""


class LeadScheduled(EventData):
    """Leads got a time for their next call."""

    event_type: ClassVar[str] = "lead.scheduled.v1"

    leads: Annotated[list[Scheduling], Field(min_length=1, max_length=LEADS_PER_EVENT)]
    """The leads after the change."""


class LeadConverted(EventData):
    """Leads were converted, or the value of a conversion was corrected.

    If there are several events of one lead, the value of the latest version is valid.
    """

    event_type: ClassVar[str] = "lead.converted.v1"

    leads: Annotated[list[Conversion], Field(min_length=1, max_length=LEADS_PER_EVENT)]
    """The leads after the change."""


class LeadDeleted(EventData):
    """Leads were deleted, one by one or by undoing their import.

    The event carries their last state. Their calls are deleted with them; no events are emitted for those.
    """

    event_type: ClassVar[str] = "lead.deleted.v1"

    leads: Leads
    """The last state of the leads, with a version of its own."""


class LeadCallAttempted(EventData):
    """Calls were made to leads.

    The change of its lead is emitted in addition, as ``lead.status_changed.v1`` or ``lead.updated.v1``.
    """

    event_type: ClassVar[str] = "lead.call_attempted.v1"

    call_attempts: Annotated[list[CallAttempt], Field(min_length=1, max_length=LEADS_PER_EVENT)]
    """The calls."""
