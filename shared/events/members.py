"""Events of members: the people of a company, whom campaigns, leads and calls name by their ids."""

from typing import ClassVar

from pydantic import AwareDatetime, Field

from shared.events.envelope import EventData, EventPart


class Member(EventPart):
    """A team member or agent as other services know them."""

    id: int
    """The id in campaigns' ``team_members`` and ``owner_id``, leads' ``assigned_to`` and calls' ``agent_id``. It is the
    company's own: another company may have another member with the same id."""
    company_id: int
    """The company whose member it is."""
    version: int = Field(ge=1)
    """Grows with every change, deletions too; a reader drops what is older than what it has."""
    name: str
    """The name of the member."""
    updated_at: AwareDatetime
    """When this version was made."""


class MemberEvent(EventData):
    """The data of every event of a member."""

    member: Member
    """The member after the change."""


class MemberUpdated(MemberEvent):
    """A member was added to the directory, for the first time or again, or renamed.

    A request with the same name again emits no event.
    """

    event_type: ClassVar[str] = "member.updated.v1"


class MemberDeleted(MemberEvent):
    """A member was removed from the directory.

    The event carries their last state. Campaigns, leads and calls retain the id. A member who is added again gets the
    next version.
    """

    event_type: ClassVar[str] = "member.deleted.v1"
