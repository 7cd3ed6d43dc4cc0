"""Errors of the do-not-call list, as they are raised and as they are documented."""

from typing import Final

from services.lead_svc.spreadsheets.row_errors import FileRejectedError
from services.lead_svc.spreadsheets.schemas import RowErrorRead
from shared.http.errors import BadRequest, FieldError, NotFound, invalid_request

FILE_REJECTED: Final = "Error importing numbers"


def number_not_listed() -> NotFound:
    """The number is not on the company's list."""
    return NotFound("Number is not on the do-not-call list")


def invalid_phone(phone: str, message: str) -> BadRequest:
    """The parameter is not a phone number."""
    return invalid_request(FieldError(field="phone", value=phone, code="invalid_phone", message=message))


def file_rejected(rejection: FileRejectedError) -> BadRequest:
    """The file has errors; the response names each."""
    errors = [RowErrorRead.model_validate(error, from_attributes=True) for error in rejection.errors]
    return BadRequest(FILE_REJECTED, rejection.message, errors)
