"""Endpoints of single leads and of lists of leads."""

from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse

from services.lead_svc.campaigns.dependencies import Campaigns
from services.lead_svc.campaigns.errors import CampaignUnavailableError, InvalidCampaignError
from services.lead_svc.domain.fields import LeadStatus
from services.lead_svc.leads import errors, service
from services.lead_svc.leads.filters import LeadFilter
from services.lead_svc.leads.parameters import (
    CampaignInPath,
    CompanyFilters,
    LeadIdInPath,
    PageCursor,
    PageLimit,
    PriorityFilter,
    StatusFilter,
)
from services.lead_svc.leads.schemas import (
    LeadAssigneeUpdate,
    LeadConversion,
    LeadCreate,
    LeadRead,
    LeadResponse,
    LeadSchedule,
    LeadStatusUpdate,
    LeadUpdate,
)
from shared.http.app import ServiceDatabase, Transaction
from shared.http.auth import Caller
from shared.http.idempotency import IdempotencyKey
from shared.http.json import JsonResponse
from shared.http.openapi import MessageResponse, documented_errors
from shared.http.pagination import LINK_HEADER, next_link
from shared.idempotent_execution import in_progress, other_content

router = APIRouter(prefix="/api/voice-leads", tags=["Leads"])

_LIST: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "model": list[LeadRead],
        "description": "The leads; an empty list if there are none.",
        "headers": LINK_HEADER,
    }
}
_DONE: Final[dict[int | str, dict[str, Any]]] = {200: {"model": MessageResponse, "description": "Done."}}


@router.post(
    "",
    summary="Create voice lead",
    status_code=201,
    responses={
        201: {
            "model": LeadResponse,
            "description": "Created.",
            "headers": {"Location": {"description": "Path of the lead.", "schema": {"type": "string"}}},
        },
        **documented_errors(
            errors.name_missing(),
            errors.invalid_phone(),
            InvalidCampaignError(7),
            in_progress(),
            other_content(),
            CampaignUnavailableError(),
        ),
    },
)
async def create_lead(campaigns: Campaigns, caller: Caller, body: LeadCreate, key: IdempotencyKey) -> Response:
    """Create a lead of a company that the token covers.

    The status is `blacklisted` if the lead's number is on the company's do-not-call list.
    """
    created = await service.create(campaigns, caller, body, key)
    content = b'{"message":"Voice lead created successfully","data":' + created.result.json + b"}"
    location = {"Location": f"{router.prefix}/{created.result.id}"}
    return JsonResponse(content, status_code=201, headers=created.headers | location)


@router.get("/company/{companyId}", summary="Get company leads", response_class=StreamingResponse, responses=_LIST)
async def get_company_leads(
    request: Request, database: ServiceDatabase, filters: CompanyFilters, limit: PageLimit = None
) -> Response:
    """List the leads of the company, oldest first. The response is streamed, so a list may have any length."""
    if limit is None:
        return StreamingResponse(service.stream_json(database, filters), media_type="application/json")
    page = await service.page_json(database, filters, limit)
    return JsonResponse(page.json, headers=next_link(request, page.next_cursor))


@router.get(
    "/campaign/{campaignId}",
    summary="Get campaign leads",
    response_class=StreamingResponse,
    responses={**_LIST, **documented_errors(errors.campaign_not_found())},
)
async def get_campaign_leads(
    request: Request,
    campaigns: Campaigns,
    caller: Caller,
    campaign_id: CampaignInPath,
    status: StatusFilter = None,
    priority: PriorityFilter = None,
    limit: PageLimit = None,
    cursor: PageCursor = None,
) -> Response:
    """List the leads of the campaign, oldest first. The response is streamed, so a list may have any length."""
    await service.require_campaign(campaigns, caller, campaign_id)
    filters = LeadFilter(caller.companies, campaign_id=campaign_id, status=status, priority=priority, after_id=cursor)
    return await get_company_leads(request, campaigns.database, filters, limit)


@router.get(
    "/{id}",
    summary="Get lead by ID",
    responses={200: {"model": LeadRead, "description": "The lead."}, **documented_errors(errors.not_found())},
)
async def get_lead(connection: Transaction, caller: Caller, lead_id: LeadIdInPath) -> JsonResponse:
    """Get one lead."""
    return JsonResponse(await service.get_json(connection, caller, lead_id))


@router.put(
    "/{id}",
    summary="Update lead",
    responses={
        **_DONE,
        **documented_errors(
            errors.name_missing(),
            errors.field_changed("campaign_id", 2),
            errors.not_found(),
            errors.transition_not_allowed(LeadStatus.COMPLETED, LeadStatus.PENDING),
            CampaignUnavailableError(),
        ),
    },
)
async def update_lead(campaigns: Campaigns, caller: Caller, lead_id: LeadIdInPath, body: LeadUpdate) -> JsonResponse:
    """Replace a lead: a field that the body leaves out gets its default. Company and campaign cannot be changed."""
    await service.update(campaigns, caller, lead_id, body)
    return JsonResponse({"message": "Voice lead updated successfully"})


@router.delete("/{id}", summary="Delete lead", responses={**_DONE, **documented_errors(errors.not_found())})
async def delete_lead(caller: Caller, lead_id: LeadIdInPath, connection: Transaction) -> JsonResponse:
    """Delete the lead and its call attempts. Reports keep their history; the number stays on the do-not-call list."""
    await service.delete(connection, caller, lead_id)
    return JsonResponse({"message": "Voice lead deleted successfully"})


@router.patch(
    "/{id}/status",
    summary="Update lead status",
    responses={
        **_DONE,
        **documented_errors(
            errors.admin_required(),
            errors.not_found(),
            errors.transition_not_allowed(LeadStatus.COMPLETED, LeadStatus.PENDING),
        ),
    },
)
async def update_lead_status(
    caller: Caller, lead_id: LeadIdInPath, body: LeadStatusUpdate, connection: Transaction
) -> JsonResponse:
    """Set the status and sub-status of a lead.

    A `sub_status` belongs to its status: if it is left out, it stays unchanged as long as the status does, and is
    removed when the status changes; an empty text removes it.

    `blacklisted` puts the lead's number on the company's do-not-call list and blacklists every lead that has it. Only
    an administrator can change the status of a blacklisted lead, which takes its number off the list.
    """
    await service.set_status(connection, caller, lead_id, body)
    return JsonResponse({"message": "Lead status updated successfully"})


@router.patch("/{id}/assign", summary="Assign lead", responses={**_DONE, **documented_errors(errors.not_found())})
async def assign_lead(
    caller: Caller, lead_id: LeadIdInPath, body: LeadAssigneeUpdate, connection: Transaction
) -> JsonResponse:
    """Assign the lead to an agent."""
    await service.assign(connection, caller, lead_id, body.assigned_to)
    return JsonResponse({"message": "Lead assigned successfully"})


@router.patch(
    "/{id}/schedule",
    summary="Schedule call",
    responses={
        **_DONE,
        **documented_errors(
            errors.not_found(),
            errors.blacklisted(),
            errors.campaign_deleted(),
            CampaignUnavailableError(),
        ),
    },
)
async def schedule_call(
    campaigns: Campaigns, caller: Caller, lead_id: LeadIdInPath, body: LeadSchedule
) -> JsonResponse:
    """Schedule the next call: the status becomes `scheduled`, the time becomes `next_contact_date`."""
    await service.schedule(campaigns, caller, lead_id, body.scheduled_call_time)
    return JsonResponse({"message": "Call scheduled successfully"})


@router.patch(
    "/{id}/convert",
    summary="Mark lead as converted",
    responses={**_DONE, **documented_errors(errors.not_found(), errors.blacklisted())},
)
async def convert_lead(
    caller: Caller, lead_id: LeadIdInPath, body: LeadConversion, connection: Transaction
) -> JsonResponse:
    """Record a conversion and its value: the status becomes `completed`. A repeated request corrects the value."""
    await service.convert(connection, caller, lead_id, body.value)
    return JsonResponse({"message": "Lead marked as converted successfully"})
