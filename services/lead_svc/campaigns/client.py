"""Asks campaign_svc for a campaign whose events have not arrived yet."""

from pydantic import BaseModel, ConfigDict, ValidationError

from services.lead_svc.campaigns.repository import CampaignCopy
from shared.http.service_client import ServiceClient, ServiceClientError

ASK_SECONDS = 5.0


class CampaignsUnavailable(Exception):
    """campaign_svc did not answer, or nothing that makes sense."""


class _Answer(BaseModel):
    model_config = ConfigDict(extra="ignore")

    id: int
    company_id: int
    status: str
    version: int
    retry_delay_minutes: int
    max_attempts_per_lead: int
    time_zone: str


class CampaignDirectory:
    """The campaigns as campaign_svc has them now.

    Parameters
    ----------
    url
        Base address of campaign_svc.
    """

    def __init__(self, url: str) -> None:
        self._campaign_svc = ServiceClient(url, seconds=ASK_SECONDS)

    async def fetch(self, campaign_id: int, token: str) -> CampaignCopy | None:
        """The campaign, if the caller with this token can see it.

        Raises
        ------
        CampaignsUnavailable
            If campaign_svc gives no answer that makes sense.
        """
        try:
            campaign = await self._campaign_svc.get(f"/api/voice-campaigns/{campaign_id}", token)
            if campaign is None:
                return None
            answer = _Answer.model_validate_json(campaign)
        except (ServiceClientError, ValidationError) as error:
            raise CampaignsUnavailable(repr(error)) from error
        return CampaignCopy(**answer.model_dump(), deleted=False)

    async def close(self) -> None:
        """Close the connections."""
        await self._campaign_svc.close()
