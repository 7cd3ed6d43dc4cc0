"""The do-not-call list: numbers a company must not call, and what becomes of leads that have one."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from services.lead_svc.do_not_call import repository
from services.lead_svc.domain.fields import LeadStatus
from services.lead_svc.leads import repository as lead_repository


async def add(
    connection: AsyncConnection, company_id: int, phones: Sequence[str], *, reason: str | None, added_by: str
) -> tuple[int, int]:
    """Put numbers on the list, and blacklist every lead of the company that has one of them.

    Returns how many numbers are new on it, and how many leads were blacklisted.
    """
    await repository.hold_for_change(connection, company_id)
    added = await repository.add(connection, company_id, phones, reason=reason, added_by=added_by)
    return added, await lead_repository.change_number(connection, company_id, phones, LeadStatus.BLACKLISTED)
