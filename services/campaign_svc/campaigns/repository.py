"""Queries on campaigns. Each is limited to the companies it is asked for, so that no caller can forget to.

A campaign that is only shown is JSON that PostgreSQL builds; one that something is decided on is a row.
"""

from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from typing import Any, Final

from sqlalchemy import BigInteger, Column, DateTime, RowMapping, any_, bindparam, func, insert, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from services.campaign_svc.campaigns.schemas import CampaignBody
from services.campaign_svc.tables import campaigns
from shared.database.engine import Driver, driver_connection

ROWS_PER_READ: Final = 200


def as_shown(columns: Iterable[Column[Any]]) -> str:
    """Columns for a SELECT whose rows become JSON: times as the contract writes them, ``2024-03-01T09:00:00Z``."""
    return ", ".join(
        f"""to_char({column.name} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS {column.name}"""
        if isinstance(column.type, DateTime)
        else column.name
        for column in columns
    )


SHOWN: Final = [column for column in campaigns.columns if column is not campaigns.c.deleted_at]
"""What is shown of a campaign, in this order."""

_SHOWN_BY_ID: Final = f"""
SELECT version, row_to_json(shown)::text
FROM (SELECT {as_shown(SHOWN)} FROM campaigns WHERE id = $1 AND company_id = ANY($2) AND deleted_at IS NULL) AS shown
"""
_ALL: Final = """
SELECT row_to_json(shown)::text
FROM (SELECT {columns} FROM campaigns WHERE {conditions} ORDER BY id) AS shown
"""

_THIS = (
    campaigns.c.id == bindparam("campaign_id"),
    campaigns.c.company_id == any_(bindparam("companies", type_=ARRAY(BigInteger))),
    campaigns.c.deleted_at.is_(None),
)
# Built once: putting 36 columns together costs more than running the query.
_BY_ID: Final = select(*SHOWN).where(*_THIS)
_ADD: Final = insert(campaigns).returning(*SHOWN)


async def add(connection: AsyncConnection, body: CampaignBody) -> RowMapping:
    """Store a new campaign; returns it with its id."""
    result = await connection.execute(_ADD, body.model_dump())
    campaign: RowMapping = result.mappings().one()
    return campaign


async def get(connection: AsyncConnection, campaign_id: int, companies: Collection[int]) -> RowMapping | None:
    """One campaign of these companies."""
    asked = {"campaign_id": campaign_id, "companies": list(companies)}
    return (await connection.execute(_BY_ID, asked)).mappings().one_or_none()


async def get_json(driver: Driver, campaign_id: int, companies: Collection[int]) -> tuple[int, bytes] | None:
    """One campaign of these companies: its version, and itself as JSON."""
    row = await driver.fetchrow(_SHOWN_BY_ID, campaign_id, list(companies))
    return (row[0], row[1].encode()) if row is not None else None


async def stream_json(
    connection: AsyncConnection, companies: Collection[int], status: str | None, priority: str | None
) -> AsyncIterator[bytes]:
    """The campaigns of these companies in the order of their ids, as a JSON array in pieces."""
    conditions = ["company_id = ANY($1)", "deleted_at IS NULL"]
    parameters: list[object] = [list(companies)]
    for column, value in (("status", status), ("priority", priority)):
        if value is not None:
            parameters.append(value)
            conditions.append(f"{column} = ${len(parameters)}")
    query = _ALL.format(columns=as_shown(SHOWN), conditions=" AND ".join(conditions))
    driver = await driver_connection(connection)
    cursor = await driver.cursor(query, *parameters)
    opening = "["
    while rows := await cursor.fetch(ROWS_PER_READ):
        yield (opening + ",".join(row[0] for row in rows)).encode()
        opening = ","
    yield b"[]" if opening == "[" else b"]"


async def change(connection: AsyncConnection, campaign: RowMapping, changes: Mapping[str, object]) -> RowMapping | None:
    """Give a campaign new values, as the next version of what was read; None when it is not that version any more."""
    statement = (
        update(campaigns)
        .where(
            campaigns.c.id == campaign["id"],
            campaigns.c.version == campaign["version"],
            campaigns.c.deleted_at.is_(None),
        )
        .values(**changes, version=campaigns.c.version + 1, updated_at=func.now())
        .returning(*SHOWN)
    )
    return (await connection.execute(statement)).mappings().one_or_none()
