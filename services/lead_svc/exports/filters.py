"""Filters of an export, as query parameters."""

from datetime import date, timedelta
from typing import Annotated

from fastapi import Depends, Query

from services.lead_svc.exports.repository import ExportFilter
from services.lead_svc.leads.parameters import StatusFilter
from shared.datetimes import midnight
from shared.http import parameters
from shared.http.auth import CompanyInPath
from shared.http.parameters import Day, IdListText, end_before_start


async def _filters(
    company_id: CompanyInPath,
    campaign_ids: Annotated[
        IdListText | None,
        Query(description="Only leads of these campaigns of the company: ids, separated by commas."),
    ] = None,
    status: StatusFilter = None,
    start_date: Annotated[
        Day | None,
        Query(description="Only leads created on this day (UTC) or later, YYYY-MM-DD.", examples=["2024-03-01"]),
    ] = None,
    end_date: Annotated[
        Day | None,
        Query(description="Only leads created on this day (UTC) or earlier, YYYY-MM-DD.", examples=["2024-03-31"]),
    ] = None,
) -> ExportFilter:
    if start_date is not None and end_date is not None and end_date < start_date:
        raise end_before_start(end_date)
    return ExportFilter(
        company_id=company_id,
        campaign_ids=None if campaign_ids is None else parameters.campaign_ids(campaign_ids),
        status=status,
        created_from=None if start_date is None else midnight(start_date),
        created_before=None if end_date is None or end_date == date.max else midnight(end_date + timedelta(days=1)),
    )


ExportFilters = Annotated[ExportFilter, Depends(_filters)]
"""Parameter of an endpoint: leads of the company in the path, filtered by the query."""
