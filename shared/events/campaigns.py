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
    """Unique among the campaigns of all companies, and never reused."""
    version: int = Field(ge=1)
    """Grows with every change; a reader drops what is older than what it has."""
    company_id: int
    """The company whose campaign it is, for life."""
    name: str
    """What the company calls it."""
    status: CampaignStatus
    """Its state in the lifecycle: calls are made while it is ``active``."""
    priority: CampaignPriority
    """How urgent it is, compared with the company's other campaigns."""
    campaign_type: str
    """The kind of campaign, in the company's own word, as ``outbound``."""
    calls_per_day: int
    """Maximum number of calls on one day."""
    calling_hours_start: str
    """When calling begins, ``HH:MM:SS`` in the campaign's time zone."""
    calling_hours_end: str
    """When calling ends, ``HH:MM:SS`` in the campaign's time zone; before the start, it is on the next day."""
    time_zone: str
    """IANA name of the time zone in which the calling hours are meant, as ``Europe/Berlin``."""
    working_days: list[str]
    """Days on which calls are made, by their English names: ``Monday``."""
    max_attempts_per_lead: int
    """Number of unsuccessful calls after which a lead has failed."""
    retry_delay_minutes: int
    """Minutes to wait before a lead is called again."""
    budget: Money | None
    """What the campaign may cost, in the company's currency; null if not set."""
    cost_per_call: Money | None
    """The cost of a call whose own cost is not reported, in the company's currency; null if not set."""
    owner_id: int | None
    """The member of the company who is responsible for it; null if not set."""
    team_members: list[int]
    """The members of the company who work on it, by their ids; may be empty."""
    start_date: AwareDatetime | None
    """When it begins; null if not set."""
    end_date: AwareDatetime | None
    """When it ends; null if not set."""
    created_at: AwareDatetime
    """When it was created."""
    updated_at: AwareDatetime
    """When this version was made."""


class CampaignEvent(EventData):
    """The data of every campaign event."""

    campaign: Campaign
    """The campaign after the change."""


class CampaignCreated(CampaignEvent):
    """A campaign was created.

    It may have any status from the start: a campaign that already ran elsewhere is created with the status it has.
    """

    event_type: ClassVar[str] = "campaign.created.v1"


class CampaignUpdated(CampaignEvent):
    """A campaign was changed, and not only its status.

    The changed field may be one that events do not carry, as its script. A change that includes the status emits
    ``campaign.status_changed.v1`` too, with the same version.
    """

    event_type: ClassVar[str] = "campaign.updated.v1"


class CampaignStatusChanged(CampaignEvent):
    """The status of a campaign changed: it was started, paused, resumed or completed."""

    event_type: ClassVar[str] = "campaign.status_changed.v1"

    previous_status: CampaignStatus
    """The status before the change."""


class CampaignDeleted(CampaignEvent):
    """A campaign was deleted: it gets no new leads and no more calls. Its leads and calls remain.

    The event carries the campaign's last state. No events are emitted for its leads.
    """

    event_type: ClassVar[str] = "campaign.deleted.v1"
