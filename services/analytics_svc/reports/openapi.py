"""OpenAPI entries of the reports' responses and errors."""

from datetime import date
from typing import Any, Final

from pydantic import BaseModel

from services.analytics_svc.reports.errors import campaign_not_found, campaign_unavailable
from shared.http.errors import FieldError, ServiceUnavailable, invalid_request
from shared.http.openapi import documented_errors
from shared.http.parameters import end_before_start, invalid_campaign_ids

_PERIOD: Final = (
    invalid_request(
        FieldError(
            field="start_date", value="2024-3-1", code="value_error", message="must be a date written YYYY-MM-DD"
        )
    ),
    end_before_start(date(2024, 3, 1)),
    invalid_request(
        FieldError(
            field="time_zone",
            value="Europe/Berlín",
            code="time_zone",
            message="Must be a time zone of the IANA database, such as Europe/Berlin",
        )
    ),
)
PERIOD_ERRORS: Final[dict[int | str, dict[str, Any]]] = documented_errors(*_PERIOD)
CAMPAIGN_IDS_ERRORS: Final[dict[int | str, dict[str, Any]]] = documented_errors(*_PERIOD, invalid_campaign_ids("1;2"))
CAMPAIGN_ERRORS: Final[dict[int | str, dict[str, Any]]] = documented_errors(
    campaign_not_found(), ServiceUnavailable.database(), campaign_unavailable()
)


def report_response(model: type[BaseModel]) -> dict[int | str, dict[str, Any]]:
    """Return the entry of a report of this schema."""
    return {200: {"model": model, "description": "The figures; 0 and empty lists where there are no facts."}}
