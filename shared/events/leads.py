"""Events of leads. Each carries a list, 1 to 500 leads of one company, as they are after the change."""

from typing import Annotated, ClassVar, Literal

from pydantic import AwareDatetime, Field

from shared.events.envelope import EventData, EventPart
from shared.schema import Money

LEADS_PER_EVENT = 500
"""Most leads in one event: one message of this size costs about as much to send as one with a single lead."""

LeadStatus = Literal["pending", "in_progress", "completed", "failed", "scheduled", "blacklisted"]


class Lead(EventPart):
    """A lead as other services know it."""

    id: int
    """Unique among the leads of all companies, and never given again."""
    version: int = Field(ge=1)
    """Grows with every change; a reader drops what is older than what it has."""
    campaign_id: int
    """The campaign that calls it, for life."""
    company_id: int
    """The company whose lead it is, for life."""
    first_name: str | None
    """Null where nobody said."""
    last_name: str | None
    """Null where nobody said."""
    phone: str
    """E.164: a plus sign and digits, as ``+14155552671``."""
    email: str | None
    """Null where nobody said."""
    status: LeadStatus
    """How far calling it has come. A ``blacklisted`` lead is not called."""
    priority: int = Field(ge=1, le=5)
    """1 is called first, 5 last."""
    source: str | None
    """Where the lead comes from, in the company's own word, as ``website``; null where nobody said."""
    lead_score: int | None = Field(ge=0, le=100)
    """How promising it is, 100 is most; null where it was not scored."""
    interest_level: Literal["low", "medium", "high"] | None
    """Null where it is not known."""
    assigned_to: int | None
    """The agent whose lead it is, a member of the company; null where it is nobody's."""
    created_at: AwareDatetime
    """When it was created."""
    updated_at: AwareDatetime
    """When this version was made."""


class QualityReport(EventPart):
    """How good a call was, as the voice provider scored it. What it does not say is null."""

    accuracy: float | None = Field(default=None, ge=0, le=100)
    """100 is best."""
    clarity: float | None = Field(default=None, ge=0, le=100)
    """100 is best."""
    engagement: float | None = Field(default=None, ge=0, le=100)
    """100 is best."""
    adherence_to_script: float | None = Field(default=None, ge=0, le=100)
    """100 is best."""
    sentiment_score: float | None = Field(default=None, ge=-10, le=10)
    """How the one who was called felt: below 0 is bad, above 0 good."""
    customer_satisfaction: float | None = Field(default=None, ge=0, le=5)
    """5 is best."""
    response_time_seconds: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    """Seconds that the voice took to respond."""
    regulatory_compliance: bool | None = None
    """Whether the call kept to the rules for calls."""
    data_protection: bool | None = None
    """Whether the call kept to the rules for personal data."""
    issues: list[str] = Field(default_factory=list)
    """Kinds of what went wrong, as ``script_deviation``."""


class CallAttempt(EventPart):
    """A call that was made, as it was reported. It never changes, and therefore has no version."""

    id: int
    """Unique among the calls of all companies, and never given again."""
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
    """Whether it succeeded: as it was reported; else as its disposition says; else whether the lead was completed."""
    disposition: str | None
    """How it ended, in the reporter's word, as ``callback_requested``; any word may come. Null where nobody said."""
    agent_id: int | None
    """The member of the company who made the call or whose lead it was; null where it was nobody's."""
    cost: Money | None
    """What this call cost, in the company's currency; null where it was not reported."""
    notes: str | None = None
    """What was noted down; null where nothing was."""
    transcript: str | None = None
    """What was said; null where it was not reported."""
    keywords: list[str] = Field(default_factory=list)
    """What it was about; may be empty."""
    quality: QualityReport | None = None
    """How good it was; null where it was not scored."""


class StatusChange(Lead):
    """A lead, and the status it had before."""

    previous_status: LeadStatus
    """The status before the change."""


class Assignment(Lead):
    """A lead, and whose it was before."""

    previous_assigned_to: int | None
    """The agent whose lead it was; null where it was nobody's."""


class Scheduling(Lead):
    """A lead, and when it is to be called."""

    next_contact_date: AwareDatetime
    """When it is to be called."""


class Conversion(Lead):
    """A lead that was converted, and what that is worth."""

    conversion_value: Money
    """What it is worth, in the company's currency."""
    converted_at: AwareDatetime
    """When it was converted first; a correction of the value leaves it."""


Leads = Annotated[list[Lead], Field(min_length=1, max_length=LEADS_PER_EVENT)]


class LeadCreated(EventData):
    """Leads were created: by hand, or by an import.

    An import of 1,200 leads tells three of these events. A lead may start with any status.
    """

    event_type: ClassVar[str] = "lead.created.v1"

    leads: Leads
    """The new leads, all of version 1."""


class LeadUpdated(EventData):
    """Something of leads was changed that no other event tells.

    What was changed may be something that events do not carry, as a lead's notes.
    """

    event_type: ClassVar[str] = "lead.updated.v1"

    leads: Leads
    """The leads after the change."""


class LeadStatusChanged(EventData):
    """Leads got another status: by request, by a call, by being scheduled or converted, or by the do-not-call list."""

    event_type: ClassVar[str] = "lead.status_changed.v1"

    leads: Annotated[list[StatusChange], Field(min_length=1, max_length=LEADS_PER_EVENT)]
    """The leads after the change."""


class LeadAssigned(EventData):
    """Leads were given to an agent, or to none."""

    event_type: ClassVar[str] = "lead.assigned.v1"

    leads: Annotated[list[Assignment], Field(min_length=1, max_length=LEADS_PER_EVENT)]
    """The leads after the change."""


class LeadScheduled(EventData):
    """It was agreed when leads are to be called."""

    event_type: ClassVar[str] = "lead.scheduled.v1"

    leads: Annotated[list[Scheduling], Field(min_length=1, max_length=LEADS_PER_EVENT)]
    """The leads after the change."""


class LeadConverted(EventData):
    """Leads were converted, or the value of a conversion was corrected.

    Of several events of one lead the latest version has the value that counts.
    """

    event_type: ClassVar[str] = "lead.converted.v1"

    leads: Annotated[list[Conversion], Field(min_length=1, max_length=LEADS_PER_EVENT)]
    """The leads after the change."""


class LeadDeleted(EventData):
    """Leads were deleted, one by one or with the import that brought them; each is told as it was last.

    Their calls are deleted with them, and no event tells of those.
    """

    event_type: ClassVar[str] = "lead.deleted.v1"

    leads: Leads
    """The leads as they were last, of a version of its own."""


class LeadCallAttempted(EventData):
    """Calls were made to leads.

    What a call made of its lead is told besides, by ``lead.status_changed.v1`` or ``lead.updated.v1``.
    """

    event_type: ClassVar[str] = "lead.call_attempted.v1"

    call_attempts: Annotated[list[CallAttempt], Field(min_length=1, max_length=LEADS_PER_EVENT)]
    """The calls."""
