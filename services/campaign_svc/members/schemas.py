"""Request and response schemas of members."""

from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from shared.schema import Schema

MemberName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]

EXAMPLE: Final[dict[str, Any]] = {"name": "John Smith"}
MEMBER_EXAMPLE: Final[dict[str, Any]] = {
    "id": 124,
    "company_id": 1,
    "name": "John Smith",
    "created_at": "2024-02-19T10:00:00Z",
    "updated_at": "2024-02-19T10:00:00Z",
}
PAGE_EXAMPLE: Final[dict[str, Any]] = {"total": 1, "offset": 0, "limit": 50, "data": [MEMBER_EXAMPLE]}


class MemberUpdate(Schema):
    """A member to create or to rename."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    name: MemberName


class MemberRead(BaseModel):
    """A member of a company."""

    model_config = ConfigDict(json_schema_extra={"examples": [MEMBER_EXAMPLE]})

    id: int = Field(description="The id that campaigns, leads and calls refer to.")
    company_id: int
    name: str
    created_at: datetime = Field(
        description="When the member was created; after a deletion, when it was created again."
    )
    updated_at: datetime


class MemberResponse(BaseModel):
    """A member after a change, with a message."""

    message: str
    data: MemberRead


class MemberListResponse(BaseModel):
    """A page of a company's members."""

    total: int = Field(description="Members on all pages.")
    offset: int
    limit: int
    data: list[MemberRead]
