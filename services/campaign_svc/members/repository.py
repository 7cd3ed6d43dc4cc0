"""Queries on members. Ids are a company's own, so every query takes the company beside them."""

from typing import Any, Final

from sqlalchemy import RowMapping, Select, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.campaign_svc.campaigns.repository import as_shown
from services.campaign_svc.members.schemas import Member
from services.campaign_svc.tables import members
from shared.database.engine import Driver

_SHOWN: Final = as_shown(members.c[name] for name in Member.model_fields)
_BY_ID: Final = f"""
SELECT row_to_json(shown)::text
FROM (SELECT {_SHOWN} FROM members WHERE company_id = $1 AND id = $2 AND deleted_at IS NULL) AS shown
"""
_LIST: Final = f"""
SELECT (SELECT count(*) FROM members WHERE company_id = $1 AND deleted_at IS NULL) AS total, (
    SELECT string_agg(row_to_json(shown)::text, ',')
    FROM (
        SELECT {_SHOWN} FROM members WHERE company_id = $1 AND deleted_at IS NULL ORDER BY id LIMIT $2 OFFSET $3
    ) AS shown
) AS members
"""


async def get_json(driver: Driver, company_id: int, member_id: int) -> bytes | None:
    """One member, as JSON."""
    member: str | None = await driver.fetchval(_BY_ID, company_id, member_id)
    return member.encode() if member is not None else None


async def list_json(driver: Driver, company_id: int, limit: int, offset: int) -> tuple[int, bytes]:
    """How many members a company has, and those of one page in the order of ids, as the inside of a JSON array."""
    row = await driver.fetchrow(_LIST, company_id, limit, offset)
    return row["total"], (row["members"] or "").encode()


async def hold(connection: AsyncConnection, company_id: int, member_id: int) -> RowMapping | None:
    """The member's row, a deleted one's too. Nobody else changes it before the transaction's end."""
    return (await connection.execute(_held(company_id, member_id))).mappings().one_or_none()


async def reserve(connection: AsyncConnection, company_id: int, member_id: int) -> RowMapping:
    """As ``hold``; a member who has no row yet gets that of a deleted one, before the first version."""
    row = {"company_id": company_id, "id": member_id, "name": "", "version": 0, "deleted_at": func.now()}
    await connection.execute(insert(members).values(row).on_conflict_do_nothing())
    return (await connection.execute(_held(company_id, member_id))).mappings().one()


def _held(company_id: int, member_id: int) -> Select[*tuple[Any, ...]]:
    this = (members.c.company_id == company_id, members.c.id == member_id)
    return select(*members.columns).where(*this).with_for_update()


async def put(connection: AsyncConnection, held: RowMapping, name: str) -> RowMapping:
    """Give a member a name, as the next version; a deleted one is there again, as of now."""
    again = {} if held["deleted_at"] is None else {"deleted_at": None, "created_at": func.statement_timestamp()}
    return await _change(connection, held, name=name, **again)


async def delete(connection: AsyncConnection, held: RowMapping) -> RowMapping:
    """Delete a member, as the next version. The row stays, so that versions go on should the member come back."""
    return await _change(connection, held, deleted_at=func.statement_timestamp())


async def _change(connection: AsyncConnection, held: RowMapping, **values: object) -> RowMapping:
    statement = (
        update(members)
        .where(members.c.company_id == held["company_id"], members.c.id == held["id"])
        # The transaction may have begun before the one it waited for: its own time could go back behind that one's.
        .values(**values, version=members.c.version + 1, updated_at=func.statement_timestamp())
        .returning(*members.columns)
    )
    return (await connection.execute(statement)).mappings().one()
