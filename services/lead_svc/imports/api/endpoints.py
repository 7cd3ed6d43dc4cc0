"""Imports over HTTP: how they are started."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Request
from starlette.responses import Response

from services.lead_svc.imports.api.json_request import BODY_SCHEMA, read_json_upload
from services.lead_svc.imports.api.presentation import location_of, show_job, show_result
from services.lead_svc.imports.api.schemas import ImportAccepted, ImportResult
from services.lead_svc.imports.api.upload import LARGEST_MEGABYTES, Upload, read_upload
from services.lead_svc.imports.errors import (
    BODY_NOT_AN_OBJECT,
    CAMPAIGN_REQUIRED,
    CAMPAIGN_UNKNOWN_NOW,
    DRY_RUN_SUCCEEDED,
    IMPORT_ACCEPTED,
    IMPORT_FAILED,
    IMPORT_SUCCEEDED,
    INVALID_CAMPAIGN,
    NO_FILE,
    NO_LEADS_IN_BODY,
    UNKNOWN_PARAMETER,
    WORKER_GAVE_UP,
    ImportRefused,
    file_too_large,
)
from services.lead_svc.imports.options import OnDuplicate, OnError
from services.lead_svc.imports.service import ImportService, Outcome
from services.lead_svc.spreadsheets.schemas import ImportErrorResponse, RowErrorRead
from shared.http.auth import Caller, CompanyInPath, Principal
from shared.http.errors import ApiError, BadRequest, InternalServerError, ServiceUnavailable, display_value
from shared.http.idempotency import (
    REPLAYED,
    REPLAYED_HEADER,
    RawIdempotencyKey,
    idempotent_request,
    in_progress,
    other_content,
)
from shared.http.json import JsonResponse, dump
from shared.http.openapi import documented_errors

router = APIRouter(prefix="/api/company/voice-leads/company/{companyId}", tags=["Lead imports"])

Preference = Annotated[
    str | None,
    Header(
        alias="Prefer", description="`respond-async` (RFC 7240): do not wait for the end.", examples=["respond-async"]
    ),
]

_FORM: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file", "campaign_id"],
                    "additionalProperties": False,
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
                        "column_map": {
                            "type": "string",
                            "description": "JSON object: which field of a lead a header of the file means.",
                            "examples": ['{"Kundenname": "last_name", "Rufnummer": "phone"}'],
                        },
                        "on_error": {
                            "type": "string",
                            "enum": list(OnError),
                            "default": OnError.ABORT,
                            "description": "`abort`: with any error nothing is imported. `skip`: rows with errors are "
                            "left out and reported.",
                        },
                        "on_duplicate": {
                            "type": "string",
                            "enum": list(OnDuplicate),
                            "default": OnDuplicate.CREATE,
                            "description": "What a row becomes whose phone number the campaign has already, or an "
                            "earlier row of the file: `create` one more lead, `skip` it, `update` the lead with what "
                            "the row says, `error`.",
                        },
                        "dry_run": {
                            "type": "boolean",
                            "default": False,
                            "description": "Check everything and write nothing.",
                        },
                    },
                }
            }
        },
    }
}
_JSON: Final[dict[str, Any]] = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": BODY_SCHEMA}}}
}

_HEADERS: Final = {
    "Location": {"description": "Path of the import.", "schema": {"type": "string"}},
    **REPLAYED_HEADER,
}


class ImportFailed(BadRequest):
    """The leads have faults, all of which are named; with `Location` where the job can be looked at."""

    def __init__(self, outcome: Outcome) -> None:
        faults = [RowErrorRead.model_validate(error) for error in outcome.job.errors]
        super().__init__(IMPORT_FAILED, outcome.job.error, faults)
        self._headers = _headers(outcome)

    def response(self) -> Response:
        """The answer."""
        response = super().response()
        response.headers.update(self._headers)
        return response


def _answers(*refusals: ApiError) -> dict[int | str, dict[str, Any]]:
    answers: dict[int | str, dict[str, Any]] = {
        200: {"model": ImportResult, "description": "With `dry_run`: what would be imported.", "headers": _HEADERS},
        201: {"model": ImportResult, "description": "The leads were imported.", "headers": _HEADERS},
        202: {
            "model": ImportAccepted,
            "description": "The import goes on; `Location` tells how far it is.",
            "headers": _HEADERS,
        },
        **documented_errors(
            *refusals,
            in_progress(),
            other_content(),
            InternalServerError(IMPORT_FAILED),
            InternalServerError(IMPORT_FAILED, WORKER_GAVE_UP),
            ServiceUnavailable(IMPORT_FAILED, CAMPAIGN_UNKNOWN_NOW),
            ServiceUnavailable.database(),
        ),
    }
    answers[400] |= {"model": ImportErrorResponse, "headers": _HEADERS}
    return answers


def _row_error(row: int, field: str) -> BadRequest:
    message = "Invalid phone number format: 12"
    fault = RowErrorRead(row=row, field=field, value="12", code="invalid_phone", message=message)
    return BadRequest(IMPORT_FAILED, message, [fault])


@router.post(
    "/import",
    status_code=201,
    summary="Import company leads from file",
    openapi_extra=_FORM,
    responses=_answers(
        _row_error(2, "phone"),
        ImportRefused(NO_FILE),
        ImportRefused(file_too_large(LARGEST_MEGABYTES)),
        ImportRefused(CAMPAIGN_REQUIRED),
        ImportRefused(INVALID_CAMPAIGN),
        ImportRefused("on_error must be abort or skip"),
    ),
)
async def import_file(
    request: Request, company_id: CompanyInPath, caller: Caller, key: RawIdempotencyKey, prefer: Preference = None
) -> Response:
    """Load every lead of a file, or none of them.

    Answers 201 with the leads; with `Prefer: respond-async`, or when the import takes longer than a request should,
    202 with the job. Waiting, a file may have up to 1,000 rows; not waiting, as many as fit into 10 MB. Each fault of a
    file is named in `errors` with its row, as a spreadsheet counts it.

    Under an `Idempotency-Key` the same file is imported once: sent again, it is answered with what became of it, and
    the leads as they are now. An import that failed leaves its key free.
    """
    request.state.failure_message = IMPORT_FAILED
    return await _run(request, company_id, caller, await read_upload(request), key, prefer)


@router.post(
    "/import-json",
    status_code=201,
    summary="Import company leads from JSON",
    openapi_extra=_JSON,
    responses=_answers(
        _row_error(0, "leads.0.phone"),
        ImportRefused(CAMPAIGN_REQUIRED),
        ImportRefused(NO_LEADS_IN_BODY),
        ImportRefused(INVALID_CAMPAIGN),
        ImportRefused(BODY_NOT_AN_OBJECT),
    ),
)
async def import_json(
    request: Request, company_id: CompanyInPath, caller: Caller, key: RawIdempotencyKey, prefer: Preference = None
) -> Response:
    """Load every lead of an array, or none of them: by the rules of the file import, and in the same way.

    Waiting, up to 1,000 leads; not waiting, as many as fit into 10 MB. Each fault is named in `errors` with the lead's
    place in the array and the path of its field, as `leads.0.phone`. A field that leads do not have is such a fault.
    """
    request.state.failure_message = IMPORT_FAILED
    return await _run(request, company_id, caller, await read_json_upload(request), key, prefer)


async def _run(
    request: Request, company_id: int, caller: Principal, upload: Upload, key: str | None, prefer: str | None
) -> Response:
    service: ImportService = request.app.state.imports
    waits = not _prefers_async(prefer)
    wait_seconds: float = request.app.state.import_wait_seconds if waits else 0
    _require_no_query(request)
    keyed = None if key is None else idempotent_request(request, caller, key, *upload.said())
    outcome = await service.run(caller, company_id, upload, wait_seconds=wait_seconds, keyed=keyed)
    if not waits:
        return _accepted(outcome, {"Preference-Applied": "respond-async"})
    match outcome.job.status:
        case "completed" | "undone":
            return _imported(outcome)
        case "failed":
            raise ImportFailed(outcome)
        case "aborted":
            raise InternalServerError(IMPORT_FAILED, outcome.job.error)
        case _:
            return _accepted(outcome, {})


def _require_no_query(request: Request) -> None:
    """Refuse what stands in the query, where nobody would read it: `?dry_run=true` would import."""
    faults = [
        RowErrorRead(
            row=None,
            field=display_value(name),
            value=None,
            code="unknown_parameter",
            message=f"{UNKNOWN_PARAMETER}: {name}",
        )
        for name in request.query_params
    ]
    if faults:
        raise ImportRefused(faults[0].message, faults)


def _imported(outcome: Outcome) -> Response:
    message = DRY_RUN_SUCCEEDED if outcome.job.dry_run else IMPORT_SUCCEEDED
    # The leads are JSON already, made by PostgreSQL.
    head = dump({"message": message, **show_result(outcome.job)})[:-1]
    return JsonResponse(
        b"".join((head, b',"leads":[', outcome.leads_json, b"]}")),
        status_code=200 if outcome.job.dry_run else 201,
        headers=_headers(outcome),
    )


def _accepted(outcome: Outcome, headers: dict[str, str]) -> Response:
    body = {"message": IMPORT_ACCEPTED, "data": show_job(outcome.job, None)}
    return JsonResponse(body, status_code=202, headers=_headers(outcome) | headers)


def _headers(outcome: Outcome) -> dict[str, str]:
    location = {"Location": location_of(outcome.job)}
    return location | {REPLAYED: "true"} if outcome.repeated else location


def _prefers_async(prefer: str | None) -> bool:
    preferences = (prefer or "").split(",")
    return any(preference.split(";")[0].strip().lower() == "respond-async" for preference in preferences)
