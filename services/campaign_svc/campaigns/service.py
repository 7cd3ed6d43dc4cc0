"""What can be done with campaigns. Each change tells its event in the transaction it is made in."""

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from services.campaign_svc.campaigns import repository
from services.campaign_svc.campaigns.events import as_told
from services.campaign_svc.campaigns.schemas import CampaignBody
from services.campaign_svc.outbox import outbox
from shared.events.campaigns import CampaignCreated
from shared.http.auth import Principal
from shared.http.errors import NotFound


async def create(connection: AsyncConnection, caller: Principal, body: CampaignBody) -> RowMapping:
    """Create a campaign.

    Raises
    ------
    Forbidden
        If the caller's token does not cover the campaign's company.
    """
    caller.require_company(body.company_id)
    campaign = await repository.add(connection, body)
    await outbox.add(connection, body.company_id, CampaignCreated(campaign=as_told(campaign)))
    return campaign


async def get(connection: AsyncConnection, caller: Principal, campaign_id: int, company_id: int | None) -> RowMapping:
    """A campaign of the caller's, of this company where one is given.

    Raises
    ------
    Forbidden
        If the caller's token does not cover the company.
    NotFound
        If there is no such campaign for the caller, or it is another company's.
    """
    if company_id is not None:
        caller.require_company(company_id)
    companies = caller.companies if company_id is None else (company_id,)
    campaign = await repository.get(connection, campaign_id, companies)
    if campaign is None:
        raise NotFound("Voice campaign not found")
    return campaign
