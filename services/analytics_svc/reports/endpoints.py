"""The reports over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from services.analytics_svc.reports import service
from services.analytics_svc.reports.parameters import PeriodInQuery, Snapshot
from services.analytics_svc.reports.repository import Scope
from services.analytics_svc.reports.schemas import CompanyStatistics
from shared.events.campaigns import CampaignStatus
from shared.http.auth import CompanyInPath
from shared.http.json import JsonResponse

router = APIRouter(tags=["Reports"])


@router.get(
    "/api/voice-campaigns/company/{companyId}/stats",
    summary="Statistics of a company's campaigns",
    response_class=Response,
    responses={200: {"model": CompanyStatistics, "description": "The figures; zeros and empty lists without facts."}},
)
async def company_campaign_statistics(
    company_id: CompanyInPath,
    period: PeriodInQuery,
    connection: Snapshot,
    status: Annotated[CampaignStatus | None, Query(description="Only campaigns with this status now.")] = None,
) -> Response:
    """Leads are counted by the day they were created, calls by the day they started; campaigns whatever the days."""
    statistics = await service.company_statistics(connection, Scope(company_id, period, status))
    return JsonResponse(statistics.model_dump_json().encode())
