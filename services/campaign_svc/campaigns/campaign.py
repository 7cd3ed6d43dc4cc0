"""A campaign as a value between modules: a row of table ``campaigns``."""

from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Literal, Self, get_args

import orjson

from shared.events.campaigns import CampaignPriority, CampaignStatus
from shared.http.json import dump
from shared.ids import CampaignId, CompanyId, MemberId

Weekday = Literal["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
WEEK: tuple[Weekday, ...] = get_args(Weekday)


@dataclass(frozen=True, slots=True)
class Campaign:
    """A stored campaign that is not deleted. Its fields are columns, in the order of the table and of the API."""

    id: CampaignId
    version: int
    company_id: CompanyId
    name: str
    description: str | None
    status: CampaignStatus
    priority: CampaignPriority
    campaign_type: str
    calls_per_day: int
    calling_hours_start: time
    calling_hours_end: time
    time_zone: str
    working_days: list[Weekday]
    ai_voice_id: str | None
    ai_voice_language: str
    ai_voice_gender: str | None
    system_prompt: str
    script_template: str
    fallback_script: str | None
    max_attempts_per_lead: int
    retry_delay_minutes: int
    call_duration_limit: int | None
    success_criteria: str | None
    expected_completion_date: date | None
    budget: Decimal | None
    cost_per_call: Decimal | None
    owner_id: MemberId | None
    team_members: list[MemberId]
    tags: list[str]
    notes: str | None
    start_date: datetime | None
    end_date: datetime | None
    recurrence_rule: str | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class CampaignJson:
    """A campaign as the API returns it, in JSON, with what its response headers need."""

    id: CampaignId
    version: int
    json: bytes

    @classmethod
    def of(cls, campaign: Campaign) -> Self:
        """Return a campaign as the API returns it."""
        return cls(campaign.id, campaign.version, dump(campaign))

    @classmethod
    def parse(cls, json: bytes) -> Self:
        """Return the campaign that this JSON is."""
        campaign = orjson.loads(json)
        return cls(campaign["id"], campaign["version"], json)
