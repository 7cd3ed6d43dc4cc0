"""Endpoints that change many leads of a company at once."""

from fastapi import APIRouter

from services.lead_svc.domain.fields import LeadStatus
from services.lead_svc.leads import errors, service
from services.lead_svc.leads.schemas import BulkAssign, BulkAssignResponse, BulkUpdate, BulkUpdateResponse
from shared.http.app import Transaction
from shared.http.auth import Caller, CompanyInPath
from shared.http.json import JsonResponse
from shared.http.openapi import documented_errors

router = APIRouter(prefix="/api/company/voice-leads/company/{companyId}", tags=["Leads"])


@router.patch(
    "/bulk-update",
    summary="Bulk update company leads",
    responses={
        200: {"model": BulkUpdateResponse, "description": "All of the leads were updated."},
        **documented_errors(
            errors.unknown_leads([4]),
            errors.transition_of_lead_not_allowed(4, LeadStatus.COMPLETED, LeadStatus.PENDING),
        ),
    },
)
async def bulk_update_leads(
    caller: Caller, company_id: CompanyInPath, body: BulkUpdate, connection: Transaction
) -> JsonResponse:
    """Give up to 1,000 leads the same values. If one lead is unknown or cannot have them, no lead is changed."""
    count = await service.update_many(connection, caller, company_id, body.lead_ids, body.updates)
    return JsonResponse({"message": "Leads updated successfully", "updated_count": count})


@router.patch(
    "/bulk-assign",
    summary="Bulk assign company leads",
    responses={
        200: {"model": BulkAssignResponse, "description": "All of the leads were assigned."},
        **documented_errors(errors.unknown_leads([4])),
    },
)
async def bulk_assign_leads(company_id: CompanyInPath, body: BulkAssign, connection: Transaction) -> JsonResponse:
    """Assign up to 1,000 leads to an agent. If one lead is unknown, no lead is changed."""
    count = await service.assign_many(connection, company_id, body.lead_ids, body.assigned_to)
    return JsonResponse({"message": "Leads assigned successfully", "assigned_count": count})
