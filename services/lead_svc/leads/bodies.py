"""What API clients send about leads. Unknown fields are refused by name, and every fault of a body is told at once."""

from datetime import datetime, time
from decimal import Decimal
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from services.lead_svc.domain.datetimes import in_utc
from services.lead_svc.domain.fields import FIELD_BY_NAME, InterestLevel, LeadStatus
from services.lead_svc.domain.lead_status import OPEN
from services.lead_svc.domain.phone import Phone
from services.lead_svc.values.from_json import lead_field
from shared.http.parameters import MAX_ID, NoNulText

MOST_AT_ONCE: Final = 1_000
"""Most leads of one bulk request."""

Id = Annotated[int, Field(strict=True, ge=1, le=MAX_ID)]

EXAMPLE: Final[dict[str, Any]] = {
    "campaign_id": 1,
    "first_name": "John",
    "last_name": "Doe",
    "phone": "+1234567890",
    "alternate_phone": "+1987654321",
    "email": "john.doe@example.com",
    "company_name": "ABC Corp",
    "job_title": "Senior Manager",
    "industry": "Technology",
    "status": "pending",
    "priority": 1,
    "best_time_to_call": "14:00:00",
    "timezone": "America/New_York",
    "preferred_language": "en-US",
    "country": "United States",
    "state": "California",
    "city": "San Francisco",
    "address": "123 Main St, Suite 200",
    "postal_code": "94105",
    "source": "Website",
    "source_details": "Contact form submission - Enterprise Plan",
    "annual_revenue": 5000000.00,
    "company_size": "50-100",
    "lead_score": 85,
    "interest_level": "high",
    "pain_points": ["Current solution is too expensive", "Lacks automation features", "Poor customer support"],
    "requirements": ["24/7 Support", "Cloud Hosting", "API Integration", "Custom Reporting"],
    "custom_fields": {
        "referred_by": "Jane Smith",
        "product_interest": "Enterprise Plan",
        "budget_range": "$50k-100k",
        "decision_timeline": "Q2 2024",
    },
    "assigned_to": 123,
    "notes": "High-priority lead interested in full platform migration",
    "tags": ["enterprise", "high-value", "immediate-follow-up"],
    "last_contact_date": "2024-02-19T10:30:00Z",
    "next_contact_date": "2024-02-20T14:00:00Z",
    "company_id": 1,
}

_EXTENSION_KEYS: Final = {"phone": "phone_extension", "alternate_phone": "alternate_phone_extension"}

PhoneNumber = Annotated[Phone, WithJsonSchema({"type": "string", "examples": ["+1234567890"]})]
TimeOfDay = Annotated[
    time, WithJsonSchema({"type": "string", "pattern": "^[0-9]{2}:[0-9]{2}(:[0-9]{2})?$", "examples": ["14:00:00"]})
]
Moment = Annotated[
    datetime,
    WithJsonSchema(
        {
            "type": "string",
            "description": "ISO 8601 with an offset, or without one as a wall clock in the `time_zone` of the lead's "
            "campaign shows it. A time that the clock shows twice is the first; one that it skips is as many minutes "
            "later.",
            "examples": ["2024-02-20T14:00:00Z", "2024-02-20 09:00:00"],
        }
    ),
]
Money = Annotated[
    Decimal,
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": FIELD_BY_NAME["annual_revenue"].maximum + 0.99}),
]
AgentId = Annotated[int, Field(ge=1, le=MAX_ID)]
Agent = Annotated[AgentId, lead_field("assigned_to", required=True)]
Priority = Annotated[int, Field(ge=1, le=5), lead_field("priority")]
Status = Annotated[LeadStatus, lead_field("status", required=True)]


class Body(BaseModel):
    """What every body has in common: null is the same as leaving a field out."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, body: object) -> object:
        if not isinstance(body, dict):
            return body
        return {name: value for name, value in body.items() if value is not None or name not in cls.model_fields}


class LeadBody(Body):
    """A lead as it is sent."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    campaign_id: Id
    first_name: Annotated[str, Field(min_length=1), lead_field("first_name", required=True)]
    last_name: Annotated[str, Field(min_length=1), lead_field("last_name", required=True)]
    phone: Annotated[PhoneNumber, lead_field("phone", required=True)]
    alternate_phone: Annotated[PhoneNumber | None, lead_field("alternate_phone")] = None
    email: Annotated[str | None, lead_field("email")] = None
    company_name: Annotated[str | None, lead_field("company_name")] = None
    job_title: Annotated[str | None, lead_field("job_title")] = None
    industry: Annotated[str | None, lead_field("industry")] = None
    status: Status
    priority: Priority | None = 3
    best_time_to_call: Annotated[TimeOfDay | None, lead_field("best_time_to_call")] = None
    timezone: Annotated[str | None, lead_field("timezone")] = "UTC"
    preferred_language: Annotated[str | None, lead_field("preferred_language")] = "en-US"
    country: Annotated[str | None, lead_field("country")] = None
    state: Annotated[str | None, lead_field("state")] = None
    city: Annotated[str | None, lead_field("city")] = None
    address: Annotated[str | None, lead_field("address")] = None
    postal_code: Annotated[str | None, lead_field("postal_code")] = None
    source: Annotated[str | None, lead_field("source")] = None
    source_details: Annotated[str | None, lead_field("source_details")] = None
    annual_revenue: Annotated[Money | None, lead_field("annual_revenue")] = None
    company_size: Annotated[str | None, lead_field("company_size")] = None
    lead_score: Annotated[int | None, Field(ge=0, le=100), lead_field("lead_score")] = None
    interest_level: Annotated[InterestLevel | None, lead_field("interest_level")] = None
    pain_points: Annotated[list[str] | None, lead_field("pain_points")] = None
    requirements: Annotated[list[str] | None, lead_field("requirements")] = None
    custom_fields: Annotated[dict[str, Any] | None, lead_field("custom_fields")] = {}
    assigned_to: Annotated[AgentId | None, lead_field("assigned_to")] = None
    notes: Annotated[str | None, lead_field("notes")] = None
    tags: Annotated[list[str] | None, lead_field("tags"), Field(description="Kept in `custom_fields`.")] = None
    last_contact_date: Annotated[Moment | None, lead_field("last_contact_date")] = None
    next_contact_date: Annotated[Moment | None, lead_field("next_contact_date")] = None
    company_id: Id

    def row(self, time_zone: str) -> dict[str, object]:
        """The lead as its table has it: phone extensions and tags are among its custom fields.

        `time_zone` is that of its campaign, in which times without an offset are read. A lead that is done is called no
        more, whenever that was to be.
        """
        row: dict[str, object] = {name: getattr(self, name) for name in type(self).model_fields}
        for name, value in row.items():
            if isinstance(value, datetime):
                row[name] = in_utc(value, time_zone)
        if self.status not in OPEN:
            row["next_contact_date"] = None
        custom_fields = {**(self.custom_fields or {})}
        for name, key in _EXTENSION_KEYS.items():
            number: Phone | None = getattr(self, name)
            row[name] = None if number is None else number.e164
            if number is not None and number.extension is not None:
                custom_fields[key] = number.extension
        if row.pop("tags") is not None:
            custom_fields["tags"] = self.tags
        return {**row, "custom_fields": custom_fields}


def _none_if_blank(text: str) -> str | None:
    return text.strip() or None


class LeadStatusBody(Body):
    """The status a lead is to have."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"status": "in_progress", "sub_status": "attempting_contact"}]}
    )

    status: Status
    sub_status: Annotated[str | None, Field(max_length=100), NoNulText, AfterValidator(_none_if_blank)] = None


class AssignBody(Body):
    """Whose lead it is to be."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"assigned_to": 123}]})

    assigned_to: Agent


class ScheduleBody(Body):
    """When a lead is to be called."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"scheduled_call_time": "2024-02-20T14:00:00Z"}]})

    scheduled_call_time: Annotated[Moment, lead_field("scheduled_call_time", like="next_contact_date", required=True)]


class ConvertBody(Body):
    """What a conversion is worth."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"value": 1000.00}]})

    value: Annotated[Money, lead_field("value", like="annual_revenue", required=True)]


class Updates(Body):
    """What many leads are to have alike; what is left out stays as it is."""

    status: Annotated[LeadStatus | None, lead_field("status")] = None
    priority: Priority | None = None
    assigned_to: Annotated[AgentId | None, lead_field("assigned_to")] = None
    notes: Annotated[str | None, lead_field("notes")] = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.model_fields_set:
            raise PydanticCustomError("no_updates", "Must name at least one of status, priority, assigned_to, notes")
        return self


LeadIds = Annotated[list[Id], Field(min_length=1, max_length=MOST_AT_ONCE)]


class BulkUpdateBody(Body):
    """Leads, and what they are to have alike."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "lead_ids": [1, 2, 3],
                    "updates": {
                        "status": "in_progress",
                        "priority": 2,
                        "assigned_to": 123,
                        "notes": "Bulk update notes",
                    },
                }
            ]
        }
    )

    lead_ids: LeadIds
    updates: Updates


class BulkAssignBody(Body):
    """Leads, and whose they are to be."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"lead_ids": [1, 2, 3], "assigned_to": 123}]})

    lead_ids: LeadIds
    assigned_to: Agent
