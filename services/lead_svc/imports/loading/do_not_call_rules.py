"""Leads that are imported, and the do-not-call list.

A lead with a number of the list starts blacklisted, whatever its file says; the number of one that its file blacklists
goes on the list.
"""

import polars as pl
from sqlalchemy.ext.asyncio import AsyncConnection

from services.lead_svc.domain.fields import LeadStatus
from services.lead_svc.imports.repository import QueuedImport
from services.lead_svc.leads import do_not_call_list
from services.lead_svc.leads.blacklist import blacklist_numbers

REASON = "Blacklisted by an import"


async def with_do_not_call(connection: AsyncConnection, job: QueuedImport, leads: pl.DataFrame) -> pl.DataFrame:
    """The leads, with the status that the list asks for; it stays as it is until the transaction ends."""
    blacklisted = leads.filter(pl.col("status") == LeadStatus.BLACKLISTED)["phone"].unique().to_list()
    if blacklisted:
        await blacklist_numbers(connection, job.company_id, blacklisted, reason=REASON, added_by=f"import {job.id}")
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


async def hold_list(connection: AsyncConnection, company_id: int, *, for_change: bool) -> None:
    """Keep the list as it is, before leads are locked: who changes the list holds it first, and then the leads."""
    await (do_not_call_list.lock_exclusive if for_change else do_not_call_list.lock_shared)(connection, company_id)


async def list_blacklisted(connection: AsyncConnection, job: QueuedImport, updates: pl.DataFrame) -> None:
    """Put the numbers of stored leads that the file has blacklisted on the list, once they are written over."""
    blacklisted = updates.filter(pl.col("status") == LeadStatus.BLACKLISTED)["phone"].unique().to_list()
    if blacklisted:
        await blacklist_numbers(connection, job.company_id, blacklisted, reason=REASON, added_by=f"import {job.id}")
