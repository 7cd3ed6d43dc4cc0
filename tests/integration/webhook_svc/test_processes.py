"""The processes of the service: started, stopped and killed as an operator does."""

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aio_pika
import asyncpg
import httpx
import pytest
from fastapi import Response

from shared.events.envelope import CONTENT_TYPE, EventData, compose
from shared.events.leads import LeadCreated
from shared.messaging.topology import ExchangeName, declare_exchanges
from tests.fixtures.campaigns import JWT_SECRET, bearer, claims
from tests.fixtures.events import lead
from tests.fixtures.servers import ROOT, ServerUrls
from tests.fixtures.waiting import eventually
from tests.fixtures.webhooks import Receiver

STOP_SECONDS = 10
Environment = dict[str, str]


@pytest.fixture
async def environment(servers: ServerUrls) -> AsyncIterator[Environment]:
    """Settings of every process, on a database and a virtual host of their own."""
    database_url = await servers.create_database("processes")
    amqp_url = await servers.create_vhost("processes")
    yield {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": database_url,
        "AMQP_URL": amqp_url,
        "REDIS_URL": servers.redis,
        "JWT_SECRET": JWT_SECRET,
        "LOG_FORMAT": "json",
        "WEBHOOK_ALLOW_HTTP": "true",
        "WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8",
        "WEBHOOK_ATTEMPT_SECONDS": "30",
    }
    await servers.delete_vhost(amqp_url)
    await servers.drop_database(database_url)


@dataclass(frozen=True, slots=True)
class Running:
    """A running process and a client of its HTTP port."""

    process: asyncio.subprocess.Process
    client: httpx.AsyncClient


async def _start(command: str, environment: Mapping[str, str]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "services.webhook_svc",
        command,
        cwd=ROOT,
        env=environment,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )


async def _run(command: str, environment: Mapping[str, str]) -> tuple[int | None, str]:
    process = await _start(command, environment)
    _, stderr = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode, stderr.decode()


async def _migrate(environment: Mapping[str, str]) -> None:
    status, stderr = await _run("migrate", environment)
    assert status == 0, stderr


async def _checks(client: httpx.AsyncClient) -> dict[str, str] | None:
    try:
        response = await client.get("/readyz")
    except httpx.TransportError:
        return None
    checks: dict[str, str] = response.json()["checks"]
    return checks if response.status_code == 200 else None


@asynccontextmanager
async def _serving(command: str, environment: Mapping[str, str], *, ready: bool = True) -> AsyncIterator[Running]:
    """A process that is sent SIGTERM at the end of the block unless it has ended; it must end cleanly and in time."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    process = await _start(command, {**environment, "PORT": str(port)})
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            if ready:
                await eventually(lambda: _checks(client), deadline=30)
            yield Running(process, client)
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            _, stderr = await asyncio.wait_for(process.communicate(), STOP_SECONDS)
            assert process.returncode in (0, -signal.SIGTERM), stderr.decode()
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def _subscribe(api: httpx.AsyncClient, company: int, url: str) -> dict[str, object]:
    response = await api.post(
        f"/api/webhooks/company/{company}/subscriptions",
        json={"url": url, "types": ["lead.*"]},
        headers=bearer(claims(company)),
    )
    assert response.status_code == 201, response.text
    subscription: dict[str, object] = response.json()["data"]
    return subscription


async def _publish(amqp_url: str, data: EventData, company: int, *, times: int = 1) -> str:
    message = compose(data, source="/lead-svc", company_id=company)
    async with await aio_pika.connect(amqp_url) as broker:
        channel = await broker.channel()
        exchanges = await declare_exchanges(channel)
        for _ in range(times):
            sent = aio_pika.Message(message.body, message_id=str(message.id), content_type=CONTENT_TYPE)
            await exchanges[ExchangeName.EVENTS].publish(sent, message.type)
    return str(message.id)


async def _rows(environment: Environment, query: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(environment["DATABASE_URL"])
    try:
        return list(await connection.fetch(query))
    finally:
        await connection.close()


def new_lead(company: int) -> LeadCreated:
    return LeadCreated(leads=[lead(1, company_id=company)])


async def test_an_event_on_the_broker_is_delivered_to_a_subscription_of_the_api(
    environment: Environment, receiver: Receiver
) -> None:
    await _migrate(environment)
    async with _serving("api", environment) as api, _serving("events", environment) as events:
        assert (await _checks(api.client) or {}).keys() >= {"database", "broker", "redis"}
        works = {"database", "consumer webhook.fanout 1", "deliverer", "housekeeping"}
        assert (await _checks(events.client) or {}).keys() >= works
        await _subscribe(api.client, 1, receiver.url)
        await _publish(environment["AMQP_URL"], new_lead(2), 2)
        event_id = await _publish(environment["AMQP_URL"], new_lead(1), 1, times=2)
        await receiver.wait_for_requests(1)

        async def counted() -> bool:
            figures = (await events.client.get("/metrics")).text
            return 'webhook_attempts_total{result="delivered"} 1.0' in figures

        await eventually(counted)
        assert "webhook_due 0.0" in (await events.client.get("/metrics")).text
    assert [request.event_id for request in receiver.requests] == [event_id]


async def test_the_events_process_may_start_before_its_database_is_migrated(
    environment: Environment, receiver: Receiver
) -> None:
    async with _serving("events", environment, ready=False) as events:
        await eventually(lambda: _is_alive(events.client), deadline=30)
        await _migrate(environment)
        await eventually(lambda: _checks(events.client), deadline=30)
        async with _serving("api", environment) as api:
            await _subscribe(api.client, 1, receiver.url)
        await _publish(environment["AMQP_URL"], new_lead(1), 1)
        await receiver.wait_for_requests(1)


async def _is_alive(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/healthz")).is_success
    except httpx.TransportError:
        return False


async def test_a_process_killed_before_recording_delivers_again_with_the_same_id(
    environment: Environment, receiver: Receiver
) -> None:
    await _migrate(environment)
    never = asyncio.Event()

    async def silent() -> Response:
        await never.wait()
        return Response()

    receiver.next_responders.append(silent)
    async with _serving("api", environment) as api:
        await _subscribe(api.client, 1, receiver.url)
    async with _serving("events", environment) as events:
        event_id = await _publish(environment["AMQP_URL"], new_lead(1), 1)
        await receiver.wait_for_requests(1)
        events.process.kill()
        await events.process.communicate()
    never.set()
    [delivery] = await _rows(environment, "SELECT status, claimed_by, due_at > now() AS leased FROM deliveries")
    assert (delivery["status"], delivery["claimed_by"] is not None, delivery["leased"]) == ("pending", True, True)

    async with _serving("events", environment):
        await _rows(environment, "UPDATE deliveries SET due_at = now()")
        await receiver.wait_for_requests(2)

        async def delivered() -> bool:
            return bool(await _rows(environment, "SELECT FROM deliveries WHERE status = 'delivered'"))

        await eventually(delivered)
    assert [request.event_id for request in receiver.requests] == [event_id] * 2
    assert receiver.requests[0].body == receiver.requests[1].body


async def test_a_stopped_process_releases_an_attempt_without_a_response(
    environment: Environment, receiver: Receiver
) -> None:
    await _migrate(environment)
    never = asyncio.Event()

    async def silent() -> Response:
        await never.wait()
        return Response()

    receiver.default_responder = silent
    async with _serving("api", environment) as api:
        await _subscribe(api.client, 1, receiver.url)
    async with _serving("events", environment) as events:
        await _publish(environment["AMQP_URL"], new_lead(1), 1)
        await receiver.wait_for_requests(1)
        started = time.monotonic()
        events.process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(events.process.communicate(), STOP_SECONDS)
        assert time.monotonic() - started < STOP_SECONDS
        assert events.process.returncode in (0, -signal.SIGTERM)
    never.set()
    [delivery] = await _rows(environment, "SELECT status, claimed_by, due_at <= now() AS due FROM deliveries")
    assert (delivery["status"], delivery["claimed_by"], delivery["due"]) == ("pending", None, True)


@pytest.mark.parametrize(
    ("command", "missing"),
    [("api", "DATABASE_URL"), ("api", "JWT_SECRET"), ("events", "AMQP_URL"), ("migrate", "DATABASE_URL")],
)
async def test_a_process_does_not_start_without_a_setting_and_names_it(command: str, missing: str) -> None:
    everything = {
        "DATABASE_URL": "postgresql://u:p@127.0.0.1:1/d",
        "AMQP_URL": "amqp://127.0.0.1:1",
        "REDIS_URL": "redis://127.0.0.1:1",
        "JWT_SECRET": JWT_SECRET,
    }
    environment = {name: value for name, value in everything.items() if name != missing}
    status, stderr = await _run(command, {"PATH": os.environ["PATH"], **environment})
    assert status == 2
    assert missing in stderr
