"""Client of campaign_svc: a campaign as it is now, for services whose copy of it has not arrived yet."""

from decimal import Decimal
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from shared.http.service_client import ServiceClient, ServiceClientError
from shared.ids import CampaignId, CompanyId

TIMEOUT_SECONDS: Final = 5.0


class Campaign(BaseModel):
    """The fields of a campaign that other services use; other fields of a response are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    id: CampaignId
    company_id: CompanyId
    status: str
    version: int
    retry_delay_minutes: int
    max_attempts_per_lead: int
    time_zone: str
    budget: Decimal | None
    cost_per_call: Decimal | None


class CampaignClient:
    """Requests campaigns from campaign_svc.

    Parameters
    ----------
    url
        Base address of campaign_svc.
    """

    def __init__(self, url: str) -> None:
        self._service = ServiceClient(url, seconds=TIMEOUT_SECONDS)

    async def get(self, campaign_id: int, token: str) -> Campaign | None:
        """Return the campaign; None if there is none that the caller with this token may see.

        Raises
        ------
        ServiceClientError
            If campaign_svc does not answer, or not with a campaign.
        """
        body = await self._service.get(f"/api/voice-campaigns/{campaign_id}", token)
        if body is None:
            return None
        try:
            return Campaign.model_validate_json(body)
        except ValidationError as error:
            raise ServiceClientError(repr(error)) from error

    async def close(self) -> None:
        """Close the connections."""
        await self._service.close()
