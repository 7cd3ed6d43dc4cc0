"""Request and response schemas of campaigns."""

from datetime import UTC, datetime, time
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)
from pydantic_core import PydanticCustomError

from services.campaign_svc.campaigns.campaign import WEEK
from services.campaign_svc.campaigns.fields import (
    Amount,
    CalendarDate,
    Count,
    Id,
    Label,
    Language,
    Name,
    Notes,
    Paragraph,
    Prompt,
    RequiredLabel,
    Script,
    Tags,
    TeamMembers,
    TimeOfDay,
    TimeZone,
    WorkingDays,
    require_datetime,
)
from services.campaign_svc.campaigns.recurrence import first_occurrence
from shared.events.campaigns import CampaignPriority, CampaignStatus
from shared.schema import Schema

EXAMPLE: Final[dict[str, Any]] = {
    "name": "Customer Survey Campaign",
    "description": "Automated survey for customer satisfaction",
    "status": "draft",
    "priority": "high",
    "campaign_type": "outbound",
    "calls_per_day": 50,
    "calling_hours_start": "09:00:00",
    "calling_hours_end": "17:00:00",
    "time_zone": "UTC",
    "working_days": ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"],
    "ai_voice_id": "voice-123",
    "ai_voice_language": "en-US",
    "ai_voice_gender": "female",
    "system_prompt": "You are a friendly customer service representative conducting a satisfaction survey",
    "script_template": (
        "Hello {customer_name}, this is {company_name} calling. We're conducting a brief customer satisfaction survey."
        " Would you have 2 minutes to share your feedback?"
    ),
    "fallback_script": "I understand you're busy. Would you prefer if I called back at a more convenient time?",
    "max_attempts_per_lead": 3,
    "retry_delay_minutes": 60,
    "call_duration_limit": 300,
    "success_criteria": "Customer completes at least 80% of survey questions",
    "expected_completion_date": "2024-12-31",
    "budget": 1000.00,
    "cost_per_call": 0.50,
    "owner_id": 123,
    "team_members": [124, 125, 126],
    "tags": ["customer-survey", "satisfaction", "q4-2024"],
    "notes": "Focus on customer service experience and product satisfaction",
    "start_date": "2024-03-01 09:00:00",
    "end_date": "2024-12-31 17:00:00",
    "recurrence_rule": "FREQ=DAILY;INTERVAL=1",
    "company_id": 1,
}


def _zone(info: ValidationInfo) -> ZoneInfo:
    # When time_zone itself is invalid, the other fields are read in UTC, only to find their own errors.
    return ZoneInfo(info.data.get("time_zone", "UTC"))


def _datetime(value: object, info: ValidationInfo) -> datetime:
    return require_datetime(value, _zone(info))


LocalDatetime = Annotated[
    datetime,
    PlainValidator(_datetime),
    WithJsonSchema({"type": "string", "examples": ["2024-03-01 09:00:00"]}, mode="validation"),
    WithJsonSchema({"type": "string", "format": "date-time"}, mode="serialization"),
]


class CampaignCreate(Schema):
    """A campaign to create. A null field is the same as an absent one."""

    # The order of the fields matters: a rule on two fields belongs to the later one, which sees the earlier.

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})
    null_is_absent = True

    name: Name
    description: Paragraph | None = None
    # Any of the four: a campaign that ran in another system is imported with the status that it has there.
    status: CampaignStatus
    priority: CampaignPriority = "medium"
    campaign_type: RequiredLabel = "outbound"
    calls_per_day: Count
    calling_hours_start: TimeOfDay
    calling_hours_end: TimeOfDay = Field(description="An end before the start is on the next day.")
    time_zone: TimeZone = "UTC"
    working_days: WorkingDays = Field(default=list(WEEK[:5]))
    ai_voice_id: Label | None = None
    ai_voice_language: Language = "en-US"
    ai_voice_gender: Label | None = None
    system_prompt: Prompt
    script_template: Script
    fallback_script: Script | None = None
    max_attempts_per_lead: Count = 3
    retry_delay_minutes: Count = 60
    call_duration_limit: Count | None = Field(default=None, description="Seconds.")
    success_criteria: Paragraph | None = None
    expected_completion_date: CalendarDate | None = None
    budget: Amount | None = None
    cost_per_call: Amount | None = None
    owner_id: Id | None = None
    team_members: TeamMembers = Field(default=[])
    tags: Tags = Field(default=[])
    notes: Notes | None = None
    start_date: LocalDatetime | None = Field(
        default=None, description="ISO 8601. A value without an offset is local time in `time_zone`."
    )
    end_date: LocalDatetime | None = Field(default=None, description="After `start_date`, in the same format.")
    recurrence_rule: Annotated[str, Field(max_length=255)] | None = Field(
        default=None, description="RFC 5545 rule with FREQ=DAILY, WEEKLY, MONTHLY or YEARLY and its other parts."
    )
    company_id: Id

    @field_validator("calling_hours_end")
    @classmethod
    def _calling_hours_not_empty(cls, end: time, info: ValidationInfo) -> time:
        if end == info.data.get("calling_hours_start"):
            raise PydanticCustomError("empty_calling_hours", "Must differ from calling_hours_start")
        return end

    @field_validator("end_date")
    @classmethod
    def _end_after_start(cls, end: datetime | None, info: ValidationInfo) -> datetime | None:
        start: datetime | None = info.data.get("start_date")
        if start is not None and end is not None and end <= start:
            raise PydanticCustomError("end_before_start", "Must be after start_date")
        return end

    @field_validator("recurrence_rule")
    @classmethod
    def _recurs_within_campaign(cls, rule: str | None, info: ValidationInfo) -> str | None:
        if rule is None:
            return None
        start: datetime = info.data.get("start_date") or datetime.now(UTC)
        first = first_occurrence(rule, start.astimezone(_zone(info)))
        if not info.data.keys() >= {"time_zone", "start_date", "end_date"}:
            return rule  # one of them is invalid: the first occurrence cannot be determined
        end: datetime | None = info.data["end_date"]
        if first is None or (end is not None and first > end):
            raise PydanticCustomError("never_recurs", "Never fires between the campaign's start and end")
        return rule


class CampaignUpdate(CampaignCreate):
    """A campaign that replaces the stored one: an absent field gets its default."""


class CampaignStatusUpdate(Schema):
    """The new status of a campaign."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"status": "active"}]})

    status: CampaignStatus


CAMPAIGN_EXAMPLE: Final[dict[str, Any]] = {
    "id": 1,
    "version": 1,
    **EXAMPLE,
    "start_date": "2024-03-01T09:00:00Z",
    "end_date": "2024-12-31T17:00:00Z",
    "created_at": "2024-02-19T10:00:00Z",
    "updated_at": "2024-02-19T10:00:00Z",
}


class CampaignRead(CampaignCreate):
    """A campaign with every field; a field that was left out is null or has its default."""

    model_config = ConfigDict(json_schema_extra={"examples": [CAMPAIGN_EXAMPLE]})

    id: int
    version: int = Field(description="Increases by 1 with every change.")
    created_at: datetime
    updated_at: datetime


class CampaignResponse(BaseModel):
    """A campaign after a change, with a message."""

    message: str
    data: CampaignRead


class Keyword(BaseModel):
    """A word of the calls and how often it occurred."""

    word: str
    count: int


class CallQuality(BaseModel):
    """The quality of a campaign's calls, from what was reported for each; a figure without reports is null.

    Formulas: docs/metrics.md.
    """

    accuracy: float | None = None
    clarity: float | None = None
    engagement: float | None = None
    adherenceToScript: float | None = None  # noqa: N815 - the contract's name
    sentimentScore: float | None = None  # noqa: N815
    averageCallQuality: float | None = None  # noqa: N815
    positiveResponseRate: float | None = None  # noqa: N815
    negativeResponseRate: float | None = None  # noqa: N815
    averageResponseTime: str | None = Field(default=None, description="Seconds, as `8.5s`.")  # noqa: N815
    commonKeywords: list[Keyword] = []  # noqa: N815


DETAILS_EXAMPLE: Final[dict[str, Any]] = {
    **CAMPAIGN_EXAMPLE,
    "voice_type": EXAMPLE["ai_voice_gender"],
    "script": EXAMPLE["script_template"],
    "call_start_time": "09:00",
    "call_end_time": "17:00",
    "metrics": {
        "accuracy": 95,
        "clarity": 88,
        "engagement": 92,
        "adherenceToScript": 96,
        "sentimentScore": 7.8,
        "averageCallQuality": 92,
        "positiveResponseRate": 45,
        "negativeResponseRate": 15,
        "averageResponseTime": "8.5s",
        "commonKeywords": [{"word": "interested", "count": 145}, {"word": "pricing", "count": 98}],
    },
}


class CampaignDetailsRead(CampaignRead):
    """A campaign with the quality of its calls, and four of its fields repeated under the names that dialers use."""

    model_config = ConfigDict(json_schema_extra={"examples": [DETAILS_EXAMPLE]})

    voice_type: str | None = Field(description="`ai_voice_gender`.")
    script: str = Field(description="`script_template`.")
    call_start_time: str = Field(description="`calling_hours_start` as HH:MM.")
    call_end_time: str = Field(description="`calling_hours_end` as HH:MM.")
    metrics: CallQuality


class CampaignDetailsResponse(BaseModel):
    """A campaign with the quality of its calls, with a message."""

    message: str
    data: CampaignDetailsRead
