"""Queries on a company's do-not-call list."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import RowMapping, Text, bindparam, delete, exists, func, select
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.lead_svc.tables import do_not_call
from shared.database.engine import driver_connection

_PHONES: Final = ARRAY(Text)
# What every change of leads runs is SQL on the driver: SQLAlchemy costs more than these statements do.
_READ_LOCK: Final = "SELECT pg_advisory_xact_lock_shared(hashtextextended('do-not-call ' || $1::text, 0))"
_WRITE_LOCK: Final = "SELECT pg_advisory_xact_lock(hashtextextended('do-not-call ' || $1::text, 0))"
_LISTED: Final = "SELECT phone FROM do_not_call WHERE company_id = $1 AND phone = any($2::text[])"


async def hold(connection: AsyncConnection, company_id: int) -> None:
    """Keep the list as it is until the transaction ends: new leads and a new number must not miss each other."""
    driver = await driver_connection(connection)
    await driver.execute(_READ_LOCK, str(company_id))


async def hold_for_change(connection: AsyncConnection, company_id: int) -> None:
    """Wait for everyone who relies on the list, and keep others from relying on it until the transaction ends."""
    driver = await driver_connection(connection)
    await driver.execute(_WRITE_LOCK, str(company_id))


async def has_numbers(connection: AsyncConnection, company_id: int) -> bool:
    """Whether there is anything on the list."""
    query = select(exists().where(do_not_call.c.company_id == bindparam("company")))
    found: bool = (await connection.execute(query, {"company": company_id})).scalar_one()
    return found


async def listed(connection: AsyncConnection, company_id: int, phones: Sequence[str]) -> set[str]:
    """Those of the numbers that are on the list."""
    driver = await driver_connection(connection)
    return {row["phone"] for row in await driver.fetch(_LISTED, company_id, phones)}


async def add(
    connection: AsyncConnection, company_id: int, phones: Sequence[str], *, reason: str | None, added_by: str
) -> int:
    """Put numbers on the list; returns how many were not on it."""
    new = select(
        bindparam("company", company_id, type_=do_not_call.c.company_id.type),
        func.unnest(bindparam("phones", list(phones), type_=_PHONES)),
        bindparam("reason", reason, type_=Text()),
        bindparam("added_by", added_by, type_=Text()),
    )
    statement = insert(do_not_call).from_select(["company_id", "phone", "reason", "added_by"], new)
    return (await connection.execute(statement.on_conflict_do_nothing())).rowcount


async def remove(connection: AsyncConnection, company_id: int, phone: str) -> bool:
    """Take a number off the list; False when it was not on it."""
    statement = delete(do_not_call).where(do_not_call.c.company_id == company_id, do_not_call.c.phone == phone)
    return bool((await connection.execute(statement)).rowcount)


async def page(connection: AsyncConnection, company_id: int, *, after: str | None, limit: int) -> Sequence[RowMapping]:
    """Numbers on the list in their order, the first of those after a number, with reason, who added them and when."""
    shown = [column for column in do_not_call.columns if column is not do_not_call.c.company_id]
    query = (
        select(*shown)
        .where(do_not_call.c.company_id == company_id, *([do_not_call.c.phone > after] if after is not None else []))
        .order_by(do_not_call.c.phone)
        .limit(limit)
    )
    return (await connection.execute(query)).mappings().all()
