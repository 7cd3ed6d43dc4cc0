"""Cached reports are never older than the facts, and every report is computed when Redis is unavailable."""

import asyncio

from prometheus_client import REGISTRY
from pydantic import SecretStr

from services.analytics_svc.reports.cache import ReportCache
from shared.database.engine import Database
from shared.events.campaigns import CampaignCreated, CampaignDeleted
from shared.events.leads import LeadCallAttempted, LeadCreated
from shared.events.members import Member, MemberUpdated
from tests.fixtures.analytics import CAMPAIGN_REPORTS, COMPANY_REPORTS, ReportsApi, project_all, reports_api_with
from tests.fixtures.events import NOON, call, campaign, lead
from tests.fixtures.servers import ServerUrls


def answered(report: str, source: str) -> float:
    """Return how often a report was answered from a source until now."""
    return REGISTRY.get_sample_value("report_answers_total", {"report": report, "source": source}) or 0.0


async def test_a_report_is_computed_once_while_no_fact_changes(
    reports_api: ReportsApi, analytics_database: Database
) -> None:
    await project_all(analytics_database, LeadCreated(leads=[lead(1)]))
    computed, cached = answered("company_statistics", "facts"), answered("company_statistics", "cache")
    first = await reports_api.statistics(1)
    second = await reports_api.statistics(1)
    assert first.content == second.content
    assert answered("company_statistics", "facts") == computed + 1
    assert answered("company_statistics", "cache") == cached + 1
    other = await reports_api.statistics(1, time_zone="Europe/Berlin")
    assert other.status_code == 200
    assert answered("company_statistics", "facts") == computed + 2


async def test_every_change_is_in_the_next_report(reports_api: ReportsApi, analytics_database: Database) -> None:
    changes = [
        (CampaignCreated(campaign=campaign(1, budget=10)), ("total_campaigns", 1)),
        (LeadCreated(leads=[lead(1)]), ("total_leads", 1)),
        (LeadCallAttempted(call_attempts=[call(1)]), ("total_calls", 1)),
        (CampaignDeleted(campaign=campaign(1, version=2)), ("total_campaigns", 0)),
    ]
    for event, (figure, value) in changes:
        await reports_api.statistics(1)  # is cached, and must not be returned again
        await project_all(analytics_database, event)
        assert (await reports_api.statistics(1)).json()[figure] == value
    team = "/api/voice-campaigns/company/1/team-performance"
    await project_all(analytics_database, LeadCallAttempted(call_attempts=[call(2, agent_id=7)]))
    assert (await reports_api.get(team, 1)).json()["member_performance"][0]["name"] is None
    named = MemberUpdated(member=Member(id=7, company_id=1, version=1, name="Grace Hopper", updated_at=NOON))
    await project_all(analytics_database, named)
    assert (await reports_api.get(team, 1)).json()["member_performance"][0]["name"] == "Grace Hopper"


async def test_a_change_of_another_company_leaves_the_cached_reports_of_this_one(
    reports_api: ReportsApi, analytics_database: Database
) -> None:
    await project_all(analytics_database, LeadCreated(leads=[lead(1)]))
    await reports_api.statistics(1)
    await project_all(analytics_database, LeadCreated(leads=[lead(2, company_id=2)]))
    cached = answered("company_statistics", "cache")
    assert (await reports_api.statistics(1)).json()["total_leads"] == 1
    assert answered("company_statistics", "cache") == cached + 1


async def test_without_redis_every_report_is_answered(
    servers: ServerUrls, analytics_url: str, analytics_database: Database
) -> None:
    await project_all(
        analytics_database, CampaignCreated(campaign=campaign(1)), LeadCallAttempted(call_attempts=[call(1)])
    )
    unreachable = SecretStr("redis://127.0.0.1:1/0")
    async with reports_api_with(servers, analytics_url, redis_url=unreachable) as api:
        for path in (*COMPANY_REPORTS, *CAMPAIGN_REPORTS):
            response = await api.get(path.format(company=1, campaign=1), 1)
            assert response.status_code == 200, path


async def test_a_redis_that_does_not_answer_delays_one_request_and_not_the_next_ones() -> None:
    connections = 0

    async def be_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await reader.read()
        writer.close()

    silent = await asyncio.start_server(be_silent, "127.0.0.1", 0)
    cache = ReportCache(f"redis://127.0.0.1:{silent.sockets[0].getsockname()[1]}/0", pause_seconds=3600.0)
    async with silent:
        for _ in range(5):
            assert await cache.get("key") is None
            await cache.put("key", b"response")
        assert connections == 1
        await cache.close()
