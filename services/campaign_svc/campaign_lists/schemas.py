"""Response schemas of the lists of campaigns."""

from datetime import datetime
from typing import Any, Final

from pydantic import BaseModel, Field

from services.campaign_svc.campaigns.campaign import Weekday
from services.campaign_svc.campaigns.fields import Amount, TimeOfDay
from services.campaign_svc.campaigns.schemas import CAMPAIGN_EXAMPLE
from shared.events.campaigns import CampaignPriority, CampaignStatus

_TOTALS_EXAMPLE: Final = {"total_leads": 100, "completed_calls": 50, "successful_calls": 45, "failed_calls": 5}


class CampaignListItem(BaseModel):
    """A campaign in a list, with the totals of its leads and calls, without its prompts and scripts."""

    id: int
    name: str
    description: str | None
    status: CampaignStatus
    priority: CampaignPriority
    campaign_type: str
    calls_per_day: int
    total_leads: int = Field(description="Leads of the campaign that are not deleted.")
    completed_calls: int = Field(description="Calls made.")
    successful_calls: int
    failed_calls: int = Field(description="`completed_calls` − `successful_calls`.")
    calling_hours_start: TimeOfDay
    calling_hours_end: TimeOfDay
    time_zone: str
    working_days: list[Weekday]
    ai_voice_id: str | None
    ai_voice_language: str
    ai_voice_gender: str | None
    max_attempts_per_lead: int
    retry_delay_minutes: int
    call_duration_limit: int | None = Field(description="Seconds.")
    budget: Amount | None
    cost_per_call: Amount | None
    owner_id: int | None
    team_members: list[int]
    tags: list[str]
    start_date: datetime | None
    end_date: datetime | None
    created_at: datetime
    updated_at: datetime


class CampaignListResponse(BaseModel):
    """A page of a company's campaigns."""

    total: int = Field(description="Campaigns that match the filters, on all pages.")
    offset: int
    limit: int
    data: list[CampaignListItem]


class ActiveCampaignRead(BaseModel):
    """A running campaign and its progress."""

    id: int
    name: str
    status: CampaignStatus
    priority: CampaignPriority
    total_leads: int
    completed_calls: int = Field(description="Calls made.")
    success_rate: float = Field(description="Successful calls in percent of `completed_calls`; 0 without calls.")
    today_calls: int = Field(description="Calls that started on the current day in the campaign's `time_zone`.")
    remaining_calls: int = Field(description="`calls_per_day` − `today_calls`, at least 0.")


class ActiveCampaignListResponse(BaseModel):
    """A page of a company's running campaigns, newest first."""

    total: int = Field(description="Running campaigns that match the filters, on all pages.")
    data: list[ActiveCampaignRead]


PAGE_EXAMPLE: Final[dict[str, Any]] = {
    "total": 100,
    "offset": 0,
    "limit": 50,
    "data": [
        {
            name: value
            for name, value in (CAMPAIGN_EXAMPLE | _TOTALS_EXAMPLE).items()
            if name in CampaignListItem.model_fields
        }
    ],
}
ACTIVE_EXAMPLE: Final[dict[str, Any]] = {
    "total": 5,
    "data": [
        {
            "id": 1,
            "name": "Customer Survey Campaign",
            "status": "active",
            "priority": "high",
            "total_leads": 100,
            "completed_calls": 50,
            "success_rate": 90.00,
            "today_calls": 25,
            "remaining_calls": 25,
        }
    ],
}
