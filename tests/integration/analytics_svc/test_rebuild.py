"""Facts and sums are rebuilt from the history of events, while reports read the former ones."""

import asyncio
from typing import Any

import asyncpg
import pytest
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncConnection

from services.analytics_svc import projection
from services.analytics_svc.app import create_api_app, create_events_app, rebuild_facts
from services.analytics_svc.settings import AnalyticsEventsSettings
from shared.events.campaigns import CampaignCreated, CampaignDeleted, CampaignUpdated
from shared.events.envelope import EventData
from shared.events.leads import (
    Assignment,
    Conversion,
    LeadAssigned,
    LeadCallAttempted,
    LeadConverted,
    LeadCreated,
    LeadDeleted,
)
from shared.events.members import Member, MemberUpdated
from shared.messaging.rebuild import RebuildResult
from tests.fixtures.analytics import all_facts, api_settings
from tests.fixtures.campaigns import bearer, claims
from tests.fixtures.events import NOON, call, campaign, lead
from tests.fixtures.servers import ServerUrls
from tests.fixtures.waiting import eventually
from tests.integration.analytics_svc.test_processes import at_work, broker, count, publish
from tests.integration.messaging.broker import Broker

__all__ = ["broker"]

STATISTICS = "/api/voice-campaigns/company/1/stats"


def history() -> list[EventData]:
    """Return events of every kind."""
    return [
        CampaignCreated(campaign=campaign(1, budget=100, cost_per_call="0.50", team_members=[7])),
        CampaignCreated(campaign=campaign(2)),
        LeadCreated(leads=[lead(number, source="Website", lead_score=90, assigned_to=7) for number in (1, 2, 3)]),
        LeadCallAttempted(
            call_attempts=[
                call(1, agent_id=7, notes="wants pricing", quality={"issues": ["noise"]}),
                call(2, lead_id=2, successful=False),
            ]
        ),
        LeadConverted(
            leads=[Conversion(**lead(1, version=2).model_dump(), conversion_value="250.50", converted_at=NOON)]
        ),
        LeadAssigned(leads=[Assignment(**lead(2, version=2, assigned_to=8).model_dump(), previous_assigned_to=7)]),
        LeadDeleted(leads=[lead(3, version=2)]),
        CampaignUpdated(campaign=campaign(1, version=2, name="Renamed", budget=80, cost_per_call="0.70")),
        CampaignDeleted(campaign=campaign(2, version=2)),
        MemberUpdated(member=Member(id=7, company_id=1, version=1, name="Grace Hopper", updated_at=NOON)),
    ]


def settings(servers: ServerUrls, broker: Broker, database_url: str) -> AnalyticsEventsSettings:
    return AnalyticsEventsSettings(
        database_url=SecretStr(database_url), amqp_url=SecretStr(broker.url), redis_url=SecretStr(servers.redis)
    )


async def project_history(servers: ServerUrls, broker: Broker, database_url: str) -> dict[str, list[Any]]:
    """Project the history as it arrives, and return the facts."""
    events = history()
    for event in events:
        await publish(broker, event)
    async with at_work(create_events_app(settings(servers, broker, database_url))):

        async def all_applied() -> bool:
            return await count(database_url, "inbox") == len(events)

        await eventually(all_applied)
    return dict(await all_facts(database_url))


async def execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def test_rebuilt_facts_equal_the_projected_ones(servers: ServerUrls, broker: Broker, analytics_url: str) -> None:
    before = await project_history(servers, broker, analytics_url)
    assert all(before[table] for table in before), "every table has something"
    await execute(
        analytics_url,
        "DELETE FROM leads WHERE id = 1; UPDATE calls_by_quarter SET calls = 77; DELETE FROM members;"
        "UPDATE campaign_words SET calls = 5; DELETE FROM leads_by_campaign_and_day",
    )
    assert await rebuild_facts(settings(servers, broker, analytics_url)) == RebuildResult(
        applied=len(history()), failed=0
    )
    assert await all_facts(analytics_url) == before


async def test_events_after_a_rebuild_are_added(servers: ServerUrls, broker: Broker, analytics_url: str) -> None:
    await project_history(servers, broker, analytics_url)
    await rebuild_facts(settings(servers, broker, analytics_url))
    async with at_work(create_events_app(settings(servers, broker, analytics_url))):
        await publish(broker, LeadCallAttempted(call_attempts=[call(3)]))

        async def added() -> bool:
            return await count(analytics_url, "calls") == 3

        await eventually(added)


async def test_reports_show_the_former_figures_until_the_rebuild_is_done(
    servers: ServerUrls, broker: Broker, analytics_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await project_history(servers, broker, analytics_url)
    cleared, go_on = asyncio.Event(), asyncio.Event()
    clear = projection.clear

    async def clear_and_wait(connection: AsyncConnection) -> None:
        await clear(connection)
        cleared.set()
        await go_on.wait()

    monkeypatch.setattr(projection, "clear", clear_and_wait)
    async with at_work(create_api_app(api_settings(servers, analytics_url))) as api:

        async def statistics() -> dict[str, Any]:
            answer: dict[str, Any] = (await api.get(STATISTICS, headers=bearer(claims(1)))).json()
            return answer

        before = await statistics()
        # A wrong figure, which the rebuild corrects: it distinguishes the former figures from the new ones.
        await execute(analytics_url, "UPDATE calls_by_campaign_and_day SET calls = 1000")
        await execute(analytics_url, "UPDATE ledgers SET mark = gen_random_uuid()")
        wrong = await statistics()
        assert wrong != before
        rebuilding = asyncio.create_task(rebuild_facts(settings(servers, broker, analytics_url)))
        await asyncio.wait_for(cleared.wait(), 30)
        assert await statistics() == wrong
        go_on.set()
        assert (await rebuilding).failed == 0
        assert await statistics() == before
