"""A company's do-not-call list over HTTP."""

import asyncio
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from sqlalchemy.ext.asyncio import AsyncConnection

from services.lead_svc.do_not_call import repository, service
from services.lead_svc.do_not_call.schemas import Listed, NumberPage, NumbersBody
from services.lead_svc.domain.phone import InvalidPhone, normalize
from services.lead_svc.leads import errors
from services.lead_svc.leads.endpoints import LINK_HEADER, next_page
from services.lead_svc.spreadsheets.row_errors import FileRejectedError
from services.lead_svc.spreadsheets.schemas import ImportErrorResponse, RowErrorRead, form_field_error
from shared.database.engine import Database
from shared.http.app import Transaction
from shared.http.auth import Caller, CompanyInPath, Principal
from shared.http.errors import BadRequest, ErrorResponse, FieldError, NotFound, invalid_request
from shared.http.json import JsonResponse
from shared.http.multipart import NO_FILE, file_too_large, read_file_form
from shared.http.openapi import Done, documented_errors
from shared.http.parameters import NoNulText, StrictIntText

router = APIRouter(
    prefix="/api/company/voice-leads/company/{companyId}/do-not-call",
    tags=["Do-not-call list"],
)

FILE_REFUSED: Final = "Error importing numbers"
LARGEST_MEGABYTES: Final = 1
"""Of a file of numbers: as many as a request can put on the list while its caller waits."""
FROM_FILE: Final = "Imported from a file"
_LISTED: Final[dict[int | str, dict[str, Any]]] = {201: {"model": Listed, "description": "They are on the list."}}
_INVALID: Final = RowErrorRead(
    row=2, field="phone", value="12", code="invalid_phone", message="Invalid phone number format: 12"
)

_FILE_REFUSED: Final = documented_errors(
    BadRequest(FILE_REFUSED, _INVALID.message, [_INVALID]),
    BadRequest(FILE_REFUSED, NO_FILE),
    BadRequest(FILE_REFUSED, file_too_large(LARGEST_MEGABYTES)),
)
_FILE_REFUSED[400] |= {"model": ErrorResponse | ImportErrorResponse}

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


def _not_listed() -> NotFound:
    return NotFound("Number is not on the do-not-call list")


@router.get(
    "",
    summary="Get do-not-call list",
    responses={
        200: {
            "model": NumberPage,
            "description": "The numbers, also when there are none.",
            "headers": LINK_HEADER,
        }
    },
)
async def get_do_not_call_list(
    request: Request,
    company_id: CompanyInPath,
    connection: Transaction,
    limit: Annotated[int, Query(ge=1, le=1_000, description="Most numbers of a page."), StrictIntText] = 100,
    cursor: Annotated[
        str | None, Query(max_length=20, description="Where the page before ended, as its `Link` says."), NoNulText
    ] = None,
) -> JsonResponse:
    """Numbers that the company must not call, in their order."""
    numbers = await repository.page(connection, company_id, after=cursor, limit=limit + 1)
    page = numbers[:limit]
    headers = {}
    if len(numbers) > limit:
        headers["Link"] = next_page(request, page[-1]["phone"])
    return JsonResponse({"data": [{**number} for number in page]}, headers=headers)


@router.post(
    "",
    summary="Add to do-not-call list",
    status_code=201,
    responses={**_LISTED, **documented_errors(errors.invalid_phone())},
)
async def add_to_do_not_call_list(
    caller: Caller, company_id: CompanyInPath, body: NumbersBody, connection: Transaction
) -> JsonResponse:
    """Put up to 1,000 numbers on the list. Every lead of the company that has one of them is blacklisted."""
    phones = [phone.e164 for phone in body.phones]
    return await _add(connection, caller, company_id, phones, body.reason)


@router.post(
    "/import",
    summary="Import do-not-call list from file",
    status_code=201,
    openapi_extra=_FORM,
    responses={**_LISTED, **_FILE_REFUSED},
)
async def import_do_not_call_list(request: Request, caller: Caller, company_id: CompanyInPath) -> JsonResponse:
    """Put every number of a file on the list, or none of them when one is no number."""
    form = await read_file_form(
        request, max_megabytes=LARGEST_MEGABYTES, failure=FILE_REFUSED, field_error=form_field_error
    )
    try:
        phones = await asyncio.to_thread(_read_numbers, form.filename, form.content)
    except FileRejectedError as rejection:
        faults = [RowErrorRead.model_validate(error, from_attributes=True) for error in rejection.errors]
        raise BadRequest(FILE_REFUSED, rejection.message, faults) from rejection
    # Only now: a transaction would be held open for as long as the file takes to come.
    database: Database = request.app.state.database
    async with database.transaction() as connection:
        return await _add(connection, caller, company_id, phones, FROM_FILE)


@router.delete(
    "",
    summary="Take off do-not-call list",
    responses={
        200: {"model": Done, "description": "It is off the list."},
        **documented_errors(errors.invalid_phone(), _not_listed()),
    },
)
async def take_off_do_not_call_list(
    company_id: CompanyInPath,
    connection: Transaction,
    phone: Annotated[str, Query(max_length=100, description="The number, in any form.", examples=["+14155552671"])],
) -> JsonResponse:
    """Take a number off the list. Leads that were blacklisted for it stay so until an administrator says otherwise."""
    try:
        # A '+' that a client did not encode arrives as a space.
        number = normalize(phone.strip()).e164
    except InvalidPhone as error:
        fault = FieldError(field="phone", value=phone, code="invalid_phone", message=str(error))
        raise invalid_request(fault) from error
    await repository.hold_for_change(connection, company_id)
    if not await repository.remove(connection, company_id, number):
        raise _not_listed()
    return JsonResponse({"message": "Number taken off the do-not-call list"})


def _read_numbers(filename: str, content: bytes) -> list[str]:
    # What reads files is large, and such a file comes seldom: the API does not hold it before.
    from services.lead_svc.do_not_call.number_file import read_numbers

    return read_numbers(filename, content)


async def _add(
    connection: AsyncConnection, caller: Principal, company_id: int, phones: list[str], reason: str | None
) -> JsonResponse:
    added, blacklisted = await service.add(connection, company_id, phones, reason=reason, added_by=caller.subject)
    return JsonResponse(
        {"message": "Numbers added to the do-not-call list", "added_count": added, "blacklisted_count": blacklisted},
        status_code=201,
    )
