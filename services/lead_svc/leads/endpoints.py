"""Leads over HTTP: one at a time, and in lists."""

from collections.abc import AsyncIterator
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Path, Query, Request
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response, StreamingResponse

from services.lead_svc.campaigns.lookup import find_campaign
from services.lead_svc.domain.fields import LeadStatus
from services.lead_svc.leads import errors, repository, service
from services.lead_svc.leads.bodies import AssignBody, ConvertBody, LeadBody, LeadStatusBody, ScheduleBody
from services.lead_svc.leads.campaign_lookup import knowing_its_campaign
from services.lead_svc.leads.repository import LeadFilter
from services.lead_svc.leads.schemas import LeadAnswer, LeadShown
from services.lead_svc.values.from_json import lead_field
from shared.database.engine import Database
from shared.http.app import Transaction
from shared.http.auth import Caller, CompanyInPath
from shared.http.idempotency import IdempotencyKey, in_progress, once, other_content
from shared.http.json import JsonResponse
from shared.http.openapi import Done, documented_errors
from shared.http.parameters import MAX_ID, IdInPath, StrictIntText

router = APIRouter(prefix="/api/voice-leads", tags=["Leads"])

LARGEST_PAGE: Final = 1_000
StatusInQuery = Annotated[LeadStatus | None, Query(description="Only leads with this status."), lead_field("status")]
Limit = Annotated[
    int | None,
    Query(ge=1, le=LARGEST_PAGE, description="Most leads of the answer; the header `Link` leads to the next."),
    StrictIntText,
]
Cursor = Annotated[
    int | None, Query(ge=0, le=MAX_ID, description="Where the page before ended, as its `Link` says."), StrictIntText
]
LINK_HEADER: Final[dict[str, Any]] = {
    "Link": {
        "description": 'With `limit`: the next page, where there is one (RFC 8288, `rel="next"`).',
        "schema": {"type": "string"},
    }
}
_LIST: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "model": list[LeadShown],
        "description": "The leads, also when there are none.",
        "headers": LINK_HEADER,
    }
}
_DONE: Final[dict[int | str, dict[str, Any]]] = {200: {"model": Done, "description": "Done."}}


@router.post(
    "",
    summary="Create voice lead",
    status_code=201,
    responses={
        201: {
            "model": LeadAnswer,
            "description": "Created.",
            "headers": {"Location": {"description": "Path of the lead.", "schema": {"type": "string"}}},
        },
        **documented_errors(
            errors.name_missing(),
            errors.invalid_phone(),
            errors.InvalidCampaign(7),
            in_progress(),
            other_content(),
            errors.campaign_unknown_now(),
        ),
    },
)
async def create_lead(request: Request, caller: Caller, body: LeadBody, key: IdempotencyKey) -> Response:
    """Create a lead of a company that the token covers. A lead whose number is not to be called is `blacklisted`."""
    caller.require_company(body.company_id)

    async def work(connection: AsyncConnection) -> Response:
        async def create() -> JsonResponse:
            lead_id, lead = await service.create(connection, caller, body)
            answer = b'{"message":"Voice lead created successfully","data":' + lead + b"}"
            return JsonResponse(answer, status_code=201, headers={"Location": f"{router.prefix}/{lead_id}"})

        return await once(connection, key, create)

    return await knowing_its_campaign(request, caller, work)


@router.get("/company/{companyId}", summary="Get company leads", response_class=StreamingResponse, responses=_LIST)
async def get_company_leads(
    request: Request,
    company_id: CompanyInPath,
    campaign_id: Annotated[
        int | None, Query(ge=1, le=MAX_ID, description="Only leads of this campaign."), StrictIntText
    ] = None,
    status: StatusInQuery = None,
    assigned_to: Annotated[
        int | None, Query(ge=1, le=MAX_ID, description="Only leads assigned to this person."), StrictIntText
    ] = None,
    limit: Limit = None,
    cursor: Cursor = None,
) -> Response:
    """Every lead of the company, oldest first. It is sent as it is read, so the answer may be of any length."""
    narrowed = LeadFilter(
        (company_id,), campaign_id=campaign_id, status=status, assigned_to=assigned_to, after_id=cursor
    )
    return await _listed(request, narrowed, limit)


@router.get(
    "/campaign/{campaignId}",
    summary="Get campaign leads",
    response_class=StreamingResponse,
    responses={**_LIST, **documented_errors(errors.campaign_not_found())},
)
async def get_campaign_leads(
    request: Request,
    caller: Caller,
    campaign_id: Annotated[
        int, Path(alias="campaignId", ge=1, le=MAX_ID, description="Id of the campaign.", examples=[1]), StrictIntText
    ],
    status: StatusInQuery = None,
    priority: Annotated[
        int | None, Query(ge=1, le=5, description="Only leads of this priority."), StrictIntText
    ] = None,
    limit: Limit = None,
    cursor: Cursor = None,
) -> Response:
    """Every lead of the campaign, oldest first. It is sent as it is read, so the answer may be of any length."""
    await _require_visible(request, caller, campaign_id)
    narrowed = LeadFilter(caller.companies, campaign_id=campaign_id, status=status, priority=priority, after_id=cursor)
    return await _listed(request, narrowed, limit)


@router.get(
    "/{id}",
    summary="Get lead by ID",
    responses={200: {"model": LeadShown, "description": "The lead."}, **documented_errors(errors.not_found())},
)
async def get_lead(connection: Transaction, caller: Caller, lead_id: IdInPath) -> JsonResponse:
    """One lead."""
    lead = await repository.get_json(connection, lead_id, caller.companies)
    if lead is None:
        raise errors.not_found()
    return JsonResponse(lead)


@router.put(
    "/{id}",
    summary="Update lead",
    responses={
        **_DONE,
        **documented_errors(
            errors.name_missing(),
            errors.cannot_be_changed("campaign_id", 2),
            errors.not_found(),
            errors.status_not_allowed(LeadStatus.COMPLETED, LeadStatus.PENDING),
            errors.campaign_unknown_now(),
        ),
    },
)
async def update_lead(request: Request, caller: Caller, lead_id: IdInPath, body: LeadBody) -> JsonResponse:
    """Replace a lead: what the body leaves out gets its default. Company and campaign stay what they are."""

    async def work(connection: AsyncConnection) -> None:
        await service.update(connection, caller, lead_id, body)

    await knowing_its_campaign(request, caller, work)
    return JsonResponse({"message": "Voice lead updated successfully"})


@router.delete("/{id}", summary="Delete lead", responses={**_DONE, **documented_errors(errors.not_found())})
async def delete_lead(caller: Caller, lead_id: IdInPath, connection: Transaction) -> JsonResponse:
    """Delete a lead with its call attempts. Reports keep what was told of them; its number stays as it is listed."""
    await service.delete(connection, caller, lead_id)
    return JsonResponse({"message": "Voice lead deleted successfully"})


@router.patch(
    "/{id}/status",
    summary="Update lead status",
    responses={
        **_DONE,
        **documented_errors(
            errors.only_an_admin(),
            errors.not_found(),
            errors.status_not_allowed(LeadStatus.COMPLETED, LeadStatus.PENDING),
        ),
    },
)
async def update_lead_status(
    caller: Caller, lead_id: IdInPath, body: LeadStatusBody, connection: Transaction
) -> JsonResponse:
    """Give a lead a status, and a word on it.

    A `sub_status` belongs to its status: left out, it stays while the status does and goes when that changes; an empty
    one takes it away.

    `blacklisted` puts the lead's number on the company's do-not-call list and blacklists every lead that has it. Only
    an administrator takes a lead off the blacklist, and with it its number off the list.
    """
    await service.set_status(connection, caller, lead_id, body)
    return JsonResponse({"message": "Lead status updated successfully"})


@router.patch("/{id}/assign", summary="Assign lead", responses={**_DONE, **documented_errors(errors.not_found())})
async def assign_lead(caller: Caller, lead_id: IdInPath, body: AssignBody, connection: Transaction) -> JsonResponse:
    """Give a lead to an agent."""
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
            errors.campaign_unknown_now(),
        ),
    },
)
async def schedule_call(request: Request, caller: Caller, lead_id: IdInPath, body: ScheduleBody) -> JsonResponse:
    """Have a lead called at a time: it becomes `scheduled`, and the time its `next_contact_date`."""

    async def work(connection: AsyncConnection) -> None:
        await service.schedule(connection, caller, lead_id, body.scheduled_call_time)

    await knowing_its_campaign(request, caller, work)
    return JsonResponse({"message": "Call scheduled successfully"})


@router.patch(
    "/{id}/convert",
    summary="Mark lead as converted",
    responses={**_DONE, **documented_errors(errors.not_found(), errors.blacklisted())},
)
async def convert_lead(caller: Caller, lead_id: IdInPath, body: ConvertBody, connection: Transaction) -> JsonResponse:
    """Note what a lead was converted for: it becomes `completed`. Once more, it corrects the value."""
    await service.convert(connection, caller, lead_id, body.value)
    return JsonResponse({"message": "Lead marked as converted successfully"})


async def _require_visible(request: Request, caller: Caller, campaign_id: int) -> None:
    async def work(connection: AsyncConnection) -> None:
        campaign = await find_campaign(connection, campaign_id)
        if campaign.company_id not in caller.companies:
            raise errors.campaign_not_found()

    try:
        await knowing_its_campaign(request, caller, work)
    except errors.InvalidCampaign as error:
        raise errors.campaign_not_found() from error


async def _listed(request: Request, narrowed: LeadFilter, limit: int | None) -> Response:
    database: Database = request.app.state.database
    if limit is not None:
        async with database.transaction() as connection:
            page, last_id = await repository.page_json(connection, narrowed, limit)
        return JsonResponse(page, headers={} if last_id is None else {"Link": next_page(request, last_id)})

    async def body() -> AsyncIterator[bytes]:
        async with database.snapshot() as connection:
            async for piece in repository.stream_json(connection, narrowed):
                yield piece

    return StreamingResponse(body(), media_type="application/json")


def next_page(request: Request, cursor: int | str) -> str:
    """The ``Link`` to the page that begins after a cursor."""
    asked = {**request.query_params, "cursor": str(cursor)}
    return f'<{request.url.path}?{urlencode(asked)}>; rel="next"'
