"""Lists of campaigns as API clients see them."""

from datetime import datetime
from typing import Any, Final

from pydantic import BaseModel, Field

from services.campaign_svc.campaigns.fields import Money, Priority, TimeOfDay, Weekday
from services.campaign_svc.campaigns.schemas import SHOWN_EXAMPLE
from shared.events.campaigns import CampaignStatus

_TOTALS_EXAMPLE: Final = {"total_leads": 100, "completed_calls": 50, "successful_calls": 45, "failed_calls": 5}


class ListedCampaign(BaseModel):
    """A campaign in a list, with what its leads and calls come to. Prompts and scripts are left out."""

    id: int
    name: str
    description: str | None
    status: CampaignStatus
    priority: Priority
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
    budget: Money | None
    cost_per_call: Money | None
    owner_id: int | None
    team_members: list[int]
    tags: list[str]
    start_date: datetime | None
    end_date: datetime | None
    created_at: datetime
    updated_at: datetime


class CampaignPage(BaseModel):
    """A page of a company's campaigns."""

    total: int = Field(description="Campaigns that the filters let through, on all pages.")
    offset: int
    limit: int
    data: list[ListedCampaign]


class ActiveCampaign(BaseModel):
    """A running campaign, and how far it is."""

    id: int
    name: str
    status: CampaignStatus
    priority: Priority
    total_leads: int
    completed_calls: int = Field(description="Calls made.")
    success_rate: float = Field(description="Successful calls in percent of `completed_calls`; 0 without calls.")
    today_calls: int = Field(description="Calls that started on the day it is now in the campaign's `time_zone`.")
    remaining_calls: int = Field(description="`calls_per_day` − `today_calls`, and never below 0.")


class ActiveCampaigns(BaseModel):
    """A page of a company's running campaigns, the newest first."""

    total: int = Field(description="Running campaigns that the filters let through, on all pages.")
    data: list[ActiveCampaign]


PAGE_EXAMPLE: Final[dict[str, Any]] = {
    "total": 100,
    "offset": 0,
    "limit": 50,
    "data": [
        {
            name: value
            for name, value in (SHOWN_EXAMPLE | _TOTALS_EXAMPLE).items()
            if name in ListedCampaign.model_fields
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
