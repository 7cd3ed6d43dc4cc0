"""Errors of requests that name a campaign."""

from typing import Final

from shared.http.errors import BadRequest, FieldError, ServiceUnavailable

INVALID_CAMPAIGN: Final = "Invalid campaign_id or campaign does not belong to company"
CAMPAIGN_UNAVAILABLE: Final = "The campaign cannot be checked at the moment; try again later"


class InvalidCampaignError(BadRequest):
    """The company has no such campaign, or has deleted it."""

    def __init__(self, campaign_id: int) -> None:
        error = FieldError(
            field="campaign_id", value=str(campaign_id), code="invalid_campaign", message=INVALID_CAMPAIGN
        )
        super().__init__("Invalid request", INVALID_CAMPAIGN, [error])


class CampaignUnavailableError(ServiceUnavailable):
    """The campaign is not known here, and campaign_svc does not respond; the same request may succeed later."""

    def __init__(self) -> None:
        super().__init__("Service unavailable", CAMPAIGN_UNAVAILABLE)
