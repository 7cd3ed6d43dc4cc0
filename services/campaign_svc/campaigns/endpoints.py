"""Endpoints of one campaign: create, get, update, delete and the transitions of its lifecycle."""

import re
from dataclasses import asdict
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Query, Request

from services.campaign_svc.campaigns import errors, service
from services.campaign_svc.campaigns.analytics_client import AnalyticsClient
from services.campaign_svc.campaigns.campaign import Campaign, CampaignJson
from services.campaign_svc.campaigns.lifecycle import COMPLETE, PAUSE, RESUME, START, TRANSITIONS, Transition
from services.campaign_svc.campaigns.schemas import (
    CAMPAIGN_EXAMPLE,
    DETAILS_EXAMPLE,
    CallQuality,
    CampaignCreate,
    CampaignDetailsResponse,
    CampaignRead,
    CampaignResponse,
    CampaignStatusUpdate,
    CampaignUpdate,
)
from shared.events.campaigns import CampaignStatus
from shared.http.app import ServiceDatabase, Transaction
from shared.http.auth import Caller
from shared.http.idempotency import REPLAYED_HEADER, IdempotencyKey
from shared.http.json import JsonResponse
from shared.http.openapi import MessageResponse, documented_errors, documented_response
from shared.http.preconditions import ETAG_HEADER, IfMatch, etag, precondition_failed
from shared.idempotent_execution import Idempotent, in_progress, other_content
from shared.ids import MAX_ID, CampaignId, CompanyId
from shared.schema import StrictIntText

router = APIRouter(prefix="/api/voice-campaigns", tags=["Campaigns"])

CREATED: Final = "Voice campaign created successfully"
FETCHED: Final = "Campaign fetched successfully"
UPDATED: Final = "Voice campaign updated successfully"
DELETED: Final = "Voice campaign deleted successfully"
STATUS_UPDATED: Final = "Campaign status updated successfully"

_ID: Final = re.compile("[1-9][0-9]{0,18}")
_LOCATION_HEADER: Final = {"Location": {"description": "Path of the campaign.", "schema": {"type": "string"}}}

CampaignIdInPath = Annotated[
    CampaignId, Path(alias="id", ge=1, le=MAX_ID, description="The campaign's id.", examples=[1]), StrictIntText
]


async def _analytics(request: Request) -> AnalyticsClient:
    analytics: AnalyticsClient = request.app.state.analytics
    return analytics


Analytics = Annotated[AnalyticsClient, Depends(_analytics)]
"""Parameter of an endpoint: the client of analytics_svc."""


@router.post(
    "",
    summary="Create voice campaign",
    status_code=201,
    responses={
        201: documented_response(
            CampaignResponse,
            "Created.",
            {"message": CREATED, "data": CAMPAIGN_EXAMPLE},
            headers={**ETAG_HEADER, **_LOCATION_HEADER, **REPLAYED_HEADER},
        ),
        **documented_errors(errors.name_missing(), in_progress(), other_content()),
    },
)
async def create_campaign(
    caller: Caller, body: CampaignCreate, connection: Transaction, key: IdempotencyKey
) -> JsonResponse:
    """Create a campaign of a company that the token covers."""
    return _created_response(await service.create(connection, caller, body, key))


@router.get(
    "/{id}",
    summary="Get campaign",
    responses={
        200: {
            "model": CampaignRead | CampaignDetailsResponse,
            "description": "The campaign; with `company_id`, in an envelope.",
            "headers": ETAG_HEADER,
            "content": {
                "application/json": {
                    "examples": {
                        "campaign": {"summary": "Without `company_id`", "value": CAMPAIGN_EXAMPLE},
                        "envelope": {
                            "summary": "With `company_id`",
                            "value": {"message": FETCHED, "data": DETAILS_EXAMPLE},
                        },
                    }
                }
            },
        },
        **documented_errors(errors.not_an_id(), errors.company_id_required(), errors.not_found()),
    },
)
async def get_campaign(
    caller: Caller,
    campaign_id: CampaignIdInPath,
    database: ServiceDatabase,
    analytics: Analytics,
    company_id: Annotated[
        str | None,
        Query(
            description="The campaign's company. The response then is an envelope that includes metrics.",
            examples=["1"],
        ),
    ] = None,
) -> JsonResponse:
    """Return one campaign; with `company_id`, in an envelope that includes the quality of its calls.

    Only the response without `company_id` has an `ETag`: the quality of the calls changes without a new version.
    """
    if company_id is None:
        return _json_response(await service.get_json(database, caller, campaign_id))
    campaign = await service.get_of_company(database, caller, campaign_id, _company_id(company_id))
    return _details_response(campaign, await analytics.get_call_quality(campaign_id, caller.token))


@router.put(
    "/{id}",
    summary="Update campaign",
    responses={
        200: documented_response(MessageResponse, "Updated.", {"message": UPDATED}, headers=ETAG_HEADER),
        **documented_errors(
            errors.name_missing(),
            errors.company_changed(2),
            errors.not_found(),
            errors.not_editable(),
            errors.status_not_allowed("active", "draft"),
            errors.changed_concurrently(),
            precondition_failed(4),
        ),
    },
)
async def update_campaign(
    caller: Caller, campaign_id: CampaignIdInPath, body: CampaignUpdate, connection: Transaction, precondition: IfMatch
) -> JsonResponse:
    """Replace a campaign. A field that the body leaves out gets its default. A new status must be one to which a
    transition of the lifecycle leads."""
    return _done_response(await service.update(connection, caller, campaign_id, body, precondition), UPDATED)


@router.delete(
    "/{id}",
    summary="Delete campaign",
    responses={
        200: documented_response(MessageResponse, "Deleted.", {"message": DELETED}),
        **documented_errors(
            errors.not_found(), errors.not_deletable(), errors.changed_concurrently(), precondition_failed(4)
        ),
    },
)
async def delete_campaign(
    caller: Caller, campaign_id: CampaignIdInPath, connection: Transaction, precondition: IfMatch
) -> JsonResponse:
    """Delete a campaign. It leaves the lists and takes no new leads and calls; its leads and their history stay."""
    await service.delete(connection, caller, campaign_id, precondition)
    return JsonResponse({"message": DELETED})


@router.patch(
    "/{id}/status",
    summary="Update campaign status",
    description="Set the status of a campaign. A campaign that has the status already is not changed. Allowed:\n\n"
    + "\n".join(f"- `{' or '.join(transition.sources)}` → `{transition.target}`" for transition in TRANSITIONS),
    responses={
        200: documented_response(MessageResponse, "Updated.", {"message": STATUS_UPDATED}, headers=ETAG_HEADER),
        **documented_errors(
            errors.not_found(),
            errors.status_not_allowed("completed", "active"),
            errors.changed_concurrently(),
            precondition_failed(4),
        ),
    },
)
async def update_campaign_status(
    caller: Caller,
    campaign_id: CampaignIdInPath,
    body: CampaignStatusUpdate,
    connection: Transaction,
    precondition: IfMatch,
) -> JsonResponse:
    """Set the status of a campaign."""
    campaign = await service.set_status(connection, caller, campaign_id, body.status, precondition)
    return _done_response(campaign, STATUS_UPDATED)


def _transition_documentation(transition: Transition) -> dict[str, Any]:
    """Return the documentation of a transition's endpoint, as arguments of ``router.post``."""
    rejected_status: CampaignStatus = "draft" if transition in (PAUSE, COMPLETE) else "completed"
    return {
        "summary": f"{transition.name.capitalize()} campaign",
        "description": f"A campaign that is {' or '.join(transition.sources)} becomes {transition.target}.",
        "responses": {
            200: documented_response(
                CampaignResponse,
                f"{transition.participle.capitalize()}.",
                {
                    "message": _message(transition),
                    "data": {**CAMPAIGN_EXAMPLE, "version": 2, "status": transition.target},
                },
                headers=ETAG_HEADER,
            ),
            **documented_errors(
                errors.not_found(),
                errors.transition_not_allowed(transition, rejected_status),
                errors.changed_concurrently(),
                precondition_failed(4),
            ),
        },
    }


def _message(transition: Transition) -> str:
    return f"Campaign {transition.participle} successfully"


@router.post("/{id}/start", **_transition_documentation(START))
async def start_campaign(
    caller: Caller, campaign_id: CampaignIdInPath, connection: Transaction, precondition: IfMatch
) -> JsonResponse:
    """Start a draft."""
    campaign = await service.make_transition(connection, caller, campaign_id, START, precondition)
    return _campaign_response(campaign, _message(START))


@router.post("/{id}/pause", **_transition_documentation(PAUSE))
async def pause_campaign(
    caller: Caller, campaign_id: CampaignIdInPath, connection: Transaction, precondition: IfMatch
) -> JsonResponse:
    """Pause an active campaign."""
    campaign = await service.make_transition(connection, caller, campaign_id, PAUSE, precondition)
    return _campaign_response(campaign, _message(PAUSE))


@router.post("/{id}/resume", **_transition_documentation(RESUME))
async def resume_campaign(
    caller: Caller, campaign_id: CampaignIdInPath, connection: Transaction, precondition: IfMatch
) -> JsonResponse:
    """Resume a paused campaign."""
    campaign = await service.make_transition(connection, caller, campaign_id, RESUME, precondition)
    return _campaign_response(campaign, _message(RESUME))


@router.post("/{id}/complete", **_transition_documentation(COMPLETE))
async def complete_campaign(
    caller: Caller, campaign_id: CampaignIdInPath, connection: Transaction, precondition: IfMatch
) -> JsonResponse:
    """Complete an active or paused campaign."""
    campaign = await service.make_transition(connection, caller, campaign_id, COMPLETE, precondition)
    return _campaign_response(campaign, _message(COMPLETE))


def _company_id(text: str) -> CompanyId:
    # The parameter is a text: an empty one is a missing company, not a malformed number.
    if _ID.fullmatch(text) and int(text) <= MAX_ID:
        return CompanyId(int(text))
    raise errors.company_id_required()


def _created_response(created: Idempotent[CampaignJson]) -> JsonResponse:
    campaign = created.result
    return JsonResponse(
        b'{"message":"' + CREATED.encode() + b'","data":' + campaign.json + b"}",
        status_code=201,
        headers={"ETag": etag(campaign.version), "Location": f"{router.prefix}/{campaign.id}", **created.headers},
    )


def _campaign_response(campaign: Campaign, message: str) -> JsonResponse:
    return JsonResponse({"message": message, "data": campaign}, headers={"ETag": etag(campaign.version)})


def _json_response(campaign: CampaignJson) -> JsonResponse:
    return JsonResponse(campaign.json, headers={"ETag": etag(campaign.version)})


def _done_response(campaign: Campaign, message: str) -> JsonResponse:
    return JsonResponse({"message": message}, headers={"ETag": etag(campaign.version)})


def _details_response(campaign: Campaign, quality: CallQuality) -> JsonResponse:
    details = {
        **asdict(campaign),
        "voice_type": campaign.ai_voice_gender,
        "script": campaign.script_template,
        "call_start_time": campaign.calling_hours_start.isoformat("minutes"),
        "call_end_time": campaign.calling_hours_end.isoformat("minutes"),
        "metrics": quality.model_dump(),
    }
    return JsonResponse({"message": FETCHED, "data": details})
