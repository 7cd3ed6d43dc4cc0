"""Campaigns for requests: the local copy, or campaign_svc for a campaign whose events have not arrived yet."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from services.lead_svc.campaigns import repository
from services.lead_svc.campaigns.errors import CampaignUnavailableError, InvalidCampaignError
from services.lead_svc.campaigns.repository import CampaignCopy
from shared.clients.campaigns import CampaignClient
from shared.database.engine import Database
from shared.http.service_client import ServiceClientError
from shared.ids import CampaignId

CampaignTransaction = tuple[AsyncConnection, CampaignCopy]


@dataclass(frozen=True, slots=True)
class CampaignLookup:
    """Finds campaigns, and begins the transactions that need one."""

    database: Database
    client: CampaignClient

    @asynccontextmanager
    async def with_campaign(self, campaign_id: CampaignId, token: str) -> AsyncIterator[CampaignTransaction]:
        """A transaction, and the campaign: one of any company, deleted or not.

        The transaction's first statement reads the local copy. Only if there is none, the transaction ends, the
        campaign is requested from campaign_svc, and a second transaction begins: no transaction stays open during an
        HTTP request.

        Raises
        ------
        InvalidCampaignError
            If there is no such campaign for the caller with this token.
        CampaignUnavailableError
            If the campaign is not known here and campaign_svc does not respond.
        """
        async with self.database.transaction() as connection:
            campaign = await repository.find(connection, campaign_id)
            if campaign is not None:
                yield connection, campaign
                return
        async with self.with_fetched_campaign(campaign_id, token) as transaction:
            yield transaction

    @asynccontextmanager
    async def with_fetched_campaign(self, campaign_id: CampaignId, token: str) -> AsyncIterator[CampaignTransaction]:
        """A transaction, and a campaign of which there is no local copy: it is requested first, and then stored.

        Raises
        ------
        InvalidCampaignError, CampaignUnavailableError
            As `with_campaign`.
        """
        campaign = await self._fetch(campaign_id, token)
        async with self.database.transaction() as connection:
            await repository.store(connection, [campaign])
            # An event may have stored a newer version in the meantime, such as the campaign's deletion.
            yield connection, await repository.find(connection, campaign_id) or campaign

    async def require_campaign(self, campaign_id: CampaignId, token: str) -> CampaignCopy:
        """The campaign; raises the errors of `with_campaign`."""
        async with self.with_campaign(campaign_id, token) as (_, campaign):
            return campaign

    async def _fetch(self, campaign_id: CampaignId, token: str) -> CampaignCopy:
        try:
            campaign = await self.client.get(campaign_id, token)
        except ServiceClientError as error:
            raise CampaignUnavailableError from error
        if campaign is None:
            raise InvalidCampaignError(campaign_id)
        return CampaignCopy(
            id=campaign.id,
            company_id=campaign.company_id,
            status=campaign.status,
            version=campaign.version,
            deleted=False,
            retry_delay_minutes=campaign.retry_delay_minutes,
            max_attempts_per_lead=campaign.max_attempts_per_lead,
            time_zone=campaign.time_zone,
        )
