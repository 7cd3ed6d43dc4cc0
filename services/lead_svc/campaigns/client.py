"""Client of campaign_svc, for a campaign whose events have not arrived yet."""

from pydantic import BaseModel, ConfigDict, ValidationError

from services.lead_svc.campaigns.repository import CampaignCopy
from shared.http.service_client import ServiceClient, ServiceClientError

TIMEOUT_SECONDS = 5.0


class CampaignsUnavailable(Exception):
    """campaign_svc did not respond, or not with a campaign."""


class _Response(BaseModel):
    model_config = ConfigDict(extra="ignore")

    id: int
    company_id: int
    status: str
    version: int
    retry_delay_minutes: int
    max_attempts_per_lead: int
    time_zone: str


class CampaignDirectory:
    """Campaigns as they are in campaign_svc now.

    Parameters
    ----------
    url
        Base address of campaign_svc.
    """

    def __init__(self, url: str) -> None:
        self._campaign_svc = ServiceClient(url, seconds=TIMEOUT_SECONDS)

    async def fetch(self, campaign_id: int, token: str) -> CampaignCopy | None:
        """Return a campaign; None if the caller with this token cannot see it.

        Raises
        ------
        CampaignsUnavailable
            If campaign_svc does not respond with a campaign.
        """
        try:
            campaign = await self._campaign_svc.get(f"/api/voice-campaigns/{campaign_id}", token)
            if campaign is None:
                return None
            response = _Response.model_validate_json(campaign)
        except (ServiceClientError, ValidationError) as error:
            raise CampaignsUnavailable(repr(error)) from error
        return CampaignCopy(**response.model_dump(), deleted=False)

    async def close(self) -> None:
        """Close the connections."""
        await self._campaign_svc.close()
