"""Requests and responses of leads. Unknown fields are rejected; an error response names every error of a body."""

from datetime import datetime, time
from decimal import Decimal
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from services.lead_svc.domain.fields import FIELD_BY_NAME, InterestLevel, LeadStatus
from services.lead_svc.domain.lead_status import OPEN
from services.lead_svc.domain.phone import Phone
from services.lead_svc.values.from_json import lead_field
from shared.datetimes import to_utc
from shared.http.openapi import MessageResponse
from shared.ids import MAX_ID, CampaignId, CompanyId, LeadId, MemberId
from shared.schema import Schema

MAX_BULK_LEADS: Final = 1_000
"""Most leads of one bulk request."""

_Id = Field(strict=True, ge=1, le=MAX_ID)

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
LocalOrUtcDatetime = Annotated[
    datetime,
    WithJsonSchema(
        {
            "type": "string",
            "description": "ISO 8601 with an offset from UTC, or without one in the `time_zone` of the lead's "
            "campaign. At the end of summer time a repeated local time means the first of the two; at its beginning a "
            "skipped local time means the same number of minutes after the gap.",
            "examples": ["2024-02-20T14:00:00Z", "2024-02-20 09:00:00"],
        }
    ),
]
Money = Annotated[
    Decimal,
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": FIELD_BY_NAME["annual_revenue"].maximum + 0.99}),
]
AgentId = Annotated[MemberId, Field(ge=1, le=MAX_ID)]
Agent = Annotated[AgentId, lead_field("assigned_to", required=True)]
Priority = Annotated[int, Field(ge=1, le=5), lead_field("priority")]
Status = Annotated[LeadStatus, lead_field("status", required=True)]


class LeadSchema(Schema):
    """Base of request bodies about leads: null is the same as leaving a field out."""

    null_is_absent = True


class LeadCreate(LeadSchema):
    """A new lead."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    campaign_id: Annotated[CampaignId, _Id]
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
    custom_fields: Annotated[dict[str, Any] | None, lead_field("custom_fields")] = Field(default={})
    assigned_to: Annotated[AgentId | None, lead_field("assigned_to")] = None
    notes: Annotated[str | None, lead_field("notes")] = None
    tags: Annotated[list[str] | None, lead_field("tags"), Field(description="Stored in `custom_fields`.")] = None
    last_contact_date: Annotated[LocalOrUtcDatetime | None, lead_field("last_contact_date")] = None
    next_contact_date: Annotated[LocalOrUtcDatetime | None, lead_field("next_contact_date")] = None
    company_id: Annotated[CompanyId, _Id]

    def column_values(self, time_zone: str) -> dict[str, object]:
        """The values by the columns of the table: phone extensions and tags become custom fields.

        A lead whose status is not open has no next contact.

        Parameters
        ----------
        time_zone
            Of the lead's campaign, for times without an offset from UTC.
        """
        values: dict[str, object] = {name: getattr(self, name) for name in type(self).model_fields}
        for name, value in values.items():
            if isinstance(value, datetime):
                values[name] = to_utc(value, time_zone)
        if self.status not in OPEN:
            values["next_contact_date"] = None
        custom_fields = {**(self.custom_fields or {})}
        for name, key in _EXTENSION_KEYS.items():
            number: Phone | None = getattr(self, name)
            values[name] = None if number is None else number.e164
            if number is not None and number.extension is not None:
                custom_fields[key] = number.extension
        if values.pop("tags") is not None:
            custom_fields["tags"] = self.tags
        return {**values, "custom_fields": custom_fields}


class LeadUpdate(LeadCreate):
    """A whole lead, which replaces the stored one; a field that is left out gets its default."""


def _none_if_blank(text: str) -> str | None:
    return text.strip() or None


class LeadStatusUpdate(LeadSchema):
    """A new status of a lead, and its sub-status."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"status": "in_progress", "sub_status": "attempting_contact"}]}
    )

    status: Status
    sub_status: Annotated[str | None, Field(max_length=100), AfterValidator(_none_if_blank)] = None


class LeadAssigneeUpdate(LeadSchema):
    """A new assignee of a lead."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"assigned_to": 123}]})

    assigned_to: Agent


class LeadSchedule(LeadSchema):
    """The time of a lead's next call."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"scheduled_call_time": "2024-02-20T14:00:00Z"}]})

    scheduled_call_time: Annotated[
        LocalOrUtcDatetime, lead_field("scheduled_call_time", like="next_contact_date", required=True)
    ]


class LeadConversion(LeadSchema):
    """The value of a conversion."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"value": 1000.00}]})

    value: Annotated[Money, lead_field("value", like="annual_revenue", required=True)]


class BulkUpdateValues(LeadSchema):
    """The same new values for many leads; a field that is left out stays unchanged."""

    status: Annotated[LeadStatus | None, lead_field("status")] = None
    priority: Priority | None = None
    assigned_to: Annotated[AgentId | None, lead_field("assigned_to")] = None
    notes: Annotated[str | None, lead_field("notes")] = None

    @model_validator(mode="after")
    def _require_a_value(self) -> Self:
        if not self.model_fields_set:
            raise PydanticCustomError("no_updates", "Must name at least one of status, priority, assigned_to, notes")
        return self


LeadIds = Annotated[list[Annotated[LeadId, _Id]], Field(min_length=1, max_length=MAX_BULK_LEADS)]


class BulkUpdate(LeadSchema):
    """Leads, and their new values."""

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
    updates: BulkUpdateValues


class BulkAssign(LeadSchema):
    """Leads, and their new assignee."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"lead_ids": [1, 2, 3], "assigned_to": 123}]})

    lead_ids: LeadIds
    assigned_to: Agent


class BulkUpdateResponse(MessageResponse):
    """The number of leads that were updated."""

    updated_count: int


class BulkAssignResponse(MessageResponse):
    """The number of leads that were assigned."""

    assigned_count: int


class LeadRead(BaseModel):
    """A lead with all of its fields; an unknown value is null."""

    id: int
    company_id: int
    campaign_id: int
    first_name: str | None
    last_name: str | None
    phone: str = Field(description="E.164.", examples=["+1234567890"])
    alternate_phone: str | None
    email: str | None
    company_name: str | None
    job_title: str | None
    industry: str | None
    status: LeadStatus
    sub_status: str | None
    priority: int = Field(description="1 (highest) to 5.")
    best_time_to_call: TimeOfDay | None
    timezone: str
    preferred_language: str
    country: str | None
    state: str | None
    city: str | None
    address: str | None
    postal_code: str | None
    source: str | None
    source_details: str | None
    annual_revenue: float | None
    company_size: str | None
    lead_score: int | None = Field(description="0 to 100.")
    interest_level: InterestLevel | None
    pain_points: list[str] | None
    requirements: list[str] | None
    custom_fields: dict[str, object] = Field(
        description="Tags, a phone extension and every column of an imported file that is not a field of a lead."
    )
    assigned_to: int | None
    notes: str | None
    last_contact_date: datetime | None
    next_contact_date: datetime | None
    attempts: int = Field(description="Calls made.")
    conversion_value: float | None
    converted_at: datetime | None
    import_id: int | None = Field(description="The import that created the lead.")
    version: int
    created_at: datetime
    updated_at: datetime
    tags: list[str] | None = Field(description="The tags of `custom_fields`.")


class LeadResponse(MessageResponse):
    """A lead that was created."""

    data: LeadRead
