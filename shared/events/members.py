"""Events of members: the people of a company, whom campaigns, leads and calls name by their ids."""

from typing import ClassVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from shared.events.envelope import EventData


class Member(BaseModel):
    """A team member or agent as other services know them."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    id: int
    """As campaigns' ``team_members`` and ``owner_id``, leads' ``assigned_to`` and calls' ``agent_id`` hold it. It is
    the company's own: another company may have someone else under the same number."""
    company_id: int
    version: int = Field(ge=1)
    """Grows with every change, deletions too; a reader drops what is older than what it has."""
    name: str
    updated_at: AwareDatetime


class MemberEvent(EventData):
    """What every event of a member says."""

    member: Member


class MemberUpdated(MemberEvent):
    """A member was put into the directory, for the first time or again, or got another name."""

    event_type: ClassVar[str] = "member.updated.v1"


class MemberDeleted(MemberEvent):
    """A member was taken out of the directory, and is told as they were last; what they did stays."""

    event_type: ClassVar[str] = "member.deleted.v1"
