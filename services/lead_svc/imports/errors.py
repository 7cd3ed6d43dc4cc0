"""What imports are answered, where the contract has words in its words."""

from collections.abc import Sequence
from typing import Final

from pydantic import BaseModel

from services.lead_svc.campaigns import errors as campaign_errors
from shared.http.errors import BadRequest, Conflict, NotFound

IMPORT_UNDONE: Final = "Lead import undone"

IMPORT_FAILED: Final = "Error importing leads"
IMPORT_SUCCEEDED: Final = "Leads imported successfully"
IMPORT_ACCEPTED: Final = "Lead import accepted"
DRY_RUN_SUCCEEDED: Final = "Dry run: the leads are valid, nothing was imported"

NO_FILE: Final = "No file uploaded"
CAMPAIGN_REQUIRED: Final = "campaign_id is required"
INVALID_CAMPAIGN: Final = campaign_errors.INVALID_CAMPAIGN
CAMPAIGN_UNKNOWN_NOW: Final = campaign_errors.CAMPAIGN_UNAVAILABLE
NO_LEADS_IN_BODY: Final = "leads must be a non-empty array"
LEADS_NESTED_TOO_DEEPLY: Final = "leads must not be nested more than 254 levels deep"
BODY_NOT_AN_OBJECT: Final = "The body must be a JSON object"
BODY_TOO_LARGE: Final = "Request body exceeds 10MB limit"
NOT_FINITE: Final = "must not hold NaN, Infinity or a number beyond 1.8e308"
DEFAULTS_NOT_AN_OBJECT: Final = "default_values must be a JSON object"
DEFAULTS_NOT_STORABLE: Final = "default_values must not hold NUL characters or be nested more than 254 levels deep"
UNKNOWN_PARAMETER: Final = "An import has no parameters in its query"
WORKER_GAVE_UP: Final = "The file could not be processed"


class ImportRefused(BadRequest):
    """An import that is not even tried."""

    def __init__(self, error: str, faults: Sequence[BaseModel] = ()) -> None:
        super().__init__(IMPORT_FAILED, error, faults)


def file_too_large(most_megabytes: int) -> str:
    """The file is larger than it may be."""
    return f"File size exceeds {most_megabytes}MB limit"


def import_not_found() -> NotFound:
    """There is no such import for this caller."""
    return NotFound("Import not found")


def no_failed_rows() -> NotFound:
    """No rows of the import failed, or it was too long ago."""
    return NotFound("Failed rows not found", "No row of this import failed, or it ended more than 7 days ago")


def not_ended() -> Conflict:
    """The import may still create leads."""
    return Conflict("Import cannot be undone", "The import has not ended yet")


def nothing_to_undo() -> Conflict:
    """The import created none."""
    return Conflict("Import cannot be undone", "The import did not create any leads")
