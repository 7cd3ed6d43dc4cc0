"""The processes of the service, as an operator starts and stops them."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import aio_pika
import asyncpg
import httpx
import pytest

from shared.events.envelope import parse
from shared.messaging.topology import ExchangeName, declare_exchanges
from tests.fixtures.campaigns import JWT_SECRET, bearer, campaign_body, claims
from tests.fixtures.servers import ROOT, ServerUrls
from tests.fixtures.waiting import eventually

STOP_SECONDS = 15


@pytest.fixture
async def environment(servers: ServerUrls) -> AsyncIterator[dict[str, str]]:
    """Settings of every process, on a database and a virtual host of their own."""
    database_url = await servers.create_database("processes")
    amqp_url = await servers.create_vhost("processes")
    yield {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": database_url,
        "AMQP_URL": amqp_url,
        "REDIS_URL": servers.redis,
        "JWT_SECRET": JWT_SECRET,
        "ANALYTICS_SVC_URL": "http://127.0.0.1:9",
        "LOG_FORMAT": "json",
    }
    await servers.delete_vhost(amqp_url)
    await servers.drop_database(database_url)


async def _start(command: str, environment: Mapping[str, str]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "services.campaign_svc",
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


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


async def _answers_ready(client: httpx.AsyncClient) -> dict[str, str] | None:
    try:
        response = await client.get("/readyz")
    except httpx.TransportError:
        return None
    checks: dict[str, str] = response.json()["checks"]
    return checks if response.status_code == 200 else None


@asynccontextmanager
async def _serving(command: str, environment: Mapping[str, str]) -> AsyncIterator[httpx.AsyncClient]:
    """Run a process and stop it with SIGTERM at the end of the block: it must end by itself, without an error."""
    port = _free_port()
    process = await _start(command, {**environment, "PORT": str(port)})
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            await eventually(lambda: _answers_ready(client), deadline=30)
            yield client
        process.send_signal(signal.SIGTERM)
        _, stderr = await asyncio.wait_for(process.communicate(), STOP_SECONDS)
        assert process.returncode in (0, -signal.SIGTERM), stderr.decode()
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def test_two_concurrent_migrations_migrate_once(environment: dict[str, str]) -> None:
    ended = await asyncio.gather(*(_run("migrate", environment) for _ in range(2)))
    assert [status for status, _ in ended] == [0, 0], ended
    connection = await asyncpg.connect(environment["DATABASE_URL"])
    try:
        assert await connection.fetchval("SELECT count(*) FROM alembic_version") == 1
    finally:
        await connection.close()


async def test_the_event_of_a_created_campaign_reaches_the_broker(environment: dict[str, str]) -> None:
    status, stderr = await _run("migrate", environment)
    assert status == 0, stderr
    broker = await aio_pika.connect(environment["AMQP_URL"])
    async with broker:
        channel = await broker.channel()
        await declare_exchanges(channel)
        queue = await channel.declare_queue(exclusive=True)
        await queue.bind(ExchangeName.EVENTS, "campaign.#")
        async with _serving("api", environment) as api, _serving("events", environment) as events:
            assert await _answers_ready(api) == {"database": "ok", "broker": "ok", "redis": "ok"}
            assert await _answers_ready(events) == {
                "database": "ok",
                "broker": "ok",
                "outbox-relay": "ok",
                "consumer campaign.totals 1": "ok",
                "housekeeping": "ok",
            }
            assert (await events.get("/api/voice-campaigns")).status_code == 404
            created = await api.post("/api/voice-campaigns", json=campaign_body(1), headers=bearer(claims(1)))
            assert created.status_code == 201
            message = await eventually(lambda: queue.get(no_ack=True, fail=False))
    assert message is not None
    event = parse(message.body)
    assert event.type == message.routing_key == "campaign.created.v1"
    assert message.message_id == str(event.id)
    campaign = event.data["campaign"]
    assert isinstance(campaign, dict)
    assert campaign["id"] == created.json()["data"]["id"]


@pytest.mark.parametrize(
    ("command", "left_out"),
    [("api", "DATABASE_URL"), ("api", "JWT_SECRET"), ("events", "AMQP_URL"), ("migrate", "DATABASE_URL")],
)
async def test_a_process_without_a_setting_names_it_and_does_not_start(command: str, left_out: str) -> None:
    everything = {
        "DATABASE_URL": "postgresql://u:p@127.0.0.1:1/d",
        "AMQP_URL": "amqp://127.0.0.1:1",
        "REDIS_URL": "redis://127.0.0.1:1",
        "JWT_SECRET": JWT_SECRET,
        "ANALYTICS_SVC_URL": "http://127.0.0.1:9",
    }
    settings = {name: value for name, value in everything.items() if name != left_out}
    status, stderr = await _run(command, {"PATH": os.environ["PATH"], **settings})
    assert status == 2
    assert left_out in stderr
