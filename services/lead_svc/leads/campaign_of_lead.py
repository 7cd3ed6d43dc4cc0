"""Transactions of requests about one lead that need the lead's campaign."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection

from services.lead_svc.campaigns.lookup import CampaignLookup
from services.lead_svc.campaigns.repository import CampaignCopy
from services.lead_svc.leads import repository
from shared.http.auth import Principal
from shared.ids import LeadId


@asynccontextmanager
async def with_campaign_of_lead(
    campaigns: CampaignLookup, caller: Principal, lead_id: LeadId
) -> AsyncIterator[tuple[AsyncConnection, CampaignCopy | None]]:
    """A transaction, and the campaign of a lead; None if the caller has no such lead.

    The transaction's first statement reads the campaign, as `CampaignLookup.with_campaign` does. No row is locked
    yet; a lead never changes its campaign, so it is also that of the lead that is locked afterwards.

    Raises
    ------
    InvalidCampaignError, CampaignUnavailableError
        As `CampaignLookup.with_campaign`.
    """
    async with campaigns.database.transaction() as connection:
        found = await repository.find_campaign(connection, lead_id, caller.companies)
        if found is None or found.campaign is not None:
            yield connection, None if found is None else found.campaign
            return
    async with campaigns.with_fetched_campaign(found.campaign_id, caller.token) as transaction:
        yield transaction
