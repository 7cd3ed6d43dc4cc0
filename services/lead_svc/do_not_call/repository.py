"""Queries of the do-not-call endpoints. Those that every change of leads needs are in `leads/do_not_call_list`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.lead_svc.tables import do_not_call
from shared.ids import CompanyId


@dataclass(frozen=True, slots=True)
class ListedNumber:
    """A number on a company's list."""

    phone: str
    """E.164."""
    reason: str | None
    added_by: str
    created_at: datetime


_COLUMNS = [do_not_call.c[name] for name in ("phone", "reason", "added_by", "created_at")]


async def list_numbers(
    connection: AsyncConnection, company_id: CompanyId, *, after: str | None, limit: int
) -> Sequence[ListedNumber]:
    """The first numbers on a company's list, in the order of the numbers.

    Parameters
    ----------
    after
        Only numbers behind this one: where the previous page ended. None for the first page.
    """
    query = select(*_COLUMNS).where(do_not_call.c.company_id == company_id)
    if after is not None:
        query = query.where(do_not_call.c.phone > after)
    rows = await connection.execute(query.order_by(do_not_call.c.phone).limit(limit))
    return [ListedNumber(*row) for row in rows]
