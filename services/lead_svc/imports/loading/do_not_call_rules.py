"""The do-not-call list and imports.

A new lead whose number is on the list becomes blacklisted, whatever its file contains. The number of a lead that the
file blacklists is added to the list.
"""

from typing import Final

import polars as pl
from sqlalchemy.ext.asyncio import AsyncConnection

from services.lead_svc.domain.fields import LeadStatus
from services.lead_svc.imports.records import QueuedImport
from services.lead_svc.leads import do_not_call_list
from services.lead_svc.leads.blacklist import blacklist_numbers
from shared.ids import CompanyId

REASON: Final = "Blacklisted by an import"


async def apply_do_not_call_list(connection: AsyncConnection, job: QueuedImport, leads: pl.DataFrame) -> pl.DataFrame:
    """Return the new leads with their status after the list; locks the list until the transaction ends."""
    blacklisted = _blacklisted_phones(leads)
    if blacklisted:
        await _add_to_list(connection, job, blacklisted)
    else:
        await do_not_call_list.lock_shared(connection, job.company_id)
    if not await do_not_call_list.has_numbers(connection, job.company_id):
        return leads
    listed = await do_not_call_list.find_listed(connection, job.company_id, leads["phone"].to_list())
    if not listed:
        return leads
    is_listed = pl.col("phone").is_in(list(listed))
    return leads.with_columns(
        pl.when(is_listed).then(pl.lit(LeadStatus.BLACKLISTED.value)).otherwise(pl.col("status")).alias("status")
    )


async def lock_do_not_call_list(connection: AsyncConnection, company_id: CompanyId, *, exclusive: bool) -> None:
    """Lock the list before leads are locked: whoever changes the list locks the list first and then the leads."""
    await (do_not_call_list.lock_exclusive if exclusive else do_not_call_list.lock_shared)(connection, company_id)


async def list_blacklisted_leads(connection: AsyncConnection, job: QueuedImport, updates: pl.DataFrame) -> None:
    """Add the numbers of updated leads that the file has blacklisted to the list."""
    blacklisted = _blacklisted_phones(updates)
    if blacklisted:
        await _add_to_list(connection, job, blacklisted)


def _blacklisted_phones(leads: pl.DataFrame) -> list[str]:
    return leads.filter(pl.col("status") == LeadStatus.BLACKLISTED)["phone"].unique().to_list()


async def _add_to_list(connection: AsyncConnection, job: QueuedImport, phones: list[str]) -> None:
    await blacklist_numbers(connection, job.company_id, phones, reason=REASON, added_by=f"import {job.id}")
