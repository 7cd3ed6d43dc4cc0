"""Asks analytics_svc how good a campaign's calls were."""

import structlog
from pydantic import ValidationError

from services.campaign_svc.campaigns.schemas import CallQuality
from shared.http.service_client import ServiceClient, ServiceClientError

ASK_SECONDS = 1.0
"""How long an analytics_svc that does not answer may hold up a campaign."""

logger = structlog.get_logger(__name__)


class CallQualityReports:
    """What analytics_svc makes of the reports of calls.

    Parameters
    ----------
    url
        Base address of analytics_svc.
    """

    def __init__(self, url: str) -> None:
        self._analytics_svc = ServiceClient(url, seconds=ASK_SECONDS)

    async def of_campaign(self, campaign_id: int, token: str) -> CallQuality:
        """The figures of a campaign that the caller with this token can see; nulls while nobody can tell them."""
        try:
            figures = await self._analytics_svc.get(f"/internal/voice-campaigns/{campaign_id}/metrics", token)
            if figures is not None:
                return CallQuality.model_validate_json(figures)
            reason = "not found"
        except (ServiceClientError, ValidationError) as error:
            reason = repr(error)
        # The campaign itself is known, and is worth an answer.
        logger.warning("call_quality_unknown", campaign_id=campaign_id, error=reason)
        return CallQuality()

    async def close(self) -> None:
        """Close the connections."""
        await self._analytics_svc.close()
