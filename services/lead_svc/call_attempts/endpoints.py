"""Call attempts over HTTP."""

from datetime import UTC, datetime

from fastapi import APIRouter, Request
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from services.lead_svc.call_attempts import service
from services.lead_svc.call_attempts.schemas import CallAttemptBody, CallAttemptShown
from services.lead_svc.domain.fields import LeadStatus
from services.lead_svc.leads import errors
from services.lead_svc.leads.campaign_lookup import knowing_its_campaign
from shared.http.app import Transaction
from shared.http.auth import Caller
from shared.http.idempotency import IdempotencyKey, in_progress, once, other_content
from shared.http.json import JsonResponse
from shared.http.openapi import Done, documented_errors
from shared.http.parameters import IdInPath

router = APIRouter(prefix="/api/voice-leads", tags=["Leads"])


@router.post(
    "/{id}/call-attempt",
    summary="Record call attempt",
    responses={
        200: {"model": Done, "description": "Recorded."},
        **documented_errors(
            errors.not_yet("started_at", datetime(2999, 1, 1, tzinfo=UTC)),
            errors.not_found(),
            errors.blacklisted(),
            errors.campaign_deleted(),
            errors.status_not_allowed(LeadStatus.COMPLETED, LeadStatus.PENDING),
            in_progress(),
            other_content(),
            errors.campaign_unknown_now(),
        ),
    },
)
async def record_call_attempt(
    request: Request, caller: Caller, lead_id: IdInPath, body: CallAttemptBody, key: IdempotencyKey
) -> Response:
    """Add a call to a lead's history, and bring the lead to where the call left it: status, attempts, contacts."""

    async def work(connection: AsyncConnection) -> Response:
        async def record() -> JsonResponse:
            await service.record(connection, caller, lead_id, body)
            return JsonResponse({"message": "Call attempt recorded successfully"})

        return await once(connection, key, record)

    return await knowing_its_campaign(request, caller, work)


@router.get(
    "/{id}/call-attempts",
    summary="Get call attempts",
    responses={
        200: {"model": list[CallAttemptShown], "description": "The calls, also when there are none."},
        **documented_errors(errors.not_found()),
    },
)
async def get_call_attempts(caller: Caller, lead_id: IdInPath, connection: Transaction) -> JsonResponse:
    """Every call to a lead, oldest first."""
    return JsonResponse([{**attempt} for attempt in await service.history(connection, caller, lead_id)])
