"""What the endpoints of reports take from the running app."""

from typing import Annotated

from fastapi import Depends, Path, Request

from services.analytics_svc.reports.campaign_lookup import CampaignLookup, ReportCampaign
from services.analytics_svc.reports.service import ReportService
from shared.http.auth import Caller
from shared.http.parameters import IdInPath
from shared.ids import MAX_ID, CampaignId
from shared.schema import StrictIntText


async def _reports(request: Request) -> ReportService:
    reports: ReportService = request.app.state.reports
    return reports


async def _campaign_by_id(request: Request, caller: Caller, campaign_id: IdInPath) -> ReportCampaign:
    lookup: CampaignLookup = request.app.state.campaign_lookup
    return await lookup.find(CampaignId(campaign_id), caller)


async def _campaign_of_leads(
    request: Request,
    caller: Caller,
    campaign_id: Annotated[
        int, Path(alias="campaignId", ge=1, le=MAX_ID, description="The campaign's id.", examples=[1]), StrictIntText
    ],
) -> ReportCampaign:
    return await _campaign_by_id(request, caller, campaign_id)


Reports = Annotated[ReportService, Depends(_reports)]
"""Parameter of an endpoint: the app's report service."""
CampaignInPath = Annotated[ReportCampaign, Depends(_campaign_by_id)]
"""Parameter of an endpoint: the campaign that ``{id}`` of the path names."""
CampaignOfLeadsInPath = Annotated[ReportCampaign, Depends(_campaign_of_leads)]
"""Parameter of an endpoint: the campaign that ``{campaignId}`` of the path names."""
