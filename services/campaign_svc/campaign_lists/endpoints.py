"""Endpoints of the lists of campaigns."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import StreamingResponse

from services.campaign_svc.campaign_lists import service
from services.campaign_svc.campaign_lists.filters import (
    DEFAULT_ORDERS,
    CampaignFilters,
    PageRequest,
    SortField,
    SortOrder,
)
from services.campaign_svc.campaign_lists.schemas import (
    ACTIVE_EXAMPLE,
    PAGE_EXAMPLE,
    ActiveCampaignListResponse,
    CampaignListResponse,
)
from services.campaign_svc.campaigns.fields import CalendarDate
from services.campaign_svc.campaigns.schemas import CAMPAIGN_EXAMPLE, CampaignRead
from services.campaign_svc.campaigns.service import stream_json
from shared.events.campaigns import CampaignPriority, CampaignStatus
from shared.http.app import ServiceDatabase
from shared.http.auth import CompaniesInQuery, CompanyInPath
from shared.http.json import JsonResponse
from shared.http.openapi import documented_response
from shared.http.pagination import Limit, Offset, offset_page
from shared.http.parameters import StrictBoolText
from shared.schema import NoNulText

router = APIRouter(prefix="/api/voice-campaigns", tags=["Campaigns"])

PriorityInQuery = Annotated[CampaignPriority | None, Query(description="Only campaigns of this priority.")]
StatusInQuery = Annotated[CampaignStatus | None, Query(description="Only campaigns with this status.")]


@router.get(
    "",
    summary="Get all campaigns",
    response_class=StreamingResponse,
    responses={
        200: documented_response(list[CampaignRead], "The campaigns; an empty array without any.", [CAMPAIGN_EXAMPLE])
    },
)
async def list_campaigns(
    database: ServiceDatabase,
    companies: CompaniesInQuery,
    status: StatusInQuery = None,
    priority: PriorityInQuery = None,
) -> StreamingResponse:
    """Return every campaign of the companies that the token covers, oldest first. The response is streamed and may
    have any length."""
    return StreamingResponse(stream_json(database, companies, status, priority), media_type="application/json")


@router.get(
    "/company/{companyId}",
    summary="Get company campaigns",
    responses={200: documented_response(CampaignListResponse, "The page.", PAGE_EXAMPLE)},
)
async def list_company_campaigns(
    database: ServiceDatabase,
    company_id: CompanyInPath,
    status: StatusInQuery = None,
    priority: PriorityInQuery = None,
    start_date: Annotated[
        CalendarDate | None, Query(description="Only campaigns that start on this day (UTC) or later, YYYY-MM-DD.")
    ] = None,
    end_date: Annotated[
        CalendarDate | None, Query(description="Only campaigns that end on this day (UTC) or earlier, YYYY-MM-DD.")
    ] = None,
    is_active: Annotated[
        StrictBoolText | None, Query(description="Only campaigns that are active, or only those that are not.")
    ] = None,
    search: Annotated[
        str | None,
        Query(max_length=200, description="Words that each occur in the name or the description, in any case."),
        NoNulText,
    ] = None,
    sort: Annotated[
        SortField, Query(description="Statuses sort in the order of the lifecycle, priorities from low to high.")
    ] = "created_at",
    order: Annotated[
        SortOrder | None, Query(description="Default: `desc` for `created_at` and `priority`, `asc` for the others.")
    ] = None,
    limit: Limit = 50,
    offset: Offset = 0,
) -> JsonResponse:
    """Return one page of a company's campaigns, with the totals of their leads and calls."""
    filters = CampaignFilters(
        company_id, status, priority, is_active, start_date, end_date, tuple((search or "").split())
    )
    page = PageRequest(sort, order or DEFAULT_ORDERS[sort], limit, offset)
    total, campaigns = await service.list_json(database, filters, page)
    return offset_page(total, limit, offset, campaigns)


@router.get(
    "/company/{companyId}/active",
    summary="Get company active campaigns",
    responses={200: documented_response(ActiveCampaignListResponse, "The page.", ACTIVE_EXAMPLE)},
)
async def list_active_campaigns(
    database: ServiceDatabase,
    company_id: CompanyInPath,
    priority: PriorityInQuery = None,
    limit: Limit = 50,
    offset: Offset = 0,
) -> JsonResponse:
    """Return one page of a company's running campaigns, newest first, with the progress and today's calls of each."""
    filters = CampaignFilters(company_id, "active", priority)
    page = PageRequest("created_at", "desc", limit, offset)
    return JsonResponse(await service.list_active(database, filters, page, datetime.now(UTC)))
