"""Lists of a company's campaigns over HTTP."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import StreamingResponse

from services.campaign_svc.campaigns.fields import CalendarDate, Priority
from services.campaign_svc.campaigns.repository import stream_json
from services.campaign_svc.campaigns.schemas import SHOWN_EXAMPLE, Campaign
from services.campaign_svc.lists import repository, service
from services.campaign_svc.lists.repository import CompanyFilter, Order, Page, SortField
from services.campaign_svc.lists.schemas import ACTIVE_EXAMPLE, PAGE_EXAMPLE, ActiveCampaigns, CampaignPage
from services.campaign_svc.paging import Limit, Offset, page_answer
from shared.database.engine import Database, driver_connection
from shared.events.campaigns import CampaignStatus
from shared.http.auth import CompaniesInQuery, CompanyInPath
from shared.http.json import JsonResponse
from shared.http.openapi import documented_response
from shared.http.parameters import NoNulText, StrictBoolText

router = APIRouter(prefix="/api/voice-campaigns", tags=["Campaigns"])

_DEFAULT_ORDER: dict[SortField, Order] = {"created_at": "desc", "name": "asc", "status": "asc", "priority": "desc"}
"""The newest and the most urgent first."""

PriorityInQuery = Annotated[Priority | None, Query(description="Only campaigns of this priority.")]
StatusInQuery = Annotated[CampaignStatus | None, Query(description="Only campaigns with this status.")]


@router.get(
    "",
    summary="Get all campaigns",
    response_class=StreamingResponse,
    responses={200: documented_response(list[Campaign], "The campaigns, also when there are none.", [SHOWN_EXAMPLE])},
)
async def list_campaigns(
    request: Request, companies: CompaniesInQuery, status: StatusInQuery = None, priority: PriorityInQuery = None
) -> StreamingResponse:
    """Every campaign of the companies that the token covers, oldest first. It is sent as it is read, so the answer may
    be of any length."""
    database: Database = request.app.state.database

    async def body() -> AsyncIterator[bytes]:
        async with database.snapshot() as connection:
            async for piece in stream_json(connection, companies, status, priority):
                yield piece

    return StreamingResponse(body(), media_type="application/json")


@router.get(
    "/company/{companyId}",
    summary="Get company campaigns",
    responses={200: documented_response(CampaignPage, "The page.", PAGE_EXAMPLE)},
)
async def list_company_campaigns(
    request: Request,
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
        Query(max_length=200, description="Words that each stand in the name or the description, in any case."),
        NoNulText,
    ] = None,
    sort: Annotated[SortField, Query(description="Status by the lifecycle, priority from low to high.")] = "created_at",
    order: Annotated[
        Order | None, Query(description="Without it: `desc` by `created_at` and `priority`, `asc` by the others.")
    ] = None,
    limit: Limit = 50,
    offset: Offset = 0,
) -> JsonResponse:
    """One page of a company's campaigns, with the totals of their leads and calls."""
    narrowed = CompanyFilter(
        company_id, status, priority, is_active, start_date, end_date, tuple((search or "").split())
    )
    page = Page(sort, order or _DEFAULT_ORDER[sort], limit, offset)
    database: Database = request.app.state.database
    async with database.reader() as driver:
        total, campaigns = await repository.list_json(driver, narrowed, page)
    return page_answer(total, limit, offset, campaigns)


@router.get(
    "/company/{companyId}/active",
    summary="Get company active campaigns",
    responses={200: documented_response(ActiveCampaigns, "The page.", ACTIVE_EXAMPLE)},
)
async def list_active_campaigns(
    request: Request,
    company_id: CompanyInPath,
    priority: PriorityInQuery = None,
    limit: Limit = 50,
    offset: Offset = 0,
) -> JsonResponse:
    """One page of a company's running campaigns, newest first: how far each is, and what it may still do today."""
    narrowed = CompanyFilter(company_id, "active", priority)
    page = Page("created_at", "desc", limit, offset)
    database: Database = request.app.state.database
    async with database.snapshot() as connection:
        driver = await driver_connection(connection)
        return JsonResponse(await service.active_campaigns(driver, narrowed, page, datetime.now(UTC)))
