"""Generated requests are answered as the OpenAPI document of the reports describes."""

from collections.abc import Iterator, MutableMapping
from typing import Any

import pytest
import schemathesis
from anyio.from_thread import start_blocking_portal
from fastapi import FastAPI
from hypothesis import HealthCheck, settings
from schemathesis import Case, Config
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from services.analytics_svc.app import create_api_app
from services.analytics_svc.settings import AnalyticsApiSettings
from shared.database.engine import Database
from shared.events.campaigns import CampaignCreated
from shared.events.leads import LeadCallAttempted, LeadCreated
from tests.fixtures.analytics import api_settings, project_all
from tests.fixtures.campaigns import bearer, claims
from tests.fixtures.events import call, campaign, lead
from tests.fixtures.servers import ServerUrls
from tests.fixtures.serving import serving

# An app connects to nothing before it serves: its document needs settings of the right form only.
_PLACEHOLDERS = {
    "database_url": "postgresql://user@localhost/database",
    "amqp_url": "amqp://localhost",
    "redis_url": "redis://localhost",
    "jwt_secret": "no token is signed with this placeholder",
    "campaign_svc_url": "http://localhost",
}
DOCUMENT: dict[str, Any] = create_api_app(AnalyticsApiSettings.model_validate(_PLACEHOLDERS)).openapi()
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT, config=Config.from_dict({"generation": {"deterministic": True}}))
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
bounded = settings(max_examples=40, derandomize=True, suppress_health_check=list(HealthCheck))


@pytest.fixture
def address(servers: ServerUrls, analytics_url: str) -> Iterator[str]:
    """The address of the API, served by a thread of its own: the requests of schemathesis block the tests' loop."""
    # A campaign_svc that has none of the requested campaigns.
    campaigns = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    with (
        start_blocking_portal(backend_options={"use_uvloop": True}) as portal,
        portal.wrap_async_context_manager(serving(campaigns)) as campaigns_url,
        portal.wrap_async_context_manager(
            serving(create_api_app(api_settings(servers, analytics_url, campaign_svc_url=campaigns_url)))
        ) as url,
    ):
        yield url


@pytest.fixture
async def something(analytics_database: Database) -> None:
    """Facts to report on."""
    await project_all(
        analytics_database,
        CampaignCreated(campaign=campaign(1, budget=100, cost_per_call="0.50", team_members=[7])),
        LeadCreated(leads=[lead(1, source="Website", lead_score=90, assigned_to=7)]),
        LeadCallAttempted(call_attempts=[call(1, agent_id=7, quality={"accuracy": 90, "issues": ["noise"]})]),
    )


@pytest.mark.usefixtures("something")
@SCHEMA.parametrize()
@bounded
def test_any_request_is_answered_as_documented(case: Case[Any], address: str) -> None:
    known = {"id": 1, "campaignId": 1, "companyId": 1}
    # Generated ids hardly ever exist: half of the requests name existing ones.
    if isinstance(case.path_parameters, MutableMapping) and len(case.query or {}) % 2 == 0:
        case.path_parameters.update({name: known[name] for name in case.path_parameters})
    case.call_and_validate(base_url=address, headers=bearer(claims(1, 2)), checks=CHECKS)
