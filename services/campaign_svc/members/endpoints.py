"""A company's directory of members over HTTP."""

from typing import Annotated, Final

from fastapi import APIRouter, Path, Request

from services.campaign_svc.campaigns.errors import name_missing
from services.campaign_svc.members import repository, service
from services.campaign_svc.members.schemas import (
    PAGE_EXAMPLE,
    SHOWN_EXAMPLE,
    Member,
    MemberAnswer,
    MemberBody,
    MemberPage,
)
from services.campaign_svc.paging import Limit, Offset, page_answer
from shared.database.engine import Database
from shared.http.app import Transaction
from shared.http.auth import CompanyInPath
from shared.http.json import JsonResponse
from shared.http.openapi import Done, documented_errors, documented_response
from shared.http.parameters import MAX_ID, StrictIntText

router = APIRouter(prefix="/api/voice-campaigns/company/{companyId}/members", tags=["Members"])

CREATED: Final = "Member created successfully"
UPDATED: Final = "Member updated successfully"
DELETED: Final = "Member deleted successfully"

MemberInPath = Annotated[
    int,
    Path(
        alias="memberId",
        ge=1,
        le=MAX_ID,
        description="The member's id: the number that `team_members` and `owner_id` of campaigns, `assigned_to` of"
        " leads and `agent_id` of calls hold.",
        examples=[124],
    ),
    StrictIntText,
]


@router.get(
    "",
    summary="Get company members",
    responses={200: documented_response(MemberPage, "The page.", PAGE_EXAMPLE)},
)
async def list_members(
    request: Request, company_id: CompanyInPath, limit: Limit = 50, offset: Offset = 0
) -> JsonResponse:
    """One page of a company's members, in the order of their ids."""
    database: Database = request.app.state.database
    async with database.reader() as driver:
        total, members = await repository.list_json(driver, company_id, limit, offset)
    return page_answer(total, limit, offset, members)


@router.get(
    "/{memberId}",
    summary="Get member",
    responses={
        200: documented_response(Member, "The member.", SHOWN_EXAMPLE),
        **documented_errors(service.not_found()),
    },
)
async def get_member(request: Request, company_id: CompanyInPath, member_id: MemberInPath) -> JsonResponse:
    """One member of a company."""
    database: Database = request.app.state.database
    async with database.reader() as driver:
        member = await repository.get_json(driver, company_id, member_id)
    if member is None:
        raise service.not_found()
    return JsonResponse(member)


@router.put(
    "/{memberId}",
    summary="Create or update member",
    responses={
        200: documented_response(MemberAnswer, "Updated.", {"message": UPDATED, "data": SHOWN_EXAMPLE}),
        201: documented_response(MemberAnswer, "Created.", {"message": CREATED, "data": SHOWN_EXAMPLE}),
        **documented_errors(name_missing()),
    },
)
async def put_member(
    company_id: CompanyInPath, member_id: MemberInPath, body: MemberBody, connection: Transaction
) -> JsonResponse:
    """Name a team member or agent, so that reports can show the name. Ids are the company's own; one that no campaign,
    lead or call holds yet may be named too. The same name again changes nothing."""
    member, created = await service.put(connection, company_id, member_id, body.name)
    return JsonResponse(
        {"message": CREATED if created else UPDATED, "data": {name: member[name] for name in Member.model_fields}},
        status_code=201 if created else 200,
    )


@router.delete(
    "/{memberId}",
    summary="Delete member",
    responses={
        200: documented_response(Done, "Deleted.", {"message": DELETED}),
        **documented_errors(service.not_found()),
    },
)
async def delete_member(company_id: CompanyInPath, member_id: MemberInPath, connection: Transaction) -> JsonResponse:
    """Take a member out of the directory. Campaigns, leads and calls that hold the id stay as they are."""
    await service.delete(connection, company_id, member_id)
    return JsonResponse({"message": DELETED})
