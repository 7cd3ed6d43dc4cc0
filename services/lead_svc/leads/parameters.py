"""Query parameters of lists of leads: filters and paging."""

from typing import Annotated, Any, Final

from fastapi import Depends, Path, Query

from services.lead_svc.domain.fields import LeadStatus
from services.lead_svc.leads.filters import LeadFilter
from services.lead_svc.values.from_json import lead_field
from shared.http.auth import CompanyInPath
from shared.http.parameters import MAX_ID, StrictIntText

MAX_PAGE_LEADS: Final = 1_000

LINK_HEADER: Final[dict[str, Any]] = {
    "Link": {
        "description": 'With `limit`: the next page, where there is one (RFC 8288, `rel="next"`).',
        "schema": {"type": "string"},
    }
}

StatusFilter = Annotated[LeadStatus | None, Query(description="Only leads with this status."), lead_field("status")]
CampaignInPath = Annotated[
    int, Path(alias="campaignId", ge=1, le=MAX_ID, description="Id of the campaign.", examples=[1]), StrictIntText
]
PriorityFilter = Annotated[int | None, Query(ge=1, le=5, description="Only leads of this priority."), StrictIntText]
PageLimit = Annotated[
    int | None,
    Query(ge=1, le=MAX_PAGE_LEADS, description="Most leads of the response; the header `Link` leads to the next."),
    StrictIntText,
]
PageCursor = Annotated[
    int | None,
    Query(ge=0, le=MAX_ID, description="Where the previous page ended, from its `Link`."),
    StrictIntText,
]


async def _company_filters(
    company_id: CompanyInPath,
    campaign_id: Annotated[
        int | None, Query(ge=1, le=MAX_ID, description="Only leads of this campaign."), StrictIntText
    ] = None,
    status: StatusFilter = None,
    assigned_to: Annotated[
        int | None, Query(ge=1, le=MAX_ID, description="Only leads assigned to this agent."), StrictIntText
    ] = None,
    cursor: PageCursor = None,
) -> LeadFilter:
    return LeadFilter((company_id,), campaign_id=campaign_id, status=status, assigned_to=assigned_to, after_id=cursor)


CompanyFilters = Annotated[LeadFilter, Depends(_company_filters)]
"""Parameter of an endpoint: leads of the company in the path, filtered by the query."""
