"""Campaigns over HTTP: one at a time. Lists have a folder of their own."""

import re
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from sqlalchemy import RowMapping
from starlette.responses import Response

from services.campaign_svc.campaigns import errors, repository, service
from services.campaign_svc.campaigns.call_quality import CallQualityReports
from services.campaign_svc.campaigns.lifecycle import COMPLETE, PAUSE, STEPS, Step
from services.campaign_svc.campaigns.schemas import (
    DETAILS_EXAMPLE,
    SHOWN_EXAMPLE,
    CallQuality,
    Campaign,
    CampaignAnswer,
    CampaignBody,
    CampaignDetailsAnswer,
    StatusBody,
)
from shared.database.engine import Database
from shared.http.app import Transaction
from shared.http.auth import Caller
from shared.http.idempotency import REPLAYED_HEADER, IdempotencyKey, in_progress, once, other_content
from shared.http.json import JsonResponse
from shared.http.openapi import Done, documented_errors, documented_response
from shared.http.parameters import MAX_ID, IdInPath
from shared.http.preconditions import ETAG_HEADER, IfMatch, etag, precondition_failed

router = APIRouter(prefix="/api/voice-campaigns", tags=["Campaigns"])

_ID = re.compile("[1-9][0-9]{0,18}")
_LOCATION_HEADER: Final = {"Location": {"description": "Path of the campaign.", "schema": {"type": "string"}}}


@router.post(
    "",
    summary="Create voice campaign",
    status_code=201,
    responses={
        201: documented_response(
            CampaignAnswer,
            "Created.",
            {"message": "Voice campaign created successfully", "data": SHOWN_EXAMPLE},
            headers={**ETAG_HEADER, **_LOCATION_HEADER, **REPLAYED_HEADER},
        ),
        **documented_errors(errors.name_missing(), in_progress(), other_content()),
    },
)
async def create_campaign(caller: Caller, body: CampaignBody, connection: Transaction, key: IdempotencyKey) -> Response:
    """Create a campaign of a company that the token covers."""
    caller.require_company(body.company_id)

    async def create() -> JsonResponse:
        campaign = await service.create(connection, body)
        answer = _answer(campaign, "Voice campaign created successfully", status_code=201)
        answer.headers["Location"] = f"{router.prefix}/{campaign['id']}"
        return answer

    return await once(connection, key, create)


@router.get(
    "/{id}",
    summary="Get campaign",
    responses={
        200: {
            "model": Campaign | CampaignDetailsAnswer,
            "description": "The campaign; with `company_id`, the envelope.",
            "headers": ETAG_HEADER,
            "content": {
                "application/json": {
                    "examples": {
                        "campaign": {"summary": "Without `company_id`", "value": SHOWN_EXAMPLE},
                        "envelope": {
                            "summary": "With `company_id`",
                            "value": {"message": "Campaign fetched successfully", "data": DETAILS_EXAMPLE},
                        },
                    }
                }
            },
        },
        **documented_errors(errors.not_an_id(), errors.company_id_required(), errors.not_found()),
    },
)
async def get_campaign(
    request: Request,
    caller: Caller,
    campaign_id: IdInPath,
    company_id: Annotated[
        str | None,
        Query(description="The campaign's company. Asks for the envelope with metrics.", examples=["1"]),
    ] = None,
) -> JsonResponse:
    """One campaign: as it is or, with `company_id`, in an envelope and with the quality of its calls.

    Only the campaign as it is has an `ETag`: the quality of its calls changes without it.
    """
    database: Database = request.app.state.database
    if company_id is not None:
        async with database.transaction() as connection:
            campaign = await service.get(connection, caller, campaign_id, _company(company_id))
        quality: CallQualityReports = request.app.state.call_quality
        details = _details(campaign, await quality.of_campaign(campaign_id, caller.token))
        return JsonResponse({"message": "Campaign fetched successfully", "data": details})
    async with database.reader() as driver:
        found = await repository.get_json(driver, campaign_id, caller.companies)
    if found is None:
        raise errors.not_found()
    version, json = found
    return JsonResponse(json, headers={"ETag": etag(version)})


@router.put(
    "/{id}",
    summary="Update campaign",
    responses={
        200: documented_response(
            Done, "Updated.", {"message": "Voice campaign updated successfully"}, headers=ETAG_HEADER
        ),
        **documented_errors(
            errors.name_missing(),
            errors.other_company(2),
            errors.not_found(),
            errors.not_editable(),
            errors.status_not_allowed("active", "draft"),
            errors.changed_meanwhile(),
            precondition_failed(4),
        ),
    },
)
async def update_campaign(
    caller: Caller, campaign_id: IdInPath, body: CampaignBody, connection: Transaction, precondition: IfMatch
) -> JsonResponse:
    """Replace a campaign: what the body leaves out gets its default. A status may change as the lifecycle says."""
    campaign = await service.update(connection, caller, campaign_id, body, precondition)
    return _done(campaign, "Voice campaign updated successfully")


@router.delete(
    "/{id}",
    summary="Delete campaign",
    responses={
        200: documented_response(Done, "Deleted.", {"message": "Voice campaign deleted successfully"}),
        **documented_errors(
            errors.not_found(), errors.not_deletable(), errors.changed_meanwhile(), precondition_failed(4)
        ),
    },
)
async def delete_campaign(
    caller: Caller, campaign_id: IdInPath, connection: Transaction, precondition: IfMatch
) -> JsonResponse:
    """Delete a campaign. It leaves the lists and takes no new leads and calls; its leads and their history stay."""
    await service.delete(connection, caller, campaign_id, precondition)
    return JsonResponse({"message": "Voice campaign deleted successfully"})


@router.patch(
    "/{id}/status",
    summary="Update campaign status",
    description="Bring a campaign to a status. A campaign that has it already stays as it is.\n\n"
    + "\n".join(f"- `{' or '.join(step.sources)}` → `{step.target}`" for step in STEPS),
    responses={
        200: documented_response(
            Done, "Updated.", {"message": "Campaign status updated successfully"}, headers=ETAG_HEADER
        ),
        **documented_errors(
            errors.not_found(),
            errors.status_not_allowed("completed", "active"),
            errors.changed_meanwhile(),
            precondition_failed(4),
        ),
    },
)
async def update_campaign_status(
    caller: Caller, campaign_id: IdInPath, body: StatusBody, connection: Transaction, precondition: IfMatch
) -> JsonResponse:
    """Bring a campaign to a status."""
    campaign = await service.set_status(connection, caller, campaign_id, body.status, precondition)
    return _done(campaign, "Campaign status updated successfully")


def _step_endpoint(step: Step) -> Callable[..., Awaitable[JsonResponse]]:
    async def take_step(
        caller: Caller, campaign_id: IdInPath, connection: Transaction, precondition: IfMatch
    ) -> JsonResponse:
        campaign = await service.take_step(connection, caller, campaign_id, step, precondition)
        return _answer(campaign, f"Campaign {step.done} successfully")

    return take_step


for _step in STEPS:
    router.add_api_route(
        f"/{{id}}/{_step.name}",
        _step_endpoint(_step),
        methods=["POST"],
        name=f"{_step.name}_campaign",
        summary=f"{_step.name.capitalize()} campaign",
        description=f"A campaign that is {' or '.join(_step.sources)} becomes {_step.target}.",
        responses={
            200: documented_response(
                CampaignAnswer,
                f"{_step.done.capitalize()}.",
                {
                    "message": f"Campaign {_step.done} successfully",
                    "data": {**SHOWN_EXAMPLE, "version": 2, "status": _step.target},
                },
                headers=ETAG_HEADER,
            ),
            **documented_errors(
                errors.not_found(),
                errors.step_not_allowed(_step, "draft" if _step in (PAUSE, COMPLETE) else "completed"),
                errors.changed_meanwhile(),
                precondition_failed(4),
            ),
        },
    )


def _company(company_id: str) -> int:
    # As text: an empty parameter is a missing company, not a number of the wrong form.
    if _ID.fullmatch(company_id) and int(company_id) <= MAX_ID:
        return int(company_id)
    raise errors.company_id_required()


def _answer(campaign: RowMapping, message: str, *, status_code: int = 200) -> JsonResponse:
    return JsonResponse(
        {"message": message, "data": {**campaign}},
        status_code=status_code,
        headers={"ETag": etag(campaign["version"])},
    )


def _done(campaign: RowMapping, message: str) -> JsonResponse:
    return JsonResponse({"message": message}, headers={"ETag": etag(campaign["version"])})


def _details(campaign: RowMapping, quality: CallQuality) -> dict[str, Any]:
    return {
        **campaign,
        "voice_type": campaign["ai_voice_gender"],
        "script": campaign["script_template"],
        "call_start_time": campaign["calling_hours_start"].isoformat("minutes"),
        "call_end_time": campaign["calling_hours_end"].isoformat("minutes"),
        "metrics": quality.model_dump(),
    }
