"""Endpoints of call attempts."""

from datetime import UTC, datetime

from fastapi import APIRouter
from starlette.responses import Response

from services.lead_svc.call_attempts import service
from services.lead_svc.call_attempts.schemas import CallAttemptCreate, CallAttemptRead
from services.lead_svc.campaigns.dependencies import Campaigns
from services.lead_svc.campaigns.errors import CampaignUnavailableError
from services.lead_svc.domain.fields import LeadStatus
from services.lead_svc.leads import errors
from services.lead_svc.leads.parameters import LeadIdInPath
from shared.http.app import Transaction
from shared.http.auth import Caller
from shared.http.idempotency import IdempotencyKey
from shared.http.json import JsonResponse
from shared.http.openapi import MessageResponse, documented_errors
from shared.idempotent_execution import in_progress, other_content

router = APIRouter(prefix="/api/voice-leads", tags=["Leads"])


@router.post(
    "/{id}/call-attempt",
    summary="Record call attempt",
    responses={
        200: {"model": MessageResponse, "description": "Recorded."},
        **documented_errors(
            errors.in_the_future("started_at", datetime(2999, 1, 1, tzinfo=UTC)),
            errors.not_found(),
            errors.blacklisted(),
            errors.campaign_deleted(),
            errors.transition_not_allowed(LeadStatus.COMPLETED, LeadStatus.PENDING),
            in_progress(),
            other_content(),
            CampaignUnavailableError(),
        ),
    },
)
async def record_call_attempt(
    campaigns: Campaigns, caller: Caller, lead_id: LeadIdInPath, body: CallAttemptCreate, key: IdempotencyKey
) -> Response:
    """Add a call to the lead's history and update the lead: its status, attempts, and last and next contact."""
    recorded = await service.record(campaigns, caller, lead_id, body, key)
    return JsonResponse({"message": "Call attempt recorded successfully"}, headers=recorded.headers)


@router.get(
    "/{id}/call-attempts",
    summary="Get call attempts",
    responses={
        200: {"model": list[CallAttemptRead], "description": "The calls; an empty list if there are none."},
        **documented_errors(errors.not_found()),
    },
)
async def get_call_attempts(caller: Caller, lead_id: LeadIdInPath, connection: Transaction) -> JsonResponse:
    """List the calls to the lead, oldest first."""
    return JsonResponse(await service.list_of_lead(connection, caller, lead_id))
