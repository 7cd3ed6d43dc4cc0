"""Writes what a file says over leads that there are already, and tells of it."""

import asyncio
from collections.abc import Mapping
from typing import Final

import polars as pl
from sqlalchemy.ext.asyncio import AsyncConnection

from services.lead_svc.imports import repository
from services.lead_svc.imports.stored_lead import StoredLead
from shared.events.envelope import EventData
from shared.events.leads import (
    LEADS_PER_EVENT,
    Assignment,
    Lead,
    LeadAssigned,
    LeadStatusChanged,
    LeadUpdated,
    StatusChange,
)

LEADS_PER_STATEMENT: Final = 10 * LEADS_PER_EVENT


async def update(
    connection: AsyncConnection, company_id: int, updates: pl.DataFrame, stored: Mapping[str, StoredLead]
) -> list[EventData]:
    """Write over stored leads, and return the events that tell of it.

    Parameters
    ----------
    updates
        As `ValidLeads` has them.
    stored
        The leads, as they were locked, by their number.
    """
    events: list[EventData] = []
    before = {lead.id: lead for lead in stored.values()}
    for start in range(0, updates.height, LEADS_PER_STATEMENT):
        part = updates.slice(start, LEADS_PER_STATEMENT)
        said = [{"id": stored[row["phone"]].id, **row} for row in part.iter_rows(named=True)]
        rows = await repository.update_leads(connection, company_id, said)
        events += await asyncio.to_thread(_updated, [Lead.model_validate(row) for row in rows], before)
    return events


def _updated(leads: list[Lead], before: Mapping[int, StoredLead]) -> list[EventData]:
    events: list[EventData] = []
    for start in range(0, len(leads), LEADS_PER_EVENT):
        part = leads[start : start + LEADS_PER_EVENT]
        with_status = [lead for lead in part if lead.status != before[lead.id].status]
        if with_status:
            changes = [
                StatusChange.model_validate({**lead.model_dump(), "previous_status": before[lead.id].status})
                for lead in with_status
            ]
            events.append(LeadStatusChanged(leads=changes))
        events.append(LeadUpdated(leads=part))
        with_agent = [lead for lead in part if lead.assigned_to != before[lead.id].assigned_to]
        if with_agent:
            given = [
                Assignment.model_validate({**lead.model_dump(), "previous_assigned_to": before[lead.id].assigned_to})
                for lead in with_agent
            ]
            events.append(LeadAssigned(leads=given))
    return events
