"""Members as API clients send and see them."""

from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from shared.http.parameters import NoNulText

MemberName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), NoNulText]

EXAMPLE: Final[dict[str, Any]] = {"name": "John Smith"}
SHOWN_EXAMPLE: Final[dict[str, Any]] = {
    "id": 124,
    "company_id": 1,
    "name": "John Smith",
    "created_at": "2024-02-19T10:00:00Z",
    "updated_at": "2024-02-19T10:00:00Z",
}
PAGE_EXAMPLE: Final[dict[str, Any]] = {"total": 1, "offset": 0, "limit": 50, "data": [SHOWN_EXAMPLE]}


class MemberBody(BaseModel):
    """A member as they are sent."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [EXAMPLE]})

    name: MemberName


class Member(BaseModel):
    """A member as they are shown."""

    model_config = ConfigDict(json_schema_extra={"examples": [SHOWN_EXAMPLE]})

    id: int = Field(description="As campaigns, leads and calls hold it.")
    company_id: int
    name: str
    created_at: datetime = Field(description="When they were put into the directory; of the last time, if again.")
    updated_at: datetime


class MemberAnswer(BaseModel):
    """A member and what was done with them."""

    message: str
    data: Member


class MemberPage(BaseModel):
    """A page of a company's members."""

    total: int = Field(description="Members on all pages.")
    offset: int
    limit: int
    data: list[Member]
