"""What endpoints take from the running app to look campaigns up."""

from typing import Annotated

from fastapi import Depends, Request

from services.lead_svc.campaigns.lookup import CampaignLookup


async def _campaigns(request: Request) -> CampaignLookup:
    campaigns: CampaignLookup = request.app.state.campaigns
    return campaigns


Campaigns = Annotated[CampaignLookup, Depends(_campaigns)]
"""Parameter of an endpoint whose service needs a campaign."""
