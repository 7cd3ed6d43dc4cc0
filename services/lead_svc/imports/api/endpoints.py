"""Endpoints that start imports: of a file, and of a JSON array of leads."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Request
from starlette.responses import Response

from services.lead_svc.campaigns.errors import INVALID_CAMPAIGN
from services.lead_svc.imports.api.json_request import read_json_request
from services.lead_svc.imports.api.json_schema import BODY_SCHEMA
from services.lead_svc.imports.api.presentation import import_response
from services.lead_svc.imports.api.schemas import (
    ImportAcceptedResponse,
    ImportResponse,
)
from services.lead_svc.imports.api.upload import FORM_SCHEMA, MAX_MEGABYTES, fingerprint_parts, read_file_request
from services.lead_svc.imports.errors import (
    BODY_NOT_AN_OBJECT,
    CAMPAIGN_REQUIRED,
    IMPORT_FAILED,
    NO_LEADS_IN_BODY,
    UNKNOWN_PARAMETER,
    WORKER_GAVE_UP,
    ImportRequestError,
    campaign_unknown_now,
)
from services.lead_svc.imports.records import ImportRequest
from services.lead_svc.imports.service import ImportService
from services.lead_svc.spreadsheets.schemas import ImportErrorResponse, RowErrorRead
from shared.http.auth import Caller, CompanyInPath, Principal
from shared.http.errors import ApiError, BadRequest, InternalServerError, ServiceUnavailable, display_value
from shared.http.idempotency import (
    REPLAYED_HEADER,
    RawIdempotencyKey,
    idempotent_request,
)
from shared.http.multipart import NO_FILE, file_too_large
from shared.http.openapi import documented_errors
from shared.idempotent_execution import in_progress, other_content
from shared.ids import CompanyId

router = APIRouter(prefix="/api/company/voice-leads/company/{companyId}", tags=["Lead imports"])

Preference = Annotated[
    str | None,
    Header(
        alias="Prefer",
        description="`respond-async` (RFC 7240): respond with 202 at once instead of waiting for the end.",
        examples=["respond-async"],
    ),
]

_FORM: Final[dict[str, Any]] = {
    "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": FORM_SCHEMA}}}
}
_JSON: Final[dict[str, Any]] = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": BODY_SCHEMA}}}
}
_HEADERS: Final = {
    "Location": {"description": "Path of the import.", "schema": {"type": "string"}},
    **REPLAYED_HEADER,
}


def _responses(*errors: ApiError) -> dict[int | str, dict[str, Any]]:
    responses: dict[int | str, dict[str, Any]] = {
        200: {"model": ImportResponse, "description": "With `dry_run`: the result of a check.", "headers": _HEADERS},
        201: {"model": ImportResponse, "description": "The leads were imported.", "headers": _HEADERS},
        202: {
            "model": ImportAcceptedResponse,
            "description": "The import continues; `Location` is the path of its job.",
            "headers": _HEADERS,
        },
        **documented_errors(
            *errors,
            in_progress(),
            other_content(),
            InternalServerError(IMPORT_FAILED),
            InternalServerError(IMPORT_FAILED, WORKER_GAVE_UP),
            campaign_unknown_now(),
            ServiceUnavailable.database(),
        ),
    }
    responses[400] |= {"model": ImportErrorResponse, "headers": _HEADERS}
    return responses


def _row_error(row: int, field: str) -> BadRequest:
    message = "Invalid phone number format: 12"
    error = RowErrorRead(row=row, field=field, value="12", code="invalid_phone", message=message)
    return BadRequest(IMPORT_FAILED, message, [error])


@router.post(
    "/import",
    status_code=201,
    summary="Import company leads from file",
    openapi_extra=_FORM,
    responses=_responses(
        _row_error(2, "phone"),
        ImportRequestError(NO_FILE),
        ImportRequestError(file_too_large(MAX_MEGABYTES)),
        ImportRequestError(CAMPAIGN_REQUIRED),
        ImportRequestError(INVALID_CAMPAIGN),
        ImportRequestError("on_error must be abort or skip"),
    ),
)
async def import_file(
    request: Request, company_id: CompanyInPath, caller: Caller, key: RawIdempotencyKey, prefer: Preference = None
) -> Response:
    """Import all leads of a file, or none.

    The response is 201 with the leads. It is 202 with the job if the request has `Prefer: respond-async`, or if the
    import takes longer than a request should. A file may have up to 1,000 rows if the caller waits; otherwise as many
    as fit into 10 MB. `errors` lists every error of the file with the row number that a spreadsheet displays.

    With an `Idempotency-Key` the same file is imported once: a repeated request returns the result of the first import,
    with the leads as they are now. A failed import frees its key.
    """
    request.state.failure_message = IMPORT_FAILED
    return await _start(request, company_id, caller, await read_file_request(request), key, prefer)


@router.post(
    "/import-json",
    status_code=201,
    summary="Import company leads from JSON",
    openapi_extra=_JSON,
    responses=_responses(
        _row_error(0, "leads.0.phone"),
        ImportRequestError(CAMPAIGN_REQUIRED),
        ImportRequestError(NO_LEADS_IN_BODY),
        ImportRequestError(INVALID_CAMPAIGN),
        ImportRequestError(BODY_NOT_AN_OBJECT),
    ),
)
async def import_json(
    request: Request, company_id: CompanyInPath, caller: Caller, key: RawIdempotencyKey, prefer: Preference = None
) -> Response:
    """Import all leads of an array, or none, by the rules of the file import.

    An array may have up to 1,000 leads if the caller waits; otherwise as many as fit into 10 MB. `errors` lists every
    error with the lead's position in the array and the path of the field, such as `leads.0.phone`. A field that leads
    do not have is an error.
    """
    request.state.failure_message = IMPORT_FAILED
    return await _start(request, company_id, caller, await read_json_request(request), key, prefer)


async def _start(
    request: Request,
    company_id: CompanyId,
    caller: Principal,
    import_request: ImportRequest,
    key: str | None,
    prefer: str | None,
) -> Response:
    _require_no_query(request)
    service: ImportService = request.app.state.imports
    wait = not _prefers_async(prefer)
    idempotent = idempotent_request(request, caller, key, *fingerprint_parts(import_request)) if key else None
    started = await service.start(caller, company_id, import_request, wait=wait, idempotent=idempotent)
    return import_response(started, waited=wait)


def _require_no_query(request: Request) -> None:
    """Reject query parameters, which an import does not read: `?dry_run=true` would import."""
    errors = [
        RowErrorRead(
            row=None,
            field=display_value(name),
            value=None,
            code="unknown_parameter",
            message=f"{UNKNOWN_PARAMETER}: {name}",
        )
        for name in request.query_params
    ]
    if errors:
        raise ImportRequestError(errors[0].message, errors)


def _prefers_async(prefer: str | None) -> bool:
    preferences = (prefer or "").split(",")
    return any(preference.split(";")[0].strip().lower() == "respond-async" for preference in preferences)
