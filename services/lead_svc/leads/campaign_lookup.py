"""Requests about leads that need to know a campaign."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from fastapi import Request
from sqlalchemy.ext.asyncio import AsyncConnection

from services.lead_svc.campaigns import lookup
from services.lead_svc.campaigns.client import CampaignsUnavailable
from services.lead_svc.campaigns.lookup import NoSuchCampaign
from services.lead_svc.leads import errors
from shared.http.auth import Principal

T = TypeVar("T")


async def knowing_its_campaign(
    request: Request, caller: Principal, work: Callable[[AsyncConnection], Awaitable[T]]
) -> T:
    """Do ``work`` in a transaction of its own, with the campaign that it lacks asked for.

    Raises
    ------
    InvalidCampaign
        If there is no such campaign for the caller.
    Unavailable
        If that cannot be found out at the moment.
    """
    state = request.app.state
    try:
        return await lookup.knowing_its_campaign(state.database, state.campaign_directory, caller.token, work)
    except NoSuchCampaign as error:
        raise errors.InvalidCampaign(error.campaign_id) from error
    except CampaignsUnavailable as error:
        raise errors.campaign_unknown_now() from error
