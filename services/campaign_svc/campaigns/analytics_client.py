"""The client of analytics_svc: how good a campaign's calls were."""

import structlog
from pydantic import ValidationError

from services.campaign_svc.campaigns.schemas import CallQuality
from shared.http.service_client import ServiceClient, ServiceClientError
from shared.ids import CampaignId

TIMEOUT_SECONDS = 1.0
"""How long an analytics_svc that does not answer may delay the response with a campaign."""

logger = structlog.get_logger(__name__)


class AnalyticsClient:
    """Requests to analytics_svc.

    Parameters
    ----------
    url
        Base address of analytics_svc.
    """

    def __init__(self, url: str) -> None:
        self._analytics_svc = ServiceClient(url, seconds=TIMEOUT_SECONDS)

    async def get_call_quality(self, campaign_id: CampaignId, token: str) -> CallQuality:
        """Return the figures of a campaign that the token covers; all null when analytics_svc does not provide them."""
        try:
            figures = await self._analytics_svc.get(f"/internal/voice-campaigns/{campaign_id}/metrics", token)
            if figures is not None:
                return CallQuality.model_validate_json(figures)
            reason = "not found"
        except (ServiceClientError, ValidationError) as error:
            reason = repr(error)
        # The campaign itself is known: it is returned without figures rather than not at all.
        logger.warning("call_quality_unknown", campaign_id=campaign_id, error=reason)
        return CallQuality()

    async def close(self) -> None:
        """Close the connections."""
        await self._analytics_svc.close()
