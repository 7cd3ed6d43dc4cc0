"""Parameters that reports take, and how bad ones are refused."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Query, Request
from sqlalchemy.ext.asyncio import AsyncConnection

from services.analytics_svc.reports.period import Period
from shared.database.engine import Database
from shared.http.errors import BadRequest, Fault
from shared.http.parameters import Day


def _period(
    start_date: Annotated[
        Day | None, Query(description="First day (UTC), YYYY-MM-DD.", examples=["2024-03-01"])
    ] = None,
    end_date: Annotated[
        Day | None, Query(description="Last day (UTC), included, YYYY-MM-DD.", examples=["2024-03-31"])
    ] = None,
) -> Period:
    if start_date is not None and end_date is not None and end_date < start_date:
        message = "must not be before start_date"
        fault = Fault(field="end_date", value=end_date.isoformat(), code="before_start_date", message=message)
        raise BadRequest("Invalid request", f"end_date: {message}", [fault])
    return Period(start_date, end_date)


PeriodInQuery = Annotated[Period, Depends(_period)]
"""``start_date`` and ``end_date`` of the query."""


async def _snapshot(request: Request) -> AsyncIterator[AsyncConnection]:
    database: Database = request.app.state.database
    async with database.snapshot() as connection:
        yield connection


Snapshot = Annotated[AsyncConnection, Depends(_snapshot, scope="function")]
"""A connection whose statements all see the same state, so that the figures of a report agree with each other."""
