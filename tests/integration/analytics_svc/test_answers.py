"""Answers that are kept: never older than the facts, and made all the same when Redis is away."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request
from prometheus_client import REGISTRY
from pydantic import SecretStr
from starlette.responses import JSONResponse, Response

from services.analytics_svc.app import create_api_app
from services.analytics_svc.reports import cache
from shared.database.engine import Database
from shared.events.campaigns import CampaignCreated, CampaignDeleted
from shared.events.leads import LeadCallAttempted, LeadCreated
from shared.events.members import Member, MemberUpdated
from tests.fixtures.analytics import ReportsApi, api_settings, project_all
from tests.fixtures.campaigns import bearer, claims
from tests.fixtures.events import NOON, call, campaign, lead
from tests.fixtures.servers import ServerUrls
from tests.fixtures.serving import serving

COMPANY_REPORTS = [
    "/api/voice-campaigns/company/{company}/stats",
    "/api/voice-campaigns/company/{company}/performance",
    "/api/voice-campaigns/company/{company}/team-performance",
    "/api/voice-campaigns/company/{company}/cost-analysis",
    "/api/voice-campaigns/company/{company}/quality-metrics",
    "/api/voice-leads/company/{company}/analytics",
    "/api/voice-leads/company/{company}/quality-report",
    "/api/voice-leads/company/{company}/assignment-stats",
    "/api/voice-leads/company/{company}/conversion-analysis",
]
CAMPAIGN_REPORTS = [
    "/api/voice-campaigns/{campaign}/stats",
    "/internal/voice-campaigns/{campaign}/metrics",
    "/api/voice-leads/campaign/{campaign}/stats",
]
STATISTICS = COMPANY_REPORTS[0]


def documented_response(report: str, source: str) -> float:
    """How often a report was answered from there, so far."""
    return REGISTRY.get_sample_value("report_answers_total", {"report": report, "source": source}) or 0.0


@asynccontextmanager
async def api_at_work(servers: ServerUrls, url: str, **changes: Any) -> AsyncIterator[ReportsApi]:
    app = create_api_app(api_settings(servers, url, **changes))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://analytics") as client,
    ):
        yield ReportsApi(client)


async def test_an_answer_is_made_once_while_nothing_changes(
    reports_api: ReportsApi, analytics_database: Database
) -> None:
    await project_all(analytics_database, LeadCreated(leads=[lead(1)]))
    made, kept = documented_response("company_statistics", "facts"), documented_response("company_statistics", "cache")
    first = await reports_api.statistics(1)
    second = await reports_api.statistics(1)
    assert first.content == second.content
    assert documented_response("company_statistics", "facts") == made + 1
    assert documented_response("company_statistics", "cache") == kept + 1
    other = await reports_api.statistics(1, time_zone="Europe/Berlin")
    assert other.status_code == 200
    assert documented_response("company_statistics", "facts") == made + 2


async def test_every_change_shows_at_once(reports_api: ReportsApi, analytics_database: Database) -> None:
    changes = [
        (CampaignCreated(campaign=campaign(1, budget=10)), ("total_campaigns", 1)),
        (LeadCreated(leads=[lead(1)]), ("total_leads", 1)),
        (LeadCallAttempted(call_attempts=[call(1)]), ("total_calls", 1)),
        (CampaignDeleted(campaign=campaign(1, version=2)), ("total_campaigns", 0)),
    ]
    for event, (figure, value) in changes:
        await reports_api.statistics(1)  # is kept, and must not be shown again
        await project_all(analytics_database, event)
        assert (await reports_api.statistics(1)).json()[figure] == value
    team = "/api/voice-campaigns/company/1/team-performance"
    await project_all(analytics_database, LeadCallAttempted(call_attempts=[call(2, agent_id=7)]))
    assert (await reports_api.get(team, 1)).json()["member_performance"][0]["name"] is None
    named = MemberUpdated(member=Member(id=7, company_id=1, version=1, name="Grace Hopper", updated_at=NOON))
    await project_all(analytics_database, named)
    assert (await reports_api.get(team, 1)).json()["member_performance"][0]["name"] == "Grace Hopper"


async def test_a_change_of_another_company_leaves_the_answers_of_this_one(
    reports_api: ReportsApi, analytics_database: Database
) -> None:
    await project_all(analytics_database, LeadCreated(leads=[lead(1)]))
    await reports_api.statistics(1)
    await project_all(analytics_database, LeadCreated(leads=[lead(2, company_id=2)]))
    kept = documented_response("company_statistics", "cache")
    assert (await reports_api.statistics(1)).json()["total_leads"] == 1
    assert documented_response("company_statistics", "cache") == kept + 1


async def test_without_redis_every_report_is_answered(
    servers: ServerUrls, analytics_url: str, analytics_database: Database
) -> None:
    await project_all(
        analytics_database, CampaignCreated(campaign=campaign(1)), LeadCallAttempted(call_attempts=[call(1)])
    )
    nowhere = SecretStr("redis://127.0.0.1:1/0")
    async with api_at_work(servers, analytics_url, redis_url=nowhere) as api:
        for path in (*COMPANY_REPORTS, *CAMPAIGN_REPORTS):
            answer = await api.get(path.format(company=1, campaign=1), 1)
            assert answer.status_code == 200, path


async def test_a_redis_that_does_not_answer_is_left_alone_for_a_while(
    servers: ServerUrls, analytics_url: str, analytics_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await project_all(analytics_database, LeadCreated(leads=[lead(1)]))
    monkeypatch.setattr(cache, "PAUSE_SECONDS", 3600.0)
    connections = 0

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await reader.read()
        writer.close()

    mute = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    port = mute.sockets[0].getsockname()[1]
    async with mute, api_at_work(servers, analytics_url, redis_url=SecretStr(f"redis://127.0.0.1:{port}/0")) as api:
        for _ in range(5):
            assert (await api.statistics(1)).json()["total_leads"] == 1
    assert connections == 1


@pytest.mark.parametrize("path", COMPANY_REPORTS)
async def test_reports_of_another_company_are_forbidden(reports_api: ReportsApi, path: str) -> None:
    assert (await reports_api.get(path.format(company=1), 2)).status_code == 403


@pytest.mark.parametrize("path", CAMPAIGN_REPORTS)
async def test_reports_of_another_companys_campaign_are_not_found(
    reports_api: ReportsApi, analytics_database: Database, path: str
) -> None:
    await project_all(analytics_database, CampaignCreated(campaign=campaign(1)))
    assert (await reports_api.get(path.format(campaign=1), 1)).status_code == 200
    answer = await reports_api.get(path.format(campaign=1), 2)
    assert (answer.status_code, answer.json()["message"]) == (404, "Voice campaign not found")


@pytest.mark.parametrize("path", CAMPAIGN_REPORTS)
async def test_reports_of_a_deleted_campaign_are_not_found(
    reports_api: ReportsApi, analytics_database: Database, path: str
) -> None:
    await project_all(analytics_database, CampaignDeleted(campaign=campaign(1, version=2)))
    assert (await reports_api.get(path.format(campaign=1), 1)).status_code == 404


@pytest.mark.parametrize("path", [*COMPANY_REPORTS, *CAMPAIGN_REPORTS])
async def test_reports_are_for_callers_with_a_token(reports_api: ReportsApi, path: str) -> None:
    answer = await reports_api.client.get(path.format(company=1, campaign=1))
    assert answer.status_code == 401
    assert answer.json() == {
        "message": "Authentication required",
        "error": "No valid authentication token provided",
    }


@pytest.mark.parametrize("path", CAMPAIGN_REPORTS)
async def test_a_campaign_of_which_no_event_has_told_yet_is_asked_for(
    servers: ServerUrls, analytics_url: str, path: str
) -> None:
    campaigns = FastAPI()

    @campaigns.get("/api/voice-campaigns/{number}")
    async def tell(request: Request, number: int) -> Response:
        assert request.headers["Authorization"] == bearer_of_test["Authorization"]
        if number == 1:
            return JSONResponse({"id": 1, "company_id": 1, "budget": 80.5, "cost_per_call": None, "name": "New"})
        return JSONResponse({"message": "Voice campaign not found"}, 404)

    bearer_of_test = bearer(claims(1))
    async with serving(campaigns) as url, api_at_work(servers, analytics_url, campaign_svc_url=url) as api:
        known = await api.client.get(path.format(campaign=1), headers=bearer_of_test)
        assert known.status_code == 200
        if path == CAMPAIGN_REPORTS[0]:
            assert known.json()["budget"] == known.json()["remaining_budget"] == 80.5
        unknown = await api.client.get(path.format(campaign=2), headers=bearer_of_test)
        assert (unknown.status_code, unknown.json()["message"]) == (404, "Voice campaign not found")


async def test_while_nobody_knows_a_campaign_and_nobody_can_be_asked_it_is_unavailable(reports_api: ReportsApi) -> None:
    answer = await reports_api.get("/api/voice-campaigns/1/stats", 1)
    assert answer.status_code == 503
    assert answer.json()["message"] == "Service unavailable"


@pytest.mark.parametrize("number", ["0", "abc", "9" * 19])
async def test_what_is_no_id_of_a_campaign_is_refused(reports_api: ReportsApi, number: str) -> None:
    for path in CAMPAIGN_REPORTS:
        answer = await reports_api.get(path.format(campaign=number), 1)
        assert answer.status_code == 400
