"""Use cases of a company's members. Each change emits its event in the transaction in which it is made.

Of concurrent changes the last one wins, and each is a version of its own: a name does not depend on what was read.
"""

from sqlalchemy.ext.asyncio import AsyncConnection

from services.campaign_svc.members import errors, repository
from services.campaign_svc.members.member import Member
from services.campaign_svc.outbox import outbox
from shared.database.engine import Database
from shared.events import members
from shared.events.members import MemberDeleted, MemberUpdated
from shared.ids import CompanyId, MemberId


async def get_json(database: Database, company_id: CompanyId, member_id: MemberId) -> bytes:
    """Return a member as JSON.

    Raises
    ------
    NotFound
        If the company has no such member.
    """
    async with database.reader() as driver:
        member = await repository.get_json(driver, company_id, member_id)
    if member is None:
        raise errors.not_found()
    return member


async def list_json(database: Database, company_id: CompanyId, limit: int, offset: int) -> tuple[int, bytes]:
    """Return the number of a company's members, and those of one page by id as the inside of a JSON array."""
    async with database.reader() as driver:
        return await repository.list_json(driver, company_id, limit, offset)


async def put(
    connection: AsyncConnection, company_id: CompanyId, member_id: MemberId, name: str
) -> tuple[Member, bool]:
    """Add a member to the company's directory, or rename one.

    Returns
    -------
    The member, and whether it was created. An equal name makes no new version and emits no event.
    """
    locked = await repository.add_and_lock(connection, company_id, member_id)
    if locked.name == name and not locked.is_deleted:
        return locked, False
    member = await repository.put(connection, locked, name)
    await outbox.add(connection, company_id, MemberUpdated(member=_to_event(member)))
    return member, locked.is_deleted


async def delete(connection: AsyncConnection, company_id: CompanyId, member_id: MemberId) -> None:
    """Remove a member from the company's directory; campaigns, leads and calls with the id are not changed.

    Raises
    ------
    NotFound
        If the company has no such member.
    """
    locked = await repository.lock_for_update(connection, company_id, member_id)
    if locked is None or locked.is_deleted:
        raise errors.not_found()
    deleted = await repository.delete(connection, locked)
    await outbox.add(connection, company_id, MemberDeleted(member=_to_event(deleted)))


def _to_event(member: Member) -> members.Member:
    return members.Member(
        id=member.id,
        company_id=member.company_id,
        version=member.version,
        name=member.name,
        updated_at=member.updated_at,
    )
