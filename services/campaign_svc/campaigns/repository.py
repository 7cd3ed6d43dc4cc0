"""Queries on campaigns. Each takes the companies that a caller may see, so that no caller can forget the filter.

A campaign that is only returned is JSON that PostgreSQL builds; one that a decision rests on is a ``Campaign``.
"""

from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import fields
from typing import Final

from sqlalchemy import BigInteger, any_, bindparam, func, insert, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from services.campaign_svc.campaigns.campaign import Campaign, CampaignJson
from services.campaign_svc.tables import campaigns
from shared.database.engine import Driver, driver_connection
from shared.database.queries import load_queries
from shared.events.campaigns import CampaignPriority, CampaignStatus
from shared.ids import CampaignId

ROWS_PER_READ: Final = 200

_queries: Final = load_queries(__file__, "queries.sql")
_COLUMNS: Final = [campaigns.c[field.name] for field in fields(Campaign)]
# Built once: putting 36 columns together costs more than running the query.
_BY_ID: Final = select(*_COLUMNS).where(
    campaigns.c.id == bindparam("campaign_id"),
    campaigns.c.company_id == any_(bindparam("companies", type_=ARRAY(BigInteger))),
    campaigns.c.deleted_at.is_(None),
)
_ADD: Final = insert(campaigns).returning(*_COLUMNS)


async def add(connection: AsyncConnection, values: Mapping[str, object]) -> Campaign:
    """Store a new campaign.

    Parameters
    ----------
    values
        By column: every column of ``Campaign`` that the database does not assign itself.
    """
    return Campaign(*(await connection.execute(_ADD, values)).one())


async def get(connection: AsyncConnection, campaign_id: CampaignId, companies: Collection[int]) -> Campaign | None:
    """Return one campaign of these companies."""
    parameters = {"campaign_id": campaign_id, "companies": list(companies)}
    row = (await connection.execute(_BY_ID, parameters)).one_or_none()
    return Campaign(*row) if row is not None else None


async def get_json(driver: Driver, campaign_id: CampaignId, companies: Collection[int]) -> CampaignJson | None:
    """Return one campaign of these companies as JSON."""
    row = await driver.fetchrow(_queries.get_json, campaign_id, list(companies))
    return CampaignJson(campaign_id, row[0], row[1].encode()) if row is not None else None


async def stream_json(
    connection: AsyncConnection,
    companies: Collection[int],
    status: CampaignStatus | None,
    priority: CampaignPriority | None,
) -> AsyncIterator[bytes]:
    """Yield the campaigns of these companies in the order of their ids: a JSON array in pieces."""
    driver = await driver_connection(connection)
    cursor = await driver.cursor(_queries.list_json, list(companies), status, priority)
    opening = "["
    while rows := await cursor.fetch(ROWS_PER_READ):
        yield (opening + ",".join(row[0] for row in rows)).encode()
        opening = ","
    yield b"[]" if opening == "[" else b"]"


async def change(connection: AsyncConnection, campaign: Campaign, changes: Mapping[str, object]) -> Campaign | None:
    """Store new values as the version after the one that was read; None if that is no longer the current version.

    Parameters
    ----------
    changes
        The new values by column.
    """
    statement = (
        update(campaigns)
        .where(
            campaigns.c.id == campaign.id,
            campaigns.c.version == campaign.version,
            campaigns.c.deleted_at.is_(None),
        )
        .values(**changes, version=campaigns.c.version + 1, updated_at=func.now())
        .returning(*_COLUMNS)
    )
    row = (await connection.execute(statement)).one_or_none()
    return Campaign(*row) if row is not None else None
