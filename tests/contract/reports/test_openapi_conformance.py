"""Responses of the reports to requests generated from their OpenAPI document conform to the document."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI

from services.analytics_svc.app import create_api_app
from shared.database.engine import Database
from shared.events.campaigns import CampaignCreated
from shared.events.leads import LeadCallAttempted, LeadCreated
from tests.fixtures.analytics import api_settings, project_all
from tests.fixtures.campaigns import bearer, claims
from tests.fixtures.conformance import (
    Generated,
    any_requests,
    assert_documented,
    bounded,
    document_of,
    refer_to,
    served,
)
from tests.fixtures.events import call, campaign, lead
from tests.fixtures.servers import ServerUrls
from tests.fixtures.serving import serving

SCHEMA = any_requests(document_of("analytics_svc"))


@pytest.fixture
def address(servers: ServerUrls, analytics_url: str) -> Iterator[str]:
    """URL of the API; the campaign service beside it knows no campaign."""
    campaigns = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    with served(
        lambda: serving(campaigns),
        lambda url: serving(create_api_app(api_settings(servers, analytics_url, campaign_svc_url=url))),
    ) as url:
        yield url


@pytest.fixture
async def reported_data(analytics_database: Database) -> None:
    """Add a campaign, a lead and a call to report on."""
    await project_all(
        analytics_database,
        CampaignCreated(campaign=campaign(1, budget=100, cost_per_call="0.50", team_members=[7])),
        LeadCreated(leads=[lead(1, source="Website", lead_score=90, assigned_to=7)]),
        LeadCallAttempted(call_attempts=[call(1, agent_id=7, quality={"accuracy": 90, "issues": ["noise"]})]),
    )


@pytest.mark.usefixtures("reported_data")
@SCHEMA.parametrize()
@bounded(40)
def test_any_request_is_answered_as_documented(case: Generated, address: str) -> None:
    # Generated ids hardly ever exist: half of the requests refer to data that exists.
    if len(case.query or {}) % 2 == 0:
        refer_to({"id": 1, "campaignId": 1, "companyId": 1}, case.path_parameters)
    assert_documented(case, address, bearer(claims(1, 2)))
