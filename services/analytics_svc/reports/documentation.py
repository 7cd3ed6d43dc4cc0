"""How reports are documented: what is answered, and how they are refused."""

from datetime import date
from typing import Any, Final

from pydantic import BaseModel

from services.analytics_svc.reports.directory import campaign_unknown_now, not_found
from shared.http.errors import Fault, Unavailable, invalid_request
from shared.http.openapi import documented
from shared.http.parameters import end_before_start, invalid_campaign_ids

_PERIOD: Final = (
    invalid_request(
        Fault(field="start_date", value="2024-3-1", code="value_error", message="must be a date written YYYY-MM-DD")
    ),
    end_before_start(date(2024, 3, 1)),
    invalid_request(
        Fault(
            field="time_zone",
            value="Europe/Berlín",
            code="time_zone",
            message="Must be a time zone of the IANA database, such as Europe/Berlin",
        )
    ),
)
REFUSED_PERIOD: Final[dict[int | str, dict[str, Any]]] = documented(*_PERIOD)
REFUSED_CAMPAIGN_IDS: Final[dict[int | str, dict[str, Any]]] = documented(*_PERIOD, invalid_campaign_ids("1;2"))
REFUSED_CAMPAIGN: Final[dict[int | str, dict[str, Any]]] = documented(
    not_found(), Unavailable.database(), campaign_unknown_now()
)


def figures(model: type[BaseModel]) -> dict[int | str, dict[str, Any]]:
    """The entry of an answer of this shape."""
    return {200: {"model": model, "description": "The figures; zeros and empty lists without facts."}}
