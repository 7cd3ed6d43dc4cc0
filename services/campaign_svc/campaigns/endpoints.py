"""Campaigns over HTTP."""

import re
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from sqlalchemy import RowMapping
from starlette.responses import StreamingResponse

from services.campaign_svc.campaigns import repository, service
from services.campaign_svc.campaigns.fields import Priority
from services.campaign_svc.campaigns.repository import CampaignFilter
from services.campaign_svc.campaigns.schemas import (
    CallQuality,
    Campaign,
    CampaignAnswer,
    CampaignBody,
    CampaignDetailsAnswer,
)
from shared.database.engine import Database
from shared.events.campaigns import CampaignStatus
from shared.http.app import Transaction
from shared.http.auth import Caller, CompaniesInQuery
from shared.http.errors import BadRequest
from shared.http.json import JsonResponse, dump
from shared.http.parameters import LARGEST_ID, IdInPath

router = APIRouter(prefix="/api/voice-campaigns", tags=["Campaigns"])

_ID = re.compile("[0-9]{1,19}")
_NO_QUALITY = CallQuality().model_dump()


@router.post("", summary="Create voice campaign", status_code=201, responses={201: {"model": CampaignAnswer}})
async def create_campaign(caller: Caller, body: CampaignBody, connection: Transaction) -> JsonResponse:
    """Create a campaign of a company that the token covers."""
    campaign = await service.create(connection, caller, body)
    return JsonResponse({"message": "Voice campaign created successfully", "data": {**campaign}}, status_code=201)


@router.get(
    "", summary="Get all campaigns", response_class=StreamingResponse, responses={200: {"model": list[Campaign]}}
)
async def list_campaigns(
    request: Request,
    companies: CompaniesInQuery,
    status: CampaignStatus | None = None,
    priority: Priority | None = None,
) -> StreamingResponse:
    """Every campaign of the companies that the token covers, oldest first."""
    database: Database = request.app.state.database
    narrowed = CampaignFilter(status, priority)

    async def body() -> AsyncIterator[bytes]:
        opening = b"["
        async with database.snapshot() as connection:
            async for rows in repository.stream(connection, companies, narrowed):
                yield opening + dump([{**row} for row in rows])[1:-1]
                opening = b","
        yield b"[]" if opening == b"[" else b"]"

    return StreamingResponse(body(), media_type="application/json")


@router.get("/{id}", summary="Get campaign", responses={200: {"model": Campaign | CampaignDetailsAnswer}})
async def get_campaign(
    caller: Caller,
    campaign_id: IdInPath,
    connection: Transaction,
    company_id: Annotated[str | None, Query(description="Asks for the envelope with metrics.")] = None,
) -> JsonResponse:
    """One campaign: as it is or, with `company_id`, in an envelope and with the quality of its calls."""
    company = None if company_id is None else _company(company_id)
    campaign = await service.get(connection, caller, campaign_id, company)
    if company is None:
        return JsonResponse({**campaign})
    return JsonResponse({"message": "Campaign fetched successfully", "data": _details(campaign)})


def _company(company_id: str) -> int:
    # As text: an empty parameter is a missing company, not a number of the wrong form.
    if _ID.fullmatch(company_id) and 1 <= int(company_id) <= LARGEST_ID:
        return int(company_id)
    raise BadRequest("Company ID is required", "company_id must be a positive integer")


def _details(campaign: RowMapping) -> dict[str, Any]:
    return {
        **campaign,
        "voice_type": campaign["ai_voice_gender"],
        "script": campaign["script_template"],
        "call_start_time": campaign["calling_hours_start"].isoformat("minutes"),
        "call_end_time": campaign["calling_hours_end"].isoformat("minutes"),
        "metrics": _NO_QUALITY,
    }
