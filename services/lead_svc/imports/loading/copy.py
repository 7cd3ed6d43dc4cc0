"""Load validated leads: ids from the sequence, rows by COPY, and their `lead.created` events."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import polars as pl
from sqlalchemy.ext.asyncio import AsyncConnection

from services.lead_svc.imports import repository
from services.lead_svc.imports.loading.do_not_call_rules import apply_do_not_call_list
from services.lead_svc.imports.records import QueuedImport
from shared.database.engine import driver_connection
from shared.events.envelope import Serialized
from shared.events.leads import LEADS_PER_EVENT, Lead, LeadCreated
from shared.ids import LeadId

ROWS_PER_PIECE: Final = 2_000
"""Rows rendered at once: while PostgreSQL reads one piece, the next piece is rendered."""

_EVENT_FIELDS: Final = tuple(Lead.model_fields)

ReportProgress = Callable[[int], Awaitable[None]]
"""Called with the number of rows that are loaded."""


@dataclass(frozen=True, slots=True)
class LoadedLeads:
    """Leads that were loaded."""

    ids: list[LeadId]
    """In the order of the file."""
    events: list[Serialized]
    """`lead.created` events, not yet in the outbox."""


async def load_leads(
    connection: AsyncConnection, job: QueuedImport, leads: pl.DataFrame, report_progress: ReportProgress
) -> LoadedLeads:
    """Insert the new leads of a job.

    Parameters
    ----------
    leads
        `ValidLeads.frame`, with at least one row.
    """
    leads = await apply_do_not_call_list(connection, job, leads)
    ids, now = await repository.next_lead_ids(connection, leads.height)
    rows = leads.select(
        pl.Series("id", ids, dtype=pl.Int64),
        pl.lit(job.company_id, pl.Int64).alias("company_id"),
        pl.lit(job.campaign_id, pl.Int64).alias("campaign_id"),
        pl.all(),
        pl.lit(job.id, pl.Int64).alias("import_id"),
    )
    driver = await driver_connection(connection)
    # The events are made while the COPY mostly waits for PostgreSQL.
    _, events = await asyncio.gather(
        driver.copy_to_table("leads", source=_render(rows, report_progress), columns=rows.columns, format="csv"),
        asyncio.to_thread(created_events, rows, now),
    )
    return LoadedLeads(ids, events)


async def _render(rows: pl.DataFrame, report_progress: ReportProgress) -> AsyncIterator[bytes]:
    """Yield the rows as CSV, in pieces."""
    for start in range(0, rows.height, ROWS_PER_PIECE):
        piece = rows.slice(start, ROWS_PER_PIECE)
        yield (await asyncio.to_thread(piece.write_csv, include_header=False)).encode()
        await report_progress(start + piece.height)


def created_events(rows: pl.DataFrame, now: datetime) -> list[Serialized]:
    """Return the `lead.created` events of rows, each with at most `LEADS_PER_EVENT` leads."""
    created_at = pl.lit(now.isoformat().replace("+00:00", "Z"))
    leads = rows.with_columns(
        pl.lit(1).alias("version"), created_at.alias("created_at"), created_at.alias("updated_at")
    ).select(_EVENT_FIELDS)
    return [
        Serialized(
            LeadCreated.event_type, b'{"leads":' + leads.slice(start, LEADS_PER_EVENT).write_json().encode() + b"}"
        )
        for start in range(0, leads.height, LEADS_PER_EVENT)
    ]
