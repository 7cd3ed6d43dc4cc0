"""Errors of exports, as they are raised and as they are documented."""

from typing import Final

from services.lead_svc.spreadsheets.xlsx_rows import MAX_CELL_CHARACTERS
from shared.http.errors import BadRequest, FieldError, ServiceUnavailable, invalid_request

EXPORT_FAILED: Final = "Error exporting leads"


def cell_too_long(row: int, column: str) -> BadRequest:
    """A text is longer than a cell of a workbook may be; `row` is the row number of the sheet."""
    message = f"{column} of row {row:,} has more than the {MAX_CELL_CHARACTERS:,} characters of a cell; export to csv"
    return invalid_request(FieldError(field="format", value="xlsx", code="cell_too_long", message=message))


def too_many_exports() -> ServiceUnavailable:
    """No export that was running ended in time for this one to begin."""
    return ServiceUnavailable(EXPORT_FAILED, "Too many exports are under way; try again")
