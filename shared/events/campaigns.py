"""Events of campaigns. Each carries the campaign as it is after the change."""

from typing import ClassVar, Literal

from pydantic import AwareDatetime, ConfigDict, Field

from shared.events.envelope import EventData, EventPart
from shared.schema import Money

CampaignStatus = Literal["draft", "active", "paused", "completed"]
CampaignPriority = Literal["low", "medium", "high"]


class Campaign(EventPart):
    """A campaign as other services know it."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    """Unique among the campaigns of all companies, and never given again."""
    version: int = Field(ge=1)
    """Grows with every change; a reader drops what is older than what it has."""
    company_id: int
    """The company whose campaign it is, for life."""
    name: str
    """What the company calls it."""
    status: CampaignStatus
    """Where it is in its lifecycle: calls are made while it is ``active``."""
    priority: CampaignPriority
    """How urgent it is beside the company's other campaigns."""
    campaign_type: str
    """What kind of campaign it is, in the company's own word, as ``outbound``."""
    calls_per_day: int
    """Most calls that are to be made on one day."""
    calling_hours_start: str
    """When calling begins, ``HH:MM:SS`` in the campaign's time zone."""
    calling_hours_end: str
    """When calling ends, ``HH:MM:SS`` in the campaign's time zone; before the start, it is on the next day."""
    time_zone: str
    """IANA name of the time zone in which the calling hours are meant, as ``Europe/Berlin``."""
    working_days: list[str]
    """Days on which calls are made, by their English names: ``Monday``."""
    max_attempts_per_lead: int
    """How often a lead is called in vain before it has failed."""
    retry_delay_minutes: int
    """Minutes to wait before a lead is called again."""
    budget: Money | None
    """What the campaign may cost, in the company's currency; null where nobody said."""
    cost_per_call: Money | None
    """What a call costs that tells no cost of its own, in the company's currency; null where nobody said."""
    owner_id: int | None
    """The member of the company who answers for it; null where nobody does."""
    team_members: list[int]
    """The members of the company who work on it, by their ids; may be empty."""
    start_date: AwareDatetime | None
    """When it is to begin; null where that is open."""
    end_date: AwareDatetime | None
    """When it is to end; null where that is open."""
    created_at: AwareDatetime
    """When it was created."""
    updated_at: AwareDatetime
    """When this version was made."""


class CampaignEvent(EventData):
    """What every campaign event says."""

    campaign: Campaign
    """The campaign after the change."""


class CampaignCreated(CampaignEvent):
    """A campaign was created.

    It may have any status from the start: one that already ran elsewhere is brought in as what it is.
    """

    event_type: ClassVar[str] = "campaign.created.v1"


class CampaignUpdated(CampaignEvent):
    """Something of a campaign other than its status alone was changed.

    What was changed may be something that events do not carry, as its script. A change that gives it another status
    besides tells ``campaign.status_changed.v1`` too, of the same version.
    """

    event_type: ClassVar[str] = "campaign.updated.v1"


class CampaignStatusChanged(CampaignEvent):
    """A campaign took a step of its lifecycle: it was started, paused, resumed or completed."""

    event_type: ClassVar[str] = "campaign.status_changed.v1"

    previous_status: CampaignStatus
    """The status it had before the step."""


class CampaignDeleted(CampaignEvent):
    """A campaign was deleted: no new leads, no more calls; what it has stays.

    The campaign is told as it was last. Its leads are not deleted, and no event tells of them.
    """

    event_type: ClassVar[str] = "campaign.deleted.v1"
