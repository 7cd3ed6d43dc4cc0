"""Messages and errors of imports. The contract gives most of the texts."""

from collections.abc import Sequence
from typing import Final

from pydantic import BaseModel

from services.lead_svc.campaigns.errors import CAMPAIGN_UNAVAILABLE
from shared.http.errors import BadRequest, Conflict, NotFound, ServiceUnavailable

IMPORT_UNDONE: Final = "Lead import undone"

IMPORT_FAILED: Final = "Error importing leads"
IMPORT_SUCCEEDED: Final = "Leads imported successfully"
IMPORT_ACCEPTED: Final = "Lead import accepted"
DRY_RUN_SUCCEEDED: Final = "Dry run: the leads are valid, nothing was imported"

CAMPAIGN_REQUIRED: Final = "campaign_id is required"
NO_LEADS_IN_BODY: Final = "leads must be a non-empty array"
LEADS_NESTED_TOO_DEEPLY: Final = "leads must not be nested more than 254 levels deep"
BODY_NOT_AN_OBJECT: Final = "The body must be a JSON object"
BODY_TOO_LARGE: Final = "Request body exceeds 10MB limit"
NOT_FINITE: Final = "must not contain NaN, Infinity or a number beyond 1.8e308"
DEFAULTS_NOT_AN_OBJECT: Final = "default_values must be a JSON object"
DEFAULTS_NOT_STORABLE: Final = "default_values must not contain NUL characters or be nested more than 254 levels deep"
UNKNOWN_PARAMETER: Final = "An import has no parameters in its query"
WORKER_GAVE_UP: Final = "The file could not be processed"


class ImportRequestError(BadRequest):
    """The import request is invalid; no job was created."""

    def __init__(self, error: str, errors: Sequence[BaseModel] = ()) -> None:
        super().__init__(IMPORT_FAILED, error, errors)


def campaign_unknown_now() -> ServiceUnavailable:
    """Return the error for a campaign that the service that owns campaigns cannot confirm at the moment."""
    return ServiceUnavailable(IMPORT_FAILED, CAMPAIGN_UNAVAILABLE)


def import_not_found() -> NotFound:
    """Return the error for an import that does not exist, or belongs to another company."""
    return NotFound("Import not found")


def no_failed_rows() -> NotFound:
    """Return the error for an import without failed rows, or whose failed rows have expired."""
    return NotFound("Failed rows not found", "No row of this import failed, or it ended more than 7 days ago")


def not_ended() -> Conflict:
    """Return the error for undoing an import that may still create leads."""
    return Conflict("Import cannot be undone", "The import has not ended yet")


def nothing_to_undo() -> Conflict:
    """Return the error for undoing an import that created no leads."""
    return Conflict("Import cannot be undone", "The import did not create any leads")
