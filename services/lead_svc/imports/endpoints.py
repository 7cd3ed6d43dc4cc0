"""Imports over HTTP."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Request
from starlette.responses import Response

from services.lead_svc.imports.messages import (
    CAMPAIGN_REQUIRED,
    CAMPAIGN_UNKNOWN_NOW,
    FILE_TOO_LARGE,
    IMPORT_ACCEPTED,
    IMPORT_FAILED,
    IMPORT_SUCCEEDED,
    INVALID_CAMPAIGN,
    NO_FILE,
    WORKER_GAVE_UP,
    ImportRefused,
)
from services.lead_svc.imports.presentation import show_job
from services.lead_svc.imports.repository import ImportRecord
from services.lead_svc.imports.schemas import ImportAccepted, ImportJob, ImportResult, RowFault
from services.lead_svc.imports.service import ImportService, Outcome
from services.lead_svc.imports.upload import read_upload
from shared.http.auth import Caller, CompanyInPath
from shared.http.errors import BadRequest, NotFound, Unavailable, Unexpected
from shared.http.json import JsonResponse
from shared.http.openapi import documented
from shared.http.parameters import LARGEST_ID

ImportIdInPath = Annotated[
    int, Path(alias="importId", ge=1, le=LARGEST_ID, description="Id of the import.", examples=[1])
]

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
                        "campaign_id": {
                            "type": "integer",
                            "description": "The company's campaign that is to call the leads.",
                            "examples": [123],
                        },
                        "default_values": {
                            "type": "string",
                            "description": "JSON object: values for the fields that a row leaves empty.",
                            "examples": ['{"source": "bulk_import", "status": "pending"}'],
                        },
                    },
                }
            }
        },
    }
}

_INVALID_PHONE = RowFault(
    row=2, field="phone", value="12", code="invalid_phone", message="Invalid phone number format: 12"
)
_ANSWERS: dict[int | str, dict[str, Any]] = {
    201: {"model": ImportResult, "description": "Every lead of the file was imported."},
    202: {
        "model": ImportAccepted,
        "description": "The import goes on; `Location` tells how far it is.",
        "headers": {"Location": {"description": "Path of the import.", "schema": {"type": "string"}}},
    },
    **documented(
        BadRequest(IMPORT_FAILED, _INVALID_PHONE.message, [_INVALID_PHONE]),
        ImportRefused(NO_FILE),
        ImportRefused(FILE_TOO_LARGE),
        ImportRefused(CAMPAIGN_REQUIRED),
        ImportRefused(INVALID_CAMPAIGN),
        Unexpected(IMPORT_FAILED),
        Unexpected(IMPORT_FAILED, WORKER_GAVE_UP),
        Unavailable(IMPORT_FAILED, CAMPAIGN_UNKNOWN_NOW),
        Unavailable.database(),
    ),
}
_NOT_FOUND = "Import not found"


@router.post(
    "/import",
    status_code=201,
    summary="Import company leads from file",
    openapi_extra=_FORM,
    responses=_ANSWERS,
)
async def import_file(
    request: Request,
    company_id: CompanyInPath,
    caller: Caller,
    prefer: Annotated[
        str | None,
        Header(description="`respond-async` (RFC 7240): do not wait for the end.", examples=["respond-async"]),
    ] = None,
) -> Response:
    """Load every lead of a file, or none of them.

    Answers 201 with the leads; with `Prefer: respond-async`, or when the import takes longer than a request should,
    202 with the job. Waiting, a file may have up to 1,000 rows; not waiting, as many as fit into 10 MB. Each fault of a
    file is named in `errors` with its row, as a spreadsheet counts it.
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
            raise Unexpected(IMPORT_FAILED, outcome.job.error)
        case _:
            return _accepted(outcome.job, {})


@router.get(
    "/imports/{importId}",
    summary="Get a lead import",
    responses={200: {"model": ImportJob, "description": "The import."}, **documented(NotFound(_NOT_FOUND))},
)
async def get_import(request: Request, company_id: CompanyInPath, import_id: ImportIdInPath) -> Response:
    """How far an import is, and what became of it."""
    service: ImportService = request.app.state.imports
    found = await service.get(company_id, import_id)
    if found is None:
        raise NotFound(_NOT_FOUND)
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
