"""Queries on call attempts."""

from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import RowMapping, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.lead_svc.tables import call_attempts

_SHOWN: Final = [column for column in call_attempts.columns if column is not call_attempts.c.company_id]
_ADD: Final = insert(call_attempts).returning(call_attempts)


async def add(connection: AsyncConnection, row: Mapping[str, object]) -> RowMapping:
    """Store a call; returns it with its id."""
    result = await connection.execute(_ADD, row)
    attempt: RowMapping = result.mappings().one()
    return attempt


async def of_lead(connection: AsyncConnection, lead_id: int) -> Sequence[RowMapping]:
    """The calls to a lead, oldest first."""
    query = select(*_SHOWN).where(call_attempts.c.lead_id == lead_id).order_by(call_attempts.c.id)
    return (await connection.execute(query)).mappings().all()
