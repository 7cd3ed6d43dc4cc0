"""``analytics-events`` and ``analytics-api`` on a virtual host of their own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from services.analytics_svc.app import create_api_app, create_events_app
from services.analytics_svc.queues import PROJECTIONS
from services.analytics_svc.settings import AnalyticsEventsSettings
from shared.events.campaigns import CampaignCreated
from shared.events.envelope import EventData, compose
from shared.events.leads import LeadCallAttempted, LeadCreated
from tests.fixtures.analytics import api_settings, rows
from tests.fixtures.campaigns import bearer, claims
from tests.fixtures.events import call, campaign, lead
from tests.fixtures.servers import ServerUrls
from tests.fixtures.waiting import eventually
from tests.integration.messaging.broker import Broker, broker_at

NOWHERE = "127.0.0.1:1"
"""An address where nothing listens."""


@pytest.fixture
async def broker(servers: ServerUrls) -> AsyncIterator[Broker]:
    """A virtual host with the queue of the projections."""
    url = await servers.create_vhost("analytics")
    async with broker_at(url) as broker:
        await broker.declare(PROJECTIONS)
        yield broker
    await servers.delete_vhost(url)


@asynccontextmanager
async def at_work(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://it") as client:
        yield client


def events_app(servers: ServerUrls, broker: Broker, database_url: str) -> FastAPI:
    return create_events_app(
        AnalyticsEventsSettings(
            database_url=SecretStr(database_url), amqp_url=SecretStr(broker.url), redis_url=SecretStr(servers.redis)
        )
    )


async def publish(broker: Broker, data: EventData) -> None:
    await broker.publish(compose(data, source="/test", company_id=1).body, routing_key=data.event_type)


async def count(url: str, table: str) -> int:
    [row] = await rows(url, f"SELECT count(*) FROM {table}")
    return int(row[0])


async def test_events_on_the_broker_become_figures(servers: ServerUrls, broker: Broker, analytics_url: str) -> None:
    async with (
        at_work(create_api_app(api_settings(servers, analytics_url))) as api,
        at_work(events_app(servers, broker, analytics_url)) as events,
    ):
        await publish(broker, LeadCallAttempted(call_attempts=[call(1), call(2, successful=False)]))
        await publish(broker, LeadCreated(leads=[lead(1), lead(2), lead(3)]))
        await publish(broker, CampaignCreated(campaign=campaign(1, budget=100, cost_per_call="0.50")))

        async def figures() -> tuple[object, ...]:
            answer = await api.get("/api/voice-campaigns/company/1/stats", headers=bearer(claims(1)))
            names = ("total_campaigns", "total_leads", "total_calls", "total_cost", "remaining_budget")
            return tuple(answer.json()[name] for name in names)

        async def all_counted() -> bool:
            return await figures() == (1, 3, 2, 1.0, 99.0)

        await eventually(all_counted)
        ready = await events.get("/readyz")
        assert ready.json()["checks"] == {
            "database": "ok",
            "broker": "ok",
            "consumer analytics.projections 1": "ok",
            "housekeeping": "ok",
            "rollup_version_check": "ok",
        }
        assert ready.json()["lag_seconds"] == {"analytics.projections": 0.0}


async def test_an_event_that_always_fails_is_a_dead_letter_and_the_others_of_its_batch_are_projected(
    servers: ServerUrls, broker: Broker, analytics_url: str
) -> None:
    good = compose(LeadCreated(leads=[lead(1)]), source="/test", company_id=1).body
    poison = compose(LeadCreated(leads=[lead(2)]), source="/test", company_id=1).body.replace(b"pending", b"sunny")
    also_good = compose(LeadCreated(leads=[lead(3)]), source="/test", company_id=1).body
    await broker.publish(good, poison, b"no event", also_good, routing_key="lead.created.v1")
    async with at_work(events_app(servers, broker, analytics_url)):
        dead = await broker.take(PROJECTIONS.dead_letters, 2)

        async def both_projected() -> bool:
            return await count(analytics_url, "leads") == 2

        await eventually(both_projected)
    assert {message.body for message in dead} == {poison, b"no event"}
    assert await broker.count(PROJECTIONS.name) == 0


async def test_two_consumers_at_once_lose_nothing(servers: ServerUrls, broker: Broker, analytics_url: str) -> None:
    """As with two processes: prices and calls that arrive at once are applied one after the other."""
    campaigns = 150
    async with (
        at_work(events_app(servers, broker, analytics_url)),
        at_work(events_app(servers, broker, analytics_url)),
    ):
        for number in range(campaigns):
            await publish(broker, LeadCallAttempted(call_attempts=[call(number, campaign_id=number)]))
            await publish(broker, CampaignCreated(campaign=campaign(number, cost_per_call="0.50")))

        async def all_there() -> bool:
            return await count(analytics_url, "calls") == await count(analytics_url, "campaigns") == campaigns

        await eventually(all_there)
    assert await count(analytics_url, "call_facts WHERE cost IS DISTINCT FROM 0.50") == 0


async def test_the_api_is_ready_without_broker_and_redis_but_not_without_its_database(
    servers: ServerUrls, analytics_url: str
) -> None:
    lonely = api_settings(
        servers,
        analytics_url,
        amqp_url=SecretStr(f"amqp://{NOWHERE}"),
        redis_url=SecretStr(f"redis://{NOWHERE}"),
    )
    async with at_work(create_api_app(lonely)) as api:
        answer = await api.get("/readyz")
        assert answer.status_code == 200
        checks = answer.json()["checks"]
        assert checks["database"] == "ok"
        assert checks["broker"].startswith("failed")
        assert checks["redis"].startswith("failed")
        report = await api.get("/api/voice-campaigns/company/1/stats", headers=bearer(claims(1)))
        assert report.status_code == 200
    async with at_work(create_api_app(api_settings(servers, f"postgresql://u:p@{NOWHERE}/d"))) as api:
        answer = await api.get("/readyz")
        assert answer.status_code == 503
        assert answer.json()["status"] == "not ready"
        assert answer.json()["checks"]["database"].startswith("failed")
        assert (await api.get("/healthz")).json() == {"status": "alive"}
