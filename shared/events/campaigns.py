"""Events of campaigns. Each carries the campaign as it is after the change."""

from decimal import Decimal
from typing import Annotated, ClassVar, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, PlainSerializer

from shared.events.envelope import EventData

CampaignStatus = Literal["draft", "active", "paused", "completed"]
Money = Annotated[Decimal, PlainSerializer(float, return_type=float, when_used="json")]
"""Held as an exact decimal, sent as a JSON number."""


class Campaign(BaseModel):
    """A campaign as other services know it."""

    model_config = ConfigDict(extra="ignore", frozen=True, from_attributes=True)

    id: int
    version: int = Field(ge=1)
    """Grows with every change; a reader drops what is older than what it has."""
    company_id: int
    name: str
    status: CampaignStatus
    priority: Literal["low", "medium", "high"]
    campaign_type: str
    calls_per_day: int
    calling_hours_start: str
    """``HH:MM:SS`` in the campaign's time zone."""
    calling_hours_end: str
    time_zone: str
    working_days: list[str]
    max_attempts_per_lead: int
    retry_delay_minutes: int
    """Minutes to wait before a lead is called again."""
    budget: Money | None
    cost_per_call: Money | None
    owner_id: int | None
    team_members: list[int]
    start_date: AwareDatetime | None
    end_date: AwareDatetime | None
    created_at: AwareDatetime
    updated_at: AwareDatetime


class CampaignEvent(EventData):
    """What every campaign event says."""

    campaign: Campaign


class CampaignCreated(CampaignEvent):
    """A campaign was created."""

    event_type: ClassVar[str] = "campaign.created.v1"


class CampaignUpdated(CampaignEvent):
    """Something of a campaign other than its status alone was changed."""

    event_type: ClassVar[str] = "campaign.updated.v1"


class CampaignStatusChanged(CampaignEvent):
    """A campaign took a step of its lifecycle."""

    event_type: ClassVar[str] = "campaign.status_changed.v1"

    previous_status: CampaignStatus


class CampaignDeleted(CampaignEvent):
    """A campaign was deleted: no new leads, no more calls; what it has stays."""

    event_type: ClassVar[str] = "campaign.deleted.v1"
