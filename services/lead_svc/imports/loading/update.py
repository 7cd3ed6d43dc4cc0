"""Writes what a file says over leads that there are already, and tells of it."""

from collections.abc import Mapping
from typing import Final

import polars as pl
from sqlalchemy.ext.asyncio import AsyncConnection

from services.lead_svc.imports import repository
from services.lead_svc.imports.validation.stored_lead import StoredLead
from shared.events.leads import LEADS_PER_EVENT

LEADS_PER_STATEMENT: Final = 10 * LEADS_PER_EVENT


async def update(
    connection: AsyncConnection, company_id: int, updates: pl.DataFrame, stored: Mapping[str, StoredLead]
) -> None:
    """Write over stored leads.

    Parameters
    ----------
    updates
        As `ValidLeads` has them.
    stored
        The leads, as they were locked, by their number.
    """
    for start in range(0, updates.height, LEADS_PER_STATEMENT):
        part = updates.slice(start, LEADS_PER_STATEMENT)
        said = [{"id": stored[row["phone"]].id, **row} for row in part.iter_rows(named=True)]
        await repository.update_leads(connection, company_id, said)
