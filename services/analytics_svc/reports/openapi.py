"""How reports are documented: what is answered, and how they are refused."""

from datetime import date
from typing import Any, Final

from pydantic import BaseModel

from services.analytics_svc.reports.campaign_lookup import campaign_unknown_now, not_found
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
REFUSED_PERIOD: Final[dict[int | str, dict[str, Any]]] = documented_errors(*_PERIOD)
REFUSED_CAMPAIGN_IDS: Final[dict[int | str, dict[str, Any]]] = documented_errors(*_PERIOD, invalid_campaign_ids("1;2"))
REFUSED_CAMPAIGN: Final[dict[int | str, dict[str, Any]]] = documented_errors(
    not_found(), ServiceUnavailable.database(), campaign_unknown_now()
)


def figures(model: type[BaseModel]) -> dict[int | str, dict[str, Any]]:
    """The entry of an answer of this shape."""
    return {200: {"model": model, "description": "The figures; zeros and empty lists without facts."}}
