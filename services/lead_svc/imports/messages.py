"""What an import is answered when it is refused before its file is looked into: the contract's words."""

from typing import Final

from shared.http.errors import BadRequest

IMPORT_FAILED: Final = "Error importing leads"
IMPORT_SUCCEEDED: Final = "Leads imported successfully"
IMPORT_ACCEPTED: Final = "Lead import accepted"

NO_FILE: Final = "No file uploaded"
FILE_TOO_LARGE: Final = "File size exceeds 10MB limit"
CAMPAIGN_REQUIRED: Final = "campaign_id is required"
INVALID_CAMPAIGN: Final = "Invalid campaign_id or campaign does not belong to company"
DEFAULTS_NOT_AN_OBJECT: Final = "default_values must be a JSON object"
DEFAULTS_NOT_STORABLE: Final = "default_values must not hold NUL characters or be nested more than 254 levels deep"
CAMPAIGN_UNKNOWN_NOW: Final = "The campaign cannot be checked at the moment; try again later"
WORKER_GAVE_UP: Final = "The file could not be processed"


class ImportRefused(BadRequest):
    """An import that is not even tried."""

    def __init__(self, error: str) -> None:
        super().__init__(IMPORT_FAILED, error)
