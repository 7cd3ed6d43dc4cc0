"""Work that needs to know a campaign, of which events may not have told yet."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from services.lead_svc.campaigns import repository
from services.lead_svc.campaigns.client import CampaignDirectory
from services.lead_svc.campaigns.repository import CampaignCopy
from shared.database.engine import Database

T = TypeVar("T")


class CampaignUnknown(Exception):
    """No event has told of the campaign yet: the service that owns it must be asked."""

    def __init__(self, campaign_id: int) -> None:
        super().__init__(campaign_id)
        self.campaign_id = campaign_id


class NoSuchCampaign(Exception):
    """The service that owns campaigns has no such campaign for the caller."""

    def __init__(self, campaign_id: int) -> None:
        super().__init__(campaign_id)
        self.campaign_id = campaign_id


async def find_campaign(connection: AsyncConnection, campaign_id: int) -> CampaignCopy:
    """A campaign as it is known here; raises ``CampaignUnknown`` when it is not."""
    campaign = await repository.find(connection, campaign_id)
    if campaign is None:
        raise CampaignUnknown(campaign_id)
    return campaign


async def knowing_its_campaign(
    database: Database, directory: CampaignDirectory, token: str, work: Callable[[AsyncConnection], Awaitable[T]]
) -> T:
    """Do ``work`` in a transaction of its own; when it lacks a campaign, ask for that one and do it again.

    The other service is asked between the two: a transaction would be held open for as long as it takes.

    Raises
    ------
    NoSuchCampaign
        If there is no such campaign for the caller with this token.
    CampaignsUnavailable
        If that cannot be found out at the moment.
    """
    try:
        async with database.transaction() as connection:
            return await work(connection)
    except CampaignUnknown as unknown:
        campaign_id = unknown.campaign_id
    campaign = await directory.fetch(campaign_id, token)
    if campaign is None:
        raise NoSuchCampaign(campaign_id)
    async with database.transaction() as connection:
        await repository.store(connection, [campaign])
        return await work(connection)
