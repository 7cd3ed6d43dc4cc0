"""How an export is refused."""

from datetime import date
from typing import Final

from services.lead_svc.exports.sheet_rows import MOST_CHARACTERS
from shared.http.errors import BadRequest, Fault, Unavailable, as_given, invalid_request

EXPORT_FAILED: Final = "Error exporting leads"


def invalid_campaign_ids(given: str) -> BadRequest:
    """The error for a list that is none, or holds something that is no id."""
    message = "must be ids of campaigns with commas between them"
    return invalid_request(Fault(field="campaign_ids", value=as_given(given), code="invalid_ids", message=message))


def end_before_start(end: date) -> BadRequest:
    """The error for a period that ends before it begins."""
    message = "must not be before start_date"
    return invalid_request(Fault(field="end_date", value=end.isoformat(), code="before_start_date", message=message))


def cell_too_long(row: int, column: str) -> BadRequest:
    """The error for a text that a workbook cannot hold; `row` as the sheet would count it."""
    message = f"{column} of row {row:,} has more than the {MOST_CHARACTERS:,} characters of a cell; export to csv"
    return invalid_request(Fault(field="format", value="xlsx", code="cell_too_long", message=message))


def too_many_exports() -> Unavailable:
    """The error for an export that found no place among those under way."""
    return Unavailable(EXPORT_FAILED, "Too many exports are under way; try again")
