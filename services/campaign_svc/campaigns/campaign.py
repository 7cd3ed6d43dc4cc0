"""A campaign as a value between modules: a row of table ``campaigns``."""

from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Literal, get_args

from shared.events.campaigns import CampaignPriority, CampaignStatus

Weekday = Literal["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
WEEK: tuple[Weekday, ...] = get_args(Weekday)


@dataclass(frozen=True, slots=True)
class Campaign:
    """A stored campaign that is not deleted. Its fields are columns, in the order of the table and of the API."""

    id: int
    version: int
    company_id: int
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
    owner_id: int | None
    team_members: list[int]
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

    id: int
    version: int
    json: bytes
