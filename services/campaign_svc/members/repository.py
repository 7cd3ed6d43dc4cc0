"""Queries on members. Ids are a company's own, so every query takes the company as well."""

from dataclasses import fields
from typing import Any, Final

from sqlalchemy import Select, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.campaign_svc.members.member import Member
from services.campaign_svc.tables import members
from shared.database.engine import Driver
from shared.database.queries import load_queries
from shared.ids import CompanyId, MemberId

_queries: Final = load_queries(__file__, "queries.sql")
_COLUMNS: Final = [members.c[field.name] for field in fields(Member)]


async def get_json(driver: Driver, company_id: CompanyId, member_id: MemberId) -> bytes | None:
    """Return one member as JSON."""
    member: str | None = await driver.fetchval(_queries.get_json, company_id, member_id)
    return member.encode() if member is not None else None


async def list_json(driver: Driver, company_id: CompanyId, limit: int, offset: int) -> tuple[int, bytes]:
    """Return the number of a company's members, and those of one page by id as the inside of a JSON array."""
    row = await driver.fetchrow(_queries.list_json, company_id, limit, offset)
    return row["total"], (row["members"] or "").encode()


async def lock_for_update(connection: AsyncConnection, company_id: CompanyId, member_id: MemberId) -> Member | None:
    """Lock and return the member's row, also that of a deleted member, until the transaction ends."""
    row = (await connection.execute(_locked(company_id, member_id))).one_or_none()
    return Member(*row) if row is not None else None


async def add_and_lock(connection: AsyncConnection, company_id: CompanyId, member_id: MemberId) -> Member:
    """Lock and return the member's row; one without a row gets that of a deleted member with version 0."""
    row = {"company_id": company_id, "id": member_id, "name": "", "version": 0, "deleted_at": func.now()}
    await connection.execute(insert(members).values(row).on_conflict_do_nothing())
    return Member(*(await connection.execute(_locked(company_id, member_id))).one())


def _locked(company_id: CompanyId, member_id: MemberId) -> Select[*tuple[Any, ...]]:
    conditions = (members.c.company_id == company_id, members.c.id == member_id)
    return select(*_COLUMNS).where(*conditions).with_for_update()


async def put(connection: AsyncConnection, locked: Member, name: str) -> Member:
    """Store a name as the next version. A deleted member becomes current again, created now."""
    restored = {"deleted_at": None, "created_at": func.statement_timestamp()} if locked.is_deleted else {}
    return await _change(connection, locked, name=name, **restored)


async def delete(connection: AsyncConnection, locked: Member) -> Member:
    """Delete a member as the next version. The row stays, so that versions go on if the member is put again."""
    return await _change(connection, locked, deleted_at=func.statement_timestamp())


async def _change(connection: AsyncConnection, locked: Member, **values: object) -> Member:
    statement = (
        update(members)
        .where(members.c.company_id == locked.company_id, members.c.id == locked.id)
        # The transaction may have begun before the one whose lock it waited for: with the transaction's time,
        # updated_at could be earlier than that one's.
        .values(**values, version=members.c.version + 1, updated_at=func.statement_timestamp())
        .returning(*_COLUMNS)
    )
    return Member(*(await connection.execute(statement)).one())
