"""The rebuild of totals from the history of events, while consumers run."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from services.campaign_svc.app import MIGRATIONS, create_events_app, rebuild_totals
from services.campaign_svc.queues import TOTALS
from services.campaign_svc.settings import CampaignEventsSettings
from shared.database import engine
from shared.database.engine import Database
from shared.database.migrations import upgrade
from shared.events.envelope import EventData, compose
from shared.events.leads import LeadCallAttempted, LeadCreated, LeadDeleted
from shared.messaging import inbox
from shared.messaging.event_history import HistoryIncompleteError
from shared.messaging.rebuild import RebuildResult
from shared.messaging.topology import HISTORY_STREAM
from tests.fixtures.events import call, lead
from tests.fixtures.servers import ROOT, ServerUrls
from tests.fixtures.waiting import eventually
from tests.integration.messaging.broker import Broker, broker_at

Totals = dict[int, tuple[int, int, int]]


@dataclass(frozen=True, slots=True)
class Service:
    """``campaign-events`` with a database and a virtual host of its own."""

    servers: ServerUrls
    database_url: str
    broker: Broker

    @property
    def settings(self) -> CampaignEventsSettings:
        """The settings of its processes."""
        return CampaignEventsSettings(
            database_url=SecretStr(self.database_url),
            amqp_url=SecretStr(self.broker.url),
            redis_url=SecretStr(self.servers.redis),
        )

    def events(self) -> FastAPI:
        """Return the app of the process."""
        return create_events_app(self.settings)

    async def publish(self, *events: EventData) -> None:
        """Publish events to the bus."""
        for data in events:
            await self.broker.publish(compose(data, source="/test", company_id=1).body, routing_key=data.event_type)

    async def totals(self) -> Totals:
        """Leads, calls and successful calls by campaign."""
        connection = await asyncpg.connect(self.database_url)
        try:
            return {row[0]: tuple(row)[1:] for row in await connection.fetch("SELECT * FROM campaign_totals")}
        finally:
            await connection.close()

    async def execute(self, statement: str) -> None:
        """Execute a statement on the database, outside the service."""
        connection = await asyncpg.connect(self.database_url)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    async def reaches(self, expected: Totals) -> None:
        """Wait until the totals equal the expected ones."""

        async def reached() -> bool:
            return await self.totals() == expected

        await eventually(reached)


@pytest.fixture
async def service(servers: ServerUrls) -> AsyncIterator[Service]:
    """The service, with its queue declared and empty."""
    database_url = await servers.create_database("rebuild")
    await asyncio.to_thread(upgrade, MIGRATIONS, database_url)
    amqp_url = await servers.create_vhost("rebuild")
    async with broker_at(amqp_url) as broker:
        await broker.declare(TOTALS)
        yield Service(servers, database_url, broker)
    await servers.delete_vhost(amqp_url)
    await servers.drop_database(database_url)


def _history(campaign_id: int) -> list[EventData]:
    leads = [lead(number, campaign_id=campaign_id) for number in range(1, 4)]
    calls = [call(number, campaign_id=campaign_id, successful=number == 1) for number in range(1, 3)]
    return [LeadCreated(leads=leads), LeadCallAttempted(call_attempts=calls), LeadDeleted(leads=leads[:1])]


async def test_events_on_the_broker_become_totals(service: Service) -> None:
    app = service.events()
    transport = httpx.ASGITransport(app)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://it") as http:
        await service.publish(*_history(1), *_history(2))
        await service.reaches({1: (2, 2, 1), 2: (2, 2, 1)})
        assert (await http.get("/readyz")).json()["checks"] == {
            "database": "ok",
            "broker": "ok",
            "outbox-relay": "ok",
            "consumer campaign.totals 1": "ok",
            "housekeeping": "ok",
        }


async def test_a_rebuild_gives_the_totals_of_the_events(service: Service) -> None:
    app = service.events()
    async with app.router.lifespan_context(app):
        await service.publish(*_history(1), *_history(2))
        await service.reaches({1: (2, 2, 1), 2: (2, 2, 1)})
        await service.execute("UPDATE campaign_totals SET leads = 1000; DELETE FROM campaign_calls")

        assert await rebuild_totals(service.settings) == RebuildResult(applied=6, failed=0)
        assert await service.totals() == {1: (2, 2, 1), 2: (2, 2, 1)}

        await service.publish(*_history(3))
        await service.reaches({1: (2, 2, 1), 2: (2, 2, 1), 3: (2, 2, 1)})


async def test_an_event_that_waits_in_the_queue_is_not_counted_twice(service: Service) -> None:
    await service.publish(*_history(1))
    assert await rebuild_totals(service.settings) == RebuildResult(applied=3, failed=0)
    assert await service.broker.count(TOTALS.name) == 3

    app = service.events()
    async with app.router.lifespan_context(app):
        await service.publish(LeadCreated(leads=[lead(9, campaign_id=2)]))
        await service.reaches({1: (2, 2, 1), 2: (1, 0, 0)})
    assert await service.broker.count(TOTALS.name) == 0


async def test_events_that_come_during_a_rebuild_are_counted_once(service: Service) -> None:
    app = service.events()
    async with app.router.lifespan_context(app):
        await service.publish(*_history(1))

        async def publish_on() -> None:
            for number in range(100):
                await service.publish(LeadCreated(leads=[lead(number, campaign_id=2)]))

        rebuilds = [rebuild_totals(service.settings) for _ in range(3)]
        await asyncio.gather(publish_on(), *rebuilds)
        await service.reaches({1: (2, 2, 1), 2: (100, 0, 0)})


async def test_consumers_wait_for_a_rebuild_of_any_duration(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each wait ends at the lock timeout; the message is retried, and its delivery limit is not consumed."""
    monkeypatch.setattr(engine, "LOCK_SECONDS", 0.05)
    rebuilding = Database(service.database_url, name="rebuilding")
    app = service.events()
    async with app.router.lifespan_context(app):
        async with rebuilding.transaction() as connection:
            await inbox.reset(connection, TOTALS.name)
            await service.publish(*_history(1))
            waits = (
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND application_name = 'campaign-events' AND wait_event_type = 'Lock'"
            )

            async def waited_often() -> bool:
                return bool((await connection.exec_driver_sql(waits)).scalar())

            for _ in range(TOTALS.delivery_limit + 2):
                await eventually(waited_often)
        await service.reaches({1: (2, 2, 1)})
    await rebuilding.close()
    assert await service.broker.count(TOTALS.dead_letters) == 0


async def test_the_old_totals_are_read_until_the_rebuild_is_committed(service: Service) -> None:
    await service.publish(*_history(1))
    await rebuild_totals(service.settings)
    # The rebuild is blocked half-way by a table lock.
    blocker = await asyncpg.connect(service.database_url)
    try:
        async with blocker.transaction():
            await blocker.execute("LOCK TABLE campaign_calls IN SHARE MODE")
            rebuilding = asyncio.create_task(rebuild_totals(service.settings))

            async def is_blocked() -> bool:
                waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'campaign_calls'::regclass"
                return bool(await blocker.fetchval(waiting))

            await eventually(is_blocked)
            assert await service.totals() == {1: (2, 2, 1)}
        await rebuilding
    finally:
        await blocker.close()
    assert await service.totals() == {1: (2, 2, 1)}


async def test_an_event_that_cannot_be_applied_is_reported_and_blocks_nothing(service: Service) -> None:
    poison = compose(LeadCreated(leads=[lead(7)]), source="/test", company_id=1).body.replace(b"pending", b"sunny")
    await service.publish(LeadCreated(leads=[lead(1)]))
    await service.broker.publish(poison, b"no event", routing_key="lead.created.v1")
    await service.publish(LeadCreated(leads=[lead(2)]))
    assert await rebuild_totals(service.settings) == RebuildResult(applied=2, failed=1)
    assert await service.totals() == {1: (2, 0, 0)}


async def test_an_event_that_a_rebuild_could_not_apply_is_applied_when_it_comes_again(service: Service) -> None:
    """Fails when the claim is made outside the savepoint, so that it outlives the failed event."""
    await service.execute("ALTER TABLE campaign_totals ADD CONSTRAINT few_leads CHECK (leads < 3)")
    await service.publish(LeadCreated(leads=[lead(1)]), LeadCreated(leads=[lead(2), lead(3), lead(4)]))
    assert await rebuild_totals(service.settings) == RebuildResult(applied=1, failed=1)
    await service.execute("ALTER TABLE campaign_totals DROP CONSTRAINT few_leads")
    app = service.events()
    async with app.router.lifespan_context(app):
        await service.reaches({1: (4, 0, 0)})


async def test_a_history_without_its_beginning_is_refused(servers: ServerUrls, service: Service) -> None:
    amqp_url = await servers.create_vhost("short-history")
    vhost = urlsplit(amqp_url).path[1:]
    async with httpx.AsyncClient(base_url=servers.management, trust_env=False) as api:
        definition = {"max-length-bytes": 5_000, "stream-max-segment-size-bytes": 5_000}
        policy = {"pattern": HISTORY_STREAM, "definition": definition, "apply-to": "queues"}
        (await api.put(f"/api/policies/{vhost}/short", json=policy)).raise_for_status()
    async with broker_at(amqp_url) as broker:
        forgetful = Service(servers, service.database_url, broker)
        await forgetful.execute("INSERT INTO campaign_totals VALUES (1, 2, 3, 4)")

        async def refused() -> bool:
            await forgetful.publish(LeadCreated(leads=[lead(number) for number in range(50)]))
            try:
                await rebuild_totals(forgetful.settings)
            except HistoryIncompleteError:
                return True
            await forgetful.execute("UPDATE campaign_totals SET (leads, calls, successful_calls) = (2, 3, 4)")
            return False

        await eventually(refused)
        assert await forgetful.totals() == {1: (2, 3, 4)}
    await servers.delete_vhost(amqp_url)


async def test_the_rebuild_command_prints_its_result(service: Service) -> None:
    await service.publish(*_history(1))
    environment = {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": service.database_url,
        "AMQP_URL": service.broker.url,
        "REDIS_URL": service.servers.redis,
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.campaign_svc", "rebuild"),
        cwd=ROOT,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0
    assert "Totals rebuilt from 3 events; 0 more could not be applied" in output.decode()
    assert await service.totals() == {1: (2, 2, 1)}
