"""Requests that need to know a campaign, of which events may not have told yet."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from fastapi import Request
from sqlalchemy.ext.asyncio import AsyncConnection

from services.lead_svc.campaigns import repository
from services.lead_svc.campaigns.directory import CampaignDirectory, CampaignsUnavailable
from services.lead_svc.leads import refusals
from services.lead_svc.leads.service import CampaignUnknown
from shared.database.engine import Database
from shared.http.auth import Principal

T = TypeVar("T")


async def knowing_its_campaign(
    request: Request, caller: Principal, work: Callable[[AsyncConnection], Awaitable[T]]
) -> T:
    """Do ``work`` in a transaction of its own; when it lacks a campaign, ask for that one and do it again.

    The other service is asked between the two: a transaction would be held open for as long as it takes.
    """
    database: Database = request.app.state.database
    directory: CampaignDirectory = request.app.state.campaign_directory
    try:
        async with database.transaction() as connection:
            return await work(connection)
    except CampaignUnknown as unknown:
        campaign_id = unknown.campaign_id
    try:
        campaign = await directory.fetch(campaign_id, caller.token)
    except CampaignsUnavailable as error:
        raise refusals.campaign_unknown_now() from error
    if campaign is None:
        raise refusals.InvalidCampaign(campaign_id)
    async with database.transaction() as connection:
        await repository.store(connection, [campaign])
        return await work(connection)
