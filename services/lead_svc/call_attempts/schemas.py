"""Requests and responses of call attempts."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from services.lead_svc.domain.fields import LeadStatus
from services.lead_svc.leads.schemas import AgentId, LeadSchema, LocalOrUtcDatetime
from services.lead_svc.values.from_json import lead_field
from shared.events.leads import QualityReport
from shared.schema import JsonNumber, NoNulText

MAX_DURATION_SECONDS: Final = 24 * 3600
EXAMPLE: Final[dict[str, Any]] = {
    "duration": 180,
    "notes": "Customer was busy, requested callback",
    "disposition": "callback_requested",
    "status": "scheduled",
}


Cost = Annotated[
    Decimal,
    Field(ge=0, le=1_000_000, max_digits=11, decimal_places=4),
    JsonNumber,
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": 1_000_000, "multipleOf": 0.0001}),
]
Terms = Annotated[list[Annotated[str, Field(min_length=1, max_length=100), NoNulText]], Field(max_length=100)]


class CallScores(QualityReport):
    """The quality of the call, as scored by the voice provider; a field that was not scored is left out."""

    # Strict: a text is not accepted as a number.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    issues: Terms = Field(default_factory=list)


class CallAttemptCreate(LeadSchema):
    """A call to be recorded."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    duration: Annotated[int, Field(strict=True, ge=0, le=MAX_DURATION_SECONDS, description="Seconds.")]
    notes: Annotated[str | None, lead_field("notes")] = None
    disposition: Annotated[str | None, Field(min_length=1, max_length=100)] = None
    status: Annotated[
        LeadStatus | None,
        lead_field("status"),
        Field(description="The lead's status after the call; if left out, that of the disposition."),
    ] = None
    successful: Annotated[
        bool | None, Field(strict=True, description="If left out, by the disposition, else by the status.")
    ] = None
    agent_id: Annotated[AgentId | None, lead_field("agent_id", like="assigned_to")] = None
    started_at: Annotated[
        LocalOrUtcDatetime | None,
        lead_field("started_at", like="last_contact_date"),
        Field(description="If left out, `duration` before now. Not in the future."),
    ] = None
    cost: Cost | None = None
    transcript: Annotated[str | None, Field(max_length=100_000)] = None
    keywords: Terms = Field(default_factory=list)
    quality: CallScores | None = None


class CallAttemptRead(BaseModel):
    """A recorded call."""

    id: int
    lead_id: int
    campaign_id: int
    agent_id: int | None
    started_at: datetime
    duration: int = Field(description="Seconds.")
    disposition: str | None
    successful: bool
    status: LeadStatus = Field(description="The lead's status after the call.")
    notes: str | None
    transcript: str | None
    keywords: list[str]
    cost: float | None
    quality: QualityReport | None
    created_at: datetime
