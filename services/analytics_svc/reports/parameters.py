"""Query parameters of the reports."""

from typing import Annotated

from fastapi import Depends, Query
from pydantic import AfterValidator

from services.analytics_svc.reports.period import UTC_NAME, Period
from services.analytics_svc.reports.scope import Scope
from shared.http import parameters
from shared.http.auth import CompanyInPath
from shared.http.parameters import Day, IdListText, end_before_start
from shared.ids import CampaignId
from shared.schema import require_time_zone


def _period(
    start_date: Annotated[Day | None, Query(description="First day, YYYY-MM-DD.", examples=["2024-03-01"])] = None,
    end_date: Annotated[
        Day | None, Query(description="Last day, included, YYYY-MM-DD.", examples=["2024-03-31"])
    ] = None,
    zone: Annotated[
        str,
        AfterValidator(require_time_zone),
        Query(alias="time_zone", description="Time zone of days and hours: an IANA name.", examples=["Europe/Berlin"]),
    ] = UTC_NAME,
) -> Period:
    if start_date is not None and end_date is not None and end_date < start_date:
        raise end_before_start(end_date)
    return Period(start_date, end_date, zone)


PeriodInQuery = Annotated[Period, Depends(_period)]
"""Parameter of an endpoint: ``start_date``, ``end_date`` and ``time_zone`` of the query."""


def _company_scope(company_id: CompanyInPath, period: PeriodInQuery) -> Scope:
    return Scope(company_id, period)


CompanyScope = Annotated[Scope, Depends(_company_scope)]
"""Parameter of an endpoint: the company of the path and the period of the query."""


def _campaigns_scope(
    scope: CompanyScope,
    campaign_ids: Annotated[
        IdListText | None,
        Query(description="Only these campaigns: ids with commas between them. Others' campaigns have no figures."),
    ] = None,
) -> Scope:
    if campaign_ids is None:
        return scope
    return scope.of_campaigns(tuple(map(CampaignId, parameters.campaign_ids(campaign_ids))))


CampaignsScope = Annotated[Scope, Depends(_campaigns_scope)]
"""Parameter of an endpoint: the company of the path, the period and the campaigns of the query."""
