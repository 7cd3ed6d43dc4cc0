"""Update stored leads from the rows of a file."""

from collections.abc import Mapping
from typing import Final

import polars as pl
from sqlalchemy.ext.asyncio import AsyncConnection

from services.lead_svc.imports import repository
from services.lead_svc.imports.records import StoredLead
from shared.events.leads import LEADS_PER_EVENT
from shared.ids import CompanyId

LEADS_PER_STATEMENT: Final = 10 * LEADS_PER_EVENT


async def update_leads(
    connection: AsyncConnection, company_id: CompanyId, updates: pl.DataFrame, stored_leads: Mapping[str, StoredLead]
) -> None:
    """Update stored leads.

    Parameters
    ----------
    updates
        `ValidLeads.updates`.
    stored_leads
        The locked leads, by phone number.
    """
    for start in range(0, updates.height, LEADS_PER_STATEMENT):
        part = updates.slice(start, LEADS_PER_STATEMENT)
        rows = [{"id": stored_leads[row["phone"]].id, **row} for row in part.iter_rows(named=True)]
        await repository.update_leads(connection, company_id, rows)
