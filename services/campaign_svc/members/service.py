"""What can be done with members. Each change tells its event in the transaction it is made in.

The last of several changes made at once wins, each as a version of its own: a name rests on nothing that was read.
"""

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from services.campaign_svc.members import repository
from services.campaign_svc.outbox import outbox
from shared.events.members import Member, MemberDeleted, MemberUpdated
from shared.http.errors import NotFound


def not_found() -> NotFound:
    """The company has no such member."""
    return NotFound("Member not found")


async def put(connection: AsyncConnection, company_id: int, member_id: int, name: str) -> tuple[RowMapping, bool]:
    """Put a member into the company's directory, or give one that is there another name.

    Returns
    -------
    tuple of RowMapping and bool
        The member, and whether they were not there before. The same name again changes nothing and tells nothing.
    """
    held = await repository.reserve(connection, company_id, member_id)
    created = held["deleted_at"] is not None
    if held["name"] == name and not created:
        return held, False
    member = await repository.put(connection, held, name)
    await outbox.add(connection, company_id, MemberUpdated(member=_as_told(member)))
    return member, created


async def delete(connection: AsyncConnection, company_id: int, member_id: int) -> None:
    """Take a member out of the company's directory; whatever names their id stays as it is.

    Raises
    ------
    NotFound
        If the company has no such member.
    """
    held = await repository.hold(connection, company_id, member_id)
    if held is None or held["deleted_at"] is not None:
        raise not_found()
    deleted = await repository.delete(connection, held)
    await outbox.add(connection, company_id, MemberDeleted(member=_as_told(deleted)))


def _as_told(member: RowMapping) -> Member:
    return Member.model_validate({**member})
