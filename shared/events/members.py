"""Events of members: the people of a company, whom campaigns, leads and calls name by their ids."""

from typing import ClassVar

from pydantic import AwareDatetime, Field

from shared.events.envelope import EventData, EventPart


class Member(EventPart):
    """A team member or agent as other services know them."""

    id: int
    """As campaigns' ``team_members`` and ``owner_id``, leads' ``assigned_to`` and calls' ``agent_id`` hold it. It is
    the company's own: another company may have someone else under the same number."""
    company_id: int
    """The company whose member it is."""
    version: int = Field(ge=1)
    """Grows with every change, deletions too; a reader drops what is older than what it has."""
    name: str
    """What they are called."""
    updated_at: AwareDatetime
    """When this version was made."""


class MemberEvent(EventData):
    """What every event of a member says."""

    member: Member
    """The member after the change."""


class MemberUpdated(MemberEvent):
    """A member was put into the directory, for the first time or again, or got another name.

    The same name put again tells nothing.
    """

    event_type: ClassVar[str] = "member.updated.v1"


class MemberDeleted(MemberEvent):
    """A member was taken out of the directory, and is told as they were last; what they did stays.

    Campaigns, leads and calls go on holding the id. Put into the directory again, the member gets the next version.
    """

    event_type: ClassVar[str] = "member.deleted.v1"
