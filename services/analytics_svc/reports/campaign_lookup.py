"""Asks campaign_svc for a campaign whose events have not arrived yet."""

from decimal import Decimal
from typing import Annotated

import structlog
from fastapi import Depends, Path, Request
from pydantic import BaseModel, ConfigDict, ValidationError

from services.analytics_svc.reports import repository
from shared.database.engine import Database
from shared.http.auth import Caller, Principal
from shared.http.errors import NotFound, ServiceUnavailable
from shared.http.parameters import MAX_ID, IdInPath, StrictIntText
from shared.http.service_client import ServiceClient, ServiceClientError

ASK_SECONDS = 5.0

logger = structlog.get_logger(__name__)


class KnownCampaign(BaseModel):
    """What the reports of one campaign need of it."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    id: int
    company_id: int
    budget: Decimal | None
    cost_per_call: Decimal | None


class CampaignDirectory:
    """The campaigns that a caller can see: as the facts have them, else as campaign_svc does.

    Parameters
    ----------
    url
        Base address of campaign_svc.
    """

    def __init__(self, database: Database, url: str) -> None:
        self._database = database
        self._campaign_svc = ServiceClient(url, seconds=ASK_SECONDS)

    async def find(self, campaign_id: int, caller: Principal) -> KnownCampaign:
        """The campaign.

        Raises
        ------
        NotFound
            If there is none for the caller.
        Unavailable
            If no event has told of it yet and campaign_svc does not answer.
        """
        async with self._database.reader() as driver:
            row = await repository.campaign(driver, campaign_id)
        if row is None:
            return await self._ask(campaign_id, caller.token)
        if row["deleted"] or row["company_id"] not in caller.companies:
            raise not_found()
        return KnownCampaign.model_validate(dict(row))

    async def close(self) -> None:
        """Close the connections."""
        await self._campaign_svc.close()

    async def _ask(self, campaign_id: int, token: str) -> KnownCampaign:
        try:
            campaign = await self._campaign_svc.get(f"/api/voice-campaigns/{campaign_id}", token)
            if campaign is None:
                raise not_found()
            return KnownCampaign.model_validate_json(campaign)
        except (ServiceClientError, ValidationError) as error:
            logger.warning("campaigns_unavailable", campaign_id=campaign_id, error=repr(error))
            raise campaign_unknown_now() from error


def not_found() -> NotFound:
    """There is no such campaign for this caller."""
    return NotFound("Voice campaign not found")


def campaign_unknown_now() -> ServiceUnavailable:
    """No event has told of the campaign, and campaign_svc does not answer."""
    return ServiceUnavailable(
        "Service unavailable", "The campaign is not known here yet and cannot be asked for; try again"
    )


async def _campaign_by_id(request: Request, caller: Caller, campaign_id: IdInPath) -> KnownCampaign:
    directory: CampaignDirectory = request.app.state.campaign_directory
    return await directory.find(campaign_id, caller)


async def _campaign_of_leads(
    request: Request,
    caller: Caller,
    campaign_id: Annotated[
        int, Path(alias="campaignId", ge=1, le=MAX_ID, description="The campaign's id.", examples=[1]), StrictIntText
    ],
) -> KnownCampaign:
    return await _campaign_by_id(request, caller, campaign_id)


CampaignInPath = Annotated[KnownCampaign, Depends(_campaign_by_id)]
"""The campaign that ``{id}`` of the path names."""
CampaignOfLeadsInPath = Annotated[KnownCampaign, Depends(_campaign_of_leads)]
"""The campaign that ``{campaignId}`` of the path names."""
