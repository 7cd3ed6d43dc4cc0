"""Stores sums: one statement a table and batch."""

from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.campaign_svc.totals.aggregation import Additions

# In the order of keys, so that two writers of overlapping batches cannot wait for each other.
_ADD_TOTALS: Final = text(
    """
    INSERT INTO campaign_totals AS stored (campaign_id, leads, calls, successful_calls)
    SELECT * FROM unnest(
        CAST(:campaigns AS bigint[]), CAST(:leads AS bigint[]), CAST(:calls AS bigint[]), CAST(:successful AS bigint[])
    ) ORDER BY 1
    ON CONFLICT (campaign_id) DO UPDATE SET
        leads = stored.leads + excluded.leads,
        calls = stored.calls + excluded.calls,
        successful_calls = stored.successful_calls + excluded.successful_calls
    """
)
_ADD_CALLS: Final = text(
    """
    INSERT INTO campaign_calls AS stored (campaign_id, quarter, calls)
    SELECT * FROM unnest(
        CAST(:campaigns AS bigint[]), CAST(:quarters AS timestamptz[]), CAST(:calls AS bigint[])
    ) ORDER BY 1, 2
    ON CONFLICT (campaign_id, quarter) DO UPDATE SET calls = stored.calls + excluded.calls
    """
)


async def add(connection: AsyncConnection, additions: Additions) -> None:
    """Add what came to the totals."""
    if additions.totals:
        sums = list(additions.totals.values())
        columns = {
            "campaigns": list(additions.totals),
            "leads": [each.leads for each in sums],
            "calls": [each.calls for each in sums],
            "successful": [each.successful_calls for each in sums],
        }
        await connection.execute(_ADD_TOTALS, columns)
    if additions.calls:
        by_quarter = {
            "campaigns": [campaign_id for campaign_id, _ in additions.calls],
            "quarters": [quarter for _, quarter in additions.calls],
            "calls": list(additions.calls.values()),
        }
        await connection.execute(_ADD_CALLS, by_quarter)


async def clear(connection: AsyncConnection) -> None:
    """Delete every total; other transactions go on reading them until this one ends."""
    await connection.execute(text("DELETE FROM campaign_totals"))
    await connection.execute(text("DELETE FROM campaign_calls"))
