"""Endpoints of a company's do-not-call list."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request

from services.lead_svc.do_not_call import service
from services.lead_svc.do_not_call.errors import FILE_REJECTED, number_not_listed
from services.lead_svc.do_not_call.schemas import NumberPageResponse, NumbersAddedResponse, NumbersCreate
from services.lead_svc.leads import errors
from services.lead_svc.leads.blacklist import Blacklisted
from services.lead_svc.spreadsheets.schemas import ImportErrorResponse, RowErrorRead, form_field_error
from shared.http.app import ServiceDatabase, Transaction
from shared.http.auth import Caller, CompanyInPath
from shared.http.errors import BadRequest, ErrorResponse
from shared.http.json import JsonResponse
from shared.http.multipart import NO_FILE, file_too_large, read_file_form
from shared.http.openapi import MessageResponse, documented_errors
from shared.http.pagination import CURSOR_DESCRIPTION, LINK_HEADER, next_link, page_limit
from shared.schema import NoNulText, StrictIntText

router = APIRouter(
    prefix="/api/company/voice-leads/company/{companyId}/do-not-call",
    tags=["Do-not-call list"],
)

MAX_FILE_MEGABYTES: Final = 1
"""Largest file of numbers: as many numbers as one request can put on the list while its caller waits."""
MAX_PAGE_NUMBERS: Final = 1_000
DEFAULT_PAGE_NUMBERS: Final = 100

_ADDED: Final[dict[int | str, dict[str, Any]]] = {
    201: {"model": NumbersAddedResponse, "description": "The numbers are on the list."}
}
_INVALID_ROW: Final = RowErrorRead(
    row=2, field="phone", value="12", code="invalid_phone", message="Invalid phone number format: 12"
)
_FILE_ERRORS: Final = documented_errors(
    BadRequest(FILE_REJECTED, _INVALID_ROW.message, [_INVALID_ROW]),
    BadRequest(FILE_REJECTED, NO_FILE),
    BadRequest(FILE_REJECTED, file_too_large(MAX_FILE_MEGABYTES)),
)
_FILE_ERRORS[400] |= {"model": ErrorResponse | ImportErrorResponse}

_FORM: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "additionalProperties": False,
                    "properties": {
                        "file": {
                            "type": "string",
                            "format": "binary",
                            "description": "CSV or Excel file of at most 1 MB with a column headed phone.",
                        }
                    },
                }
            }
        },
    }
}


@router.get(
    "",
    summary="Get do-not-call list",
    responses={
        200: {
            "model": NumberPageResponse,
            "description": "The numbers; an empty list if there are none.",
            "headers": LINK_HEADER,
        }
    },
)
async def get_do_not_call_list(
    request: Request,
    company_id: CompanyInPath,
    connection: Transaction,
    limit: Annotated[int, page_limit(MAX_PAGE_NUMBERS, "numbers"), StrictIntText] = DEFAULT_PAGE_NUMBERS,
    cursor: Annotated[str | None, Query(max_length=20, description=CURSOR_DESCRIPTION), NoNulText] = None,
) -> JsonResponse:
    """List the numbers that the company must not call, in the order of the numbers."""
    page = await service.list_numbers(connection, company_id, after=cursor, limit=limit)
    return JsonResponse({"data": page.items}, headers=next_link(request, page.next_cursor))


@router.post(
    "",
    summary="Add to do-not-call list",
    status_code=201,
    responses={**_ADDED, **documented_errors(errors.invalid_phone())},
)
async def add_to_do_not_call_list(
    caller: Caller, company_id: CompanyInPath, body: NumbersCreate, connection: Transaction
) -> JsonResponse:
    """Put up to 1,000 numbers on the list. Every lead of the company that has one of them becomes blacklisted."""
    phones = [phone.e164 for phone in body.phones]
    return _added(await service.add(connection, caller, company_id, phones, body.reason))


@router.post(
    "/import",
    summary="Import do-not-call list from file",
    status_code=201,
    openapi_extra=_FORM,
    responses={**_ADDED, **_FILE_ERRORS},
)
async def import_do_not_call_list(
    request: Request, caller: Caller, company_id: CompanyInPath, database: ServiceDatabase
) -> JsonResponse:
    """Put every number of a file on the list. If one row has no valid number, no number is added."""
    form = await read_file_form(
        request, max_megabytes=MAX_FILE_MEGABYTES, failure=FILE_REJECTED, field_error=form_field_error
    )
    return _added(await service.add_from_file(database, caller, company_id, form.filename, form.content))


@router.delete(
    "",
    summary="Take off do-not-call list",
    responses={
        200: {"model": MessageResponse, "description": "The number is off the list."},
        **documented_errors(errors.invalid_phone(), number_not_listed()),
    },
)
async def take_off_do_not_call_list(
    company_id: CompanyInPath,
    connection: Transaction,
    phone: Annotated[str, Query(max_length=100, description="The number, in any form.", examples=["+14155552671"])],
) -> JsonResponse:
    """Take a number off the list. Leads that have it stay blacklisted until an administrator changes their status."""
    await service.remove(connection, company_id, phone)
    return JsonResponse({"message": "Number taken off the do-not-call list"})


def _added(effect: Blacklisted) -> JsonResponse:
    content = {
        "message": "Numbers added to the do-not-call list",
        "added_count": effect.added_count,
        "blacklisted_count": effect.blacklisted_count,
    }
    return JsonResponse(content, status_code=201)
