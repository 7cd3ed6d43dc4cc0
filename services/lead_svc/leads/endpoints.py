"""Leads over HTTP."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import StreamingResponse

from services.lead_svc.leads import repository
from services.lead_svc.leads.fields import LeadStatus
from services.lead_svc.leads.repository import LeadFilter
from services.lead_svc.leads.schemas import LeadShown
from shared.database.engine import Database
from shared.http.app import Transaction
from shared.http.auth import Caller, CompanyInPath
from shared.http.errors import NotFound
from shared.http.json import JsonResponse
from shared.http.openapi import documented
from shared.http.parameters import LARGEST_ID, IdInPath

router = APIRouter(prefix="/api/voice-leads", tags=["Leads"])

_NOT_FOUND = "Voice lead not found"


@router.get(
    "/company/{companyId}",
    summary="Get company leads",
    response_class=StreamingResponse,
    responses={200: {"model": list[LeadShown], "description": "The leads, also when there are none."}},
)
async def get_company_leads(
    request: Request,
    company_id: CompanyInPath,
    campaign_id: Annotated[int | None, Query(ge=1, le=LARGEST_ID, description="Only leads of this campaign.")] = None,
    status: Annotated[LeadStatus | None, Query(description="Only leads with this status.")] = None,
    assigned_to: Annotated[
        int | None, Query(ge=1, le=LARGEST_ID, description="Only leads assigned to this person.")
    ] = None,
) -> StreamingResponse:
    """Every lead of the company, oldest first."""
    database: Database = request.app.state.database
    narrowed = LeadFilter(campaign_id, status, assigned_to)

    async def body() -> AsyncIterator[bytes]:
        async with database.snapshot() as connection:
            async for piece in repository.stream_json(connection, company_id, narrowed):
                yield piece

    return StreamingResponse(body(), media_type="application/json")


@router.get(
    "/{id}",
    summary="Get lead by ID",
    responses={200: {"model": LeadShown, "description": "The lead."}, **documented(NotFound(_NOT_FOUND))},
)
async def get_lead(connection: Transaction, caller: Caller, lead_id: IdInPath) -> JsonResponse:
    """One lead."""
    lead = await repository.get_json(connection, lead_id, caller.companies)
    if lead is None:
        raise NotFound(_NOT_FOUND)
    return JsonResponse(lead)
