"""Requests and responses of the do-not-call list."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from services.lead_svc.leads.schemas import LeadSchema, PhoneNumber
from services.lead_svc.values.from_json import lead_field


class NumbersCreate(LeadSchema):
    """Numbers to put on the list."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"phones": ["+14155552671"], "reason": "Asked not to be called"}]}
    )

    phones: Annotated[
        list[Annotated[PhoneNumber, lead_field("phone", required=True)]], Field(min_length=1, max_length=1_000)
    ]
    reason: Annotated[str | None, Field(max_length=500)] = None


class ListedNumberRead(BaseModel):
    """A number on the list."""

    phone: str = Field(description="E.164.")
    reason: str | None
    added_by: str
    created_at: datetime


class NumberPageResponse(BaseModel):
    """A page of the list, in the order of the numbers."""

    data: list[ListedNumberRead]


class NumbersAddedResponse(BaseModel):
    """The effect of numbers that were put on the list."""

    message: str
    added_count: int = Field(description="Numbers that were not on the list before.")
    blacklisted_count: int = Field(description="Leads that became blacklisted.")
