"""Queries on a company's do-not-call list, and its lock, for every operation that creates or changes leads.

The list has one advisory lock a company. Whoever creates or renumbers leads takes it shared, whoever changes the list
takes it exclusive, so that a new lead and a new number cannot miss each other. The lock comes before the locks of
leads: in the other order two transactions could wait for each other.
"""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Text, bindparam, delete, exists, func, select
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.lead_svc.tables import do_not_call
from shared.database.engine import driver_connection
from shared.database.queries import load_queries
from shared.ids import CompanyId

_PHONES: Final = ARRAY(Text)
_queries: Final = load_queries(__file__, "queries.sql")


async def lock_shared(connection: AsyncConnection, company_id: CompanyId) -> None:
    """Keep the list unchanged until the transaction ends."""
    driver = await driver_connection(connection)
    await driver.execute(_queries.lock_do_not_call_list_shared, str(company_id))


async def lock_exclusive(connection: AsyncConnection, company_id: CompanyId) -> None:
    """Lock the list for a change, until the transaction ends. Waits for every transaction that has it locked shared."""
    driver = await driver_connection(connection)
    await driver.execute(_queries.lock_do_not_call_list_exclusive, str(company_id))


async def has_numbers(connection: AsyncConnection, company_id: CompanyId) -> bool:
    """Whether there is any number on the list."""
    query = select(exists().where(do_not_call.c.company_id == bindparam("company")))
    found: bool = (await connection.execute(query, {"company": company_id})).scalar_one()
    return found


async def find_listed(connection: AsyncConnection, company_id: CompanyId, phones: Sequence[str]) -> set[str]:
    """Those of the numbers that are on the list."""
    driver = await driver_connection(connection)
    return {row["phone"] for row in await driver.fetch(_queries.find_listed_phones, company_id, phones)}


async def add(
    connection: AsyncConnection, company_id: CompanyId, phones: Sequence[str], *, reason: str | None, added_by: str
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


async def remove(connection: AsyncConnection, company_id: CompanyId, phone: str) -> bool:
    """Take a number off the list; returns whether it was on it."""
    statement = delete(do_not_call).where(do_not_call.c.company_id == company_id, do_not_call.c.phone == phone)
    return bool((await connection.execute(statement)).rowcount)
