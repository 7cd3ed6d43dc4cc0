"""Imports over HTTP."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Request
from starlette.responses import Response

from services.lead_svc.imports.messages import IMPORT_ACCEPTED, IMPORT_FAILED, IMPORT_SUCCEEDED
from services.lead_svc.imports.presentation import show_job
from services.lead_svc.imports.repository import ImportRecord
from services.lead_svc.imports.schemas import ImportAccepted, ImportJob, ImportResult, RowFault
from services.lead_svc.imports.service import ImportService, Outcome
from services.lead_svc.imports.upload import read_upload
from shared.http.auth import Caller, CompanyInPath
from shared.http.errors import ApiError, BadRequest, NotFound
from shared.http.json import JsonResponse
from shared.http.parameters import LARGEST_ID

ImportIdInPath = Annotated[int, Path(alias="importId", ge=1, le=LARGEST_ID)]

router = APIRouter(prefix="/api/company/voice-leads/company/{companyId}", tags=["Lead imports"])

_FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file", "campaign_id"],
                    "properties": {
                        "file": {
                            "type": "string",
                            "format": "binary",
                            "description": "CSV or Excel file, at most 10 MB; its first row holds the column headers.",
                        },
                        "campaign_id": {"type": "integer"},
                        "default_values": {
                            "type": "string",
                            "contentMediaType": "application/json",
                            "description": "JSON object: values for the fields that a row leaves empty.",
                        },
                    },
                }
            }
        },
    }
}


@router.post(
    "/import",
    status_code=201,
    summary="Import company leads from file",
    openapi_extra=_FORM,
    responses={201: {"model": ImportResult}, 202: {"model": ImportAccepted}},
)
async def import_file(
    request: Request,
    company_id: CompanyInPath,
    caller: Caller,
    prefer: Annotated[str | None, Header(description="`respond-async` (RFC 7240): do not wait for the end.")] = None,
) -> Response:
    """Load every lead of a file, or none of them.

    Answers 201 with the leads; with `Prefer: respond-async`, or when the import takes longer than a request should,
    202 with the job. Waiting, a file may have up to 1,000 rows; not waiting, as many as fit into 10 MB.
    """
    request.state.failure_message = IMPORT_FAILED
    upload = await read_upload(request)
    service: ImportService = request.app.state.imports
    waits = not _prefers_async(prefer)
    wait_seconds: float = request.app.state.import_wait_seconds if waits else 0
    outcome = await service.run(caller, company_id, upload, wait_seconds=wait_seconds)
    if not waits:
        return _accepted(outcome.job, {"Preference-Applied": "respond-async"})
    match outcome.job.status:
        case "completed":
            return _imported(outcome)
        case "failed":
            faults = [RowFault.model_validate(error) for error in outcome.job.errors]
            raise BadRequest(IMPORT_FAILED, outcome.job.error, faults)
        case "aborted":
            raise ApiError(IMPORT_FAILED, outcome.job.error)
        case _:
            return _accepted(outcome.job, {})


@router.get("/imports/{importId}", summary="Get a lead import", responses={200: {"model": ImportJob}})
async def get_import(request: Request, company_id: CompanyInPath, import_id: ImportIdInPath) -> Response:
    """How far an import is, and what became of it."""
    service: ImportService = request.app.state.imports
    found = await service.get(company_id, import_id)
    if found is None:
        raise NotFound("Import not found")
    return JsonResponse(show_job(*found))


def _imported(outcome: Outcome) -> Response:
    head = f'{{"message":"{IMPORT_SUCCEEDED}","imported_count":{outcome.job.imported_count},"leads":['
    return JsonResponse(b"".join((head.encode(), outcome.leads_json, b"]}")), status_code=201)


def _accepted(job: ImportRecord, headers: dict[str, str]) -> Response:
    location = f"/api/company/voice-leads/company/{job.company_id}/imports/{job.id}"
    body = {"message": IMPORT_ACCEPTED, "data": show_job(job, None)}
    return JsonResponse(body, status_code=202, headers={"Location": location, **headers})


def _prefers_async(prefer: str | None) -> bool:
    preferences = (prefer or "").split(",")
    return any(preference.split(";")[0].strip().lower() == "respond-async" for preference in preferences)
