"""Blacklisting: numbers go on the do-not-call list, and leads that have them become blacklisted, in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from services.lead_svc.domain.fields import LeadStatus
from services.lead_svc.leads import do_not_call_list, repository
from shared.ids import CompanyId


@dataclass(frozen=True, slots=True)
class Blacklisted:
    """The effect of blacklisting numbers."""

    added_count: int
    """Numbers that were not on the list before."""
    blacklisted_count: int
    """Leads that had another status before."""


async def blacklist_numbers(
    connection: AsyncConnection, company_id: CompanyId, phones: Sequence[str], *, reason: str | None, added_by: str
) -> Blacklisted:
    """Put numbers on a company's list, and blacklist every lead of the company that has one of them."""
    await do_not_call_list.lock_exclusive(connection, company_id)
    added = await do_not_call_list.add(connection, company_id, phones, reason=reason, added_by=added_by)
    changed = await repository.change_by_phone(connection, company_id, phones, LeadStatus.BLACKLISTED)
    return Blacklisted(added, changed)
