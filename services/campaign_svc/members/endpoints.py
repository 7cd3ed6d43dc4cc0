"""Endpoints of a company's directory of members."""

from typing import Annotated, Final

from fastapi import APIRouter, Path

from services.campaign_svc.members import errors, service
from services.campaign_svc.members.member import Member
from services.campaign_svc.members.schemas import (
    MEMBER_EXAMPLE,
    PAGE_EXAMPLE,
    MemberListResponse,
    MemberRead,
    MemberResponse,
    MemberUpdate,
)
from shared.http.app import ServiceDatabase, Transaction
from shared.http.auth import CompanyInPath
from shared.http.json import JsonResponse
from shared.http.openapi import MessageResponse, documented_errors, documented_response
from shared.http.pagination import Limit, Offset, offset_page
from shared.ids import MAX_ID, MemberId
from shared.schema import StrictIntText

router = APIRouter(prefix="/api/voice-campaigns/company/{companyId}/members", tags=["Members"])

CREATED: Final = "Member created successfully"
UPDATED: Final = "Member updated successfully"
DELETED: Final = "Member deleted successfully"

MemberInPath = Annotated[
    MemberId,
    Path(
        alias="memberId",
        ge=1,
        le=MAX_ID,
        description="The member's id, as in `team_members` and `owner_id` of campaigns, `assigned_to` of leads and"
        " `agent_id` of calls.",
        examples=[124],
    ),
    StrictIntText,
]


@router.get(
    "",
    summary="Get company members",
    responses={200: documented_response(MemberListResponse, "The page.", PAGE_EXAMPLE)},
)
async def list_members(
    database: ServiceDatabase, company_id: CompanyInPath, limit: Limit = 50, offset: Offset = 0
) -> JsonResponse:
    """Return one page of a company's members, sorted by id."""
    total, members = await service.list_json(database, company_id, limit, offset)
    return offset_page(total, limit, offset, members)


@router.get(
    "/{memberId}",
    summary="Get member",
    responses={
        200: documented_response(MemberRead, "The member.", MEMBER_EXAMPLE),
        **documented_errors(errors.not_found()),
    },
)
async def get_member(database: ServiceDatabase, company_id: CompanyInPath, member_id: MemberInPath) -> JsonResponse:
    """Return one member of a company."""
    return JsonResponse(await service.get_json(database, company_id, member_id))


@router.put(
    "/{memberId}",
    summary="Create or update member",
    responses={
        200: documented_response(MemberResponse, "Updated.", {"message": UPDATED, "data": MEMBER_EXAMPLE}),
        201: documented_response(MemberResponse, "Created.", {"message": CREATED, "data": MEMBER_EXAMPLE}),
        **documented_errors(errors.name_missing()),
    },
)
async def put_member(
    company_id: CompanyInPath, member_id: MemberInPath, body: MemberUpdate, connection: Transaction
) -> JsonResponse:
    """Set the name of a team member or agent, which reports then include. The company chooses the ids itself; a member
    may be created before any campaign, lead or call refers to the id. An equal name changes nothing."""
    return _member_response(*await service.put(connection, company_id, member_id, body.name))


@router.delete(
    "/{memberId}",
    summary="Delete member",
    responses={
        200: documented_response(MessageResponse, "Deleted.", {"message": DELETED}),
        **documented_errors(errors.not_found()),
    },
)
async def delete_member(company_id: CompanyInPath, member_id: MemberInPath, connection: Transaction) -> JsonResponse:
    """Delete a member from the directory. Campaigns, leads and calls that refer to the id are not changed."""
    await service.delete(connection, company_id, member_id)
    return JsonResponse({"message": DELETED})


def _member_response(member: Member, created: bool) -> JsonResponse:
    data = {name: getattr(member, name) for name in MemberRead.model_fields}
    return JsonResponse({"message": CREATED if created else UPDATED, "data": data}, status_code=201 if created else 200)
