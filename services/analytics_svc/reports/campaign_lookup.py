"""Finds the campaign of a report: in the facts, else in campaign_svc, whose event may not have arrived yet."""

from dataclasses import dataclass
from decimal import Decimal

import structlog

from services.analytics_svc.reports import repository
from services.analytics_svc.reports.errors import campaign_not_found, campaign_unavailable
from shared.clients.campaigns import CampaignClient
from shared.database.engine import Database
from shared.http.auth import Principal
from shared.http.service_client import ServiceClientError
from shared.ids import CampaignId, CompanyId

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ReportCampaign:
    """The campaign of a report, with the amounts that its figures need."""

    id: CampaignId
    company_id: CompanyId
    budget: Decimal | None
    cost_per_call: Decimal | None


class CampaignLookup:
    """Campaigns that a caller may see, from the facts or from campaign_svc.

    Parameters
    ----------
    client
        Requests a campaign from campaign_svc while its event has not arrived.
    """

    def __init__(self, database: Database, client: CampaignClient) -> None:
        self._database = database
        self._client = client

    async def find(self, campaign_id: CampaignId, caller: Principal) -> ReportCampaign:
        """Return the campaign.

        Raises
        ------
        NotFound
            If it does not exist for the caller, or is deleted.
        ServiceUnavailable
            If no event of it has arrived yet and campaign_svc does not answer.
        """
        async with self._database.reader() as driver:
            row = await repository.campaign(driver, campaign_id)
        if row is None:
            return await self._request(campaign_id, caller.token)
        if row.deleted or row.company_id not in caller.companies:
            raise campaign_not_found()
        return ReportCampaign(row.id, row.company_id, row.budget, row.cost_per_call)

    async def _request(self, campaign_id: CampaignId, token: str) -> ReportCampaign:
        try:
            campaign = await self._client.get(campaign_id, token)
        except ServiceClientError as error:
            logger.warning("campaigns_unavailable", campaign_id=campaign_id, error=repr(error))
            raise campaign_unavailable() from error
        if campaign is None:
            raise campaign_not_found()
        return ReportCampaign(campaign.id, campaign.company_id, campaign.budget, campaign.cost_per_call)
