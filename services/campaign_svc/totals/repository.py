"""Writes of the totals of campaigns: one statement a table and batch."""

from typing import Final

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncConnection

from services.campaign_svc.tables import campaign_calls, campaign_totals
from services.campaign_svc.totals.aggregation import Additions
from shared.database.engine import driver_connection
from shared.database.queries import load_queries

_queries: Final = load_queries(__file__, "queries.sql")


async def add(connection: AsyncConnection, additions: Additions) -> None:
    """Add a batch to the stored totals."""
    driver = await driver_connection(connection)
    if additions.totals:
        sums = list(additions.totals.values())
        await driver.execute(
            _queries.add_totals,
            list(additions.totals),
            [campaign.leads for campaign in sums],
            [campaign.calls for campaign in sums],
            [campaign.successful_calls for campaign in sums],
        )
    if additions.calls:
        await driver.execute(
            _queries.add_calls,
            [campaign_id for campaign_id, _ in additions.calls],
            [quarter for _, quarter in additions.calls],
            list(additions.calls.values()),
        )


async def clear(connection: AsyncConnection) -> None:
    """Delete every total; other transactions read the old totals until this one is committed."""
    await connection.execute(delete(campaign_totals))
    await connection.execute(delete(campaign_calls))
