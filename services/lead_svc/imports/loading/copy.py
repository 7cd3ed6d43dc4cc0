"""Loads validated leads: ids from the sequence, rows by COPY, and the events that tell of them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

import asyncpg
import polars as pl
from sqlalchemy.ext.asyncio import AsyncConnection

from services.lead_svc.imports.loading.do_not_call_rules import with_do_not_call
from services.lead_svc.imports.repository import QueuedImport
from shared.database.engine import driver_connection
from shared.events.envelope import Serialized
from shared.events.leads import LEADS_PER_EVENT, Lead, LeadCreated

ROWS_PER_PIECE = 2_000
"""Rows rendered at once: while PostgreSQL takes one piece, the next is made."""

_EVENT_FIELDS = tuple(Lead.model_fields)

Report = Callable[[int], Awaitable[None]]
"""Called with how many rows are loaded."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """Leads that were loaded."""

    ids: list[int]
    """In the order of the file."""
    events: list[Serialized]
    """``lead.created``, yet to be put into the outbox."""


async def load(connection: AsyncConnection, job: QueuedImport, leads: pl.DataFrame, report: Report) -> Loaded:
    """Insert the leads of a job.

    Parameters
    ----------
    leads
        At least one validated lead, as `validation` returns them.
    """
    leads = await with_do_not_call(connection, job, leads)
    driver = await driver_connection(connection)
    ids, now = await _take_ids(driver, leads.height)
    rows = leads.select(
        pl.Series("id", ids, dtype=pl.Int64),
        pl.lit(job.company_id, pl.Int64).alias("company_id"),
        pl.lit(job.campaign_id, pl.Int64).alias("campaign_id"),
        pl.all(),
        pl.lit(job.id, pl.Int64).alias("import_id"),
    )
    # The events are made while the COPY, for the most part, waits for PostgreSQL.
    _, events = await asyncio.gather(
        driver.copy_to_table("leads", source=_rendered(rows, report), columns=rows.columns, format="csv"),
        asyncio.to_thread(created_events, rows, now),
    )
    return Loaded(ids, events)


async def _take_ids(driver: "asyncpg.Connection[asyncpg.Record]", count: int) -> tuple[list[int], datetime]:
    """Ids for ``count`` leads, and the time that the transaction writes on its rows."""
    # One array instead of many rows, and the sequence by its name: looking it up would be done once a row.
    record = await driver.fetchrow(
        "SELECT array_agg(nextval('leads_id_seq')) AS ids, now() AS now FROM generate_series(1, $1)", count
    )
    return record["ids"], record["now"]


async def _rendered(rows: pl.DataFrame, report: Report) -> AsyncIterator[bytes]:
    """The rows as PostgreSQL reads them from CSV, in pieces."""
    for start in range(0, rows.height, ROWS_PER_PIECE):
        piece = rows.slice(start, ROWS_PER_PIECE)
        yield (await asyncio.to_thread(piece.write_csv, include_header=False)).encode()
        await report(start + piece.height)


def created_events(rows: pl.DataFrame, now: datetime) -> list[Serialized]:
    """``lead.created`` events, each with at most as many leads as one may have."""
    written = pl.lit(now.isoformat().replace("+00:00", "Z"))
    told = rows.with_columns(
        pl.lit(1).alias("version"), written.alias("created_at"), written.alias("updated_at")
    ).select(_EVENT_FIELDS)
    return [
        Serialized(
            LeadCreated.event_type, b'{"leads":' + told.slice(start, LEADS_PER_EVENT).write_json().encode() + b"}"
        )
        for start in range(0, told.height, LEADS_PER_EVENT)
    ]
