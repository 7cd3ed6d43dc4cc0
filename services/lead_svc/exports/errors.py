"""How an export is refused."""

from typing import Final

from services.lead_svc.spreadsheets.xlsx_rows import MAX_CELL_CHARACTERS
from shared.http.errors import BadRequest, FieldError, ServiceUnavailable, invalid_request

EXPORT_FAILED: Final = "Error exporting leads"


def cell_too_long(row: int, column: str) -> BadRequest:
    """The error for a text that a workbook cannot hold; `row` as the sheet would count it."""
    message = f"{column} of row {row:,} has more than the {MAX_CELL_CHARACTERS:,} characters of a cell; export to csv"
    return invalid_request(FieldError(field="format", value="xlsx", code="cell_too_long", message=message))


def too_many_exports() -> ServiceUnavailable:
    """The error for an export that found no place among those under way."""
    return ServiceUnavailable(EXPORT_FAILED, "Too many exports are under way; try again")
