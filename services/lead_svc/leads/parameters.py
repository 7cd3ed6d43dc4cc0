"""Query parameters of lists of leads: filters and paging."""

from typing import Annotated, Final

from fastapi import Depends, Path, Query

from services.lead_svc.domain.fields import LeadStatus
from services.lead_svc.leads.filters import LeadFilter
from services.lead_svc.values.from_json import lead_field
from shared.http.auth import CompanyInPath
from shared.http.pagination import CURSOR_DESCRIPTION, page_limit
from shared.ids import MAX_ID, CampaignId, LeadId, MemberId
from shared.schema import StrictIntText

MAX_PAGE_LEADS: Final = 1_000

StatusFilter = Annotated[LeadStatus | None, Query(description="Only leads with this status."), lead_field("status")]
LeadIdInPath = Annotated[
    LeadId, Path(alias="id", ge=1, le=MAX_ID, description="Id of the lead.", examples=[1]), StrictIntText
]
CampaignInPath = Annotated[
    CampaignId,
    Path(alias="campaignId", ge=1, le=MAX_ID, description="Id of the campaign.", examples=[1]),
    StrictIntText,
]
PriorityFilter = Annotated[int | None, Query(ge=1, le=5, description="Only leads of this priority."), StrictIntText]
AgentFilter = Annotated[
    MemberId | None, Query(ge=1, le=MAX_ID, description="Only leads assigned to this agent."), StrictIntText
]
PageLimit = Annotated[int | None, page_limit(MAX_PAGE_LEADS, "leads"), StrictIntText]
PageCursor = Annotated[LeadId | None, Query(ge=0, le=MAX_ID, description=CURSOR_DESCRIPTION), StrictIntText]


async def _company_filters(
    company_id: CompanyInPath,
    campaign_id: Annotated[
        CampaignId | None, Query(ge=1, le=MAX_ID, description="Only leads of this campaign."), StrictIntText
    ] = None,
    status: StatusFilter = None,
    assigned_to: AgentFilter = None,
    cursor: PageCursor = None,
) -> LeadFilter:
    return LeadFilter((company_id,), campaign_id=campaign_id, status=status, assigned_to=assigned_to, after_id=cursor)


CompanyFilters = Annotated[LeadFilter, Depends(_company_filters)]
"""Parameter of an endpoint: leads of the company in the path, filtered by the query."""
