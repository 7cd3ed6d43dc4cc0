"""A caller who waits for its import, while Redis or the worker is unavailable or slow."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aio_pika
import pytest
from aio_pika.abc import AbstractIncomingMessage
from pydantic import SecretStr

from services.lead_svc.imports import progress
from tests.fixtures.gateway import Caller, many_leads
from tests.fixtures.lead_service import NOWHERE, LeadService
from tests.fixtures.waiting import DEADLINE_SECONDS, eventually

COMPANY = 7
SHORT_TIMEOUTS = "socket_timeout=0.1&socket_connect_timeout=0.1"
NO_REDIS = SecretStr(f"redis://{NOWHERE}/0")


@asynccontextmanager
async def caller_of(lead_service: LeadService, **settings: Any) -> AsyncIterator[Caller]:
    """A client of ``lead-api``."""
    async with lead_service.api(**settings) as api:
        yield Caller(api, COMPANY)


@pytest.fixture
async def campaign_id(lead_service: LeadService) -> int:
    """A campaign that the service knows."""
    return await lead_service.knows_campaign(1, COMPANY)


async def test_the_leads_are_returned_and_stored(lead_service: LeadService, campaign_id: int) -> None:
    async with lead_service.events(), lead_service.worker(), caller_of(lead_service) as caller:
        leads = await caller.imported(many_leads(3), campaign_id)

        assert [lead["id"] for lead in leads] == [
            row["id"] for row in await lead_service.rows("SELECT id FROM leads ORDER BY id")
        ]
        assert await lead_service.value("SELECT status FROM imports") == "completed"
        assert await lead_service.value("SELECT count(*) FROM import_files") == 0


async def test_without_redis_the_leads_are_still_returned(lead_service: LeadService, campaign_id: int) -> None:
    async with (
        lead_service.events(redis_url=NO_REDIS),
        lead_service.worker(redis_url=NO_REDIS),
        caller_of(lead_service, redis_url=NO_REDIS, import_wait_seconds=600) as caller,
        asyncio.timeout(DEADLINE_SECONDS),
    ):
        [lead] = await caller.imported(many_leads(1), campaign_id)
        accepted = await caller.import_file(many_leads(2), campaign_id, respond_async=True)
        job = await caller.ended_job(accepted.headers["Location"])

    assert (job["status"], job["imported_count"]) == ("completed", 2)
    assert lead["phone"] == "+14150000000"


async def test_without_redis_a_queued_job_can_be_read(lead_service: LeadService, campaign_id: int) -> None:
    async with caller_of(lead_service, redis_url=NO_REDIS) as caller:
        accepted = await caller.import_file(many_leads(2), campaign_id, respond_async=True)
        job = await caller.get(accepted.headers["Location"])

    assert job.status_code == 200
    assert job.json()["status"] == "queued"
    assert job.json()["progress"] == {"rows_done": 0, "rows_total": None, "percent": 0}


async def test_a_job_has_the_published_progress(lead_service: LeadService, campaign_id: int) -> None:
    redis = progress.connect_redis(lead_service.redis_url)
    async with redis, caller_of(lead_service) as caller:
        accepted = await caller.import_file(many_leads(2), campaign_id, respond_async=True)
        location, job = accepted.headers["Location"], accepted.json()["data"]
        publisher = progress.ProgressPublisher(redis)

        async def read_after(
            stage: progress.Stage, rows_done: int, rows_total: int | None
        ) -> tuple[str, dict[str, Any]]:
            current = progress.Progress(import_id=job["id"], stage=stage, rows_done=rows_done, rows_total=rows_total)
            await publisher.publish(current)
            current_job = (await caller.get(location)).json()
            return current_job["status"], current_job["progress"]

        assert await read_after("reading", 0, None) == (
            "processing",
            {"rows_done": 0, "rows_total": None, "percent": 0},
        )
        assert await read_after("loading", 10_000, 25_000) == (
            "processing",
            {"rows_done": 10_000, "rows_total": 25_000, "percent": 40},
        )


async def test_a_redis_that_does_not_respond_delays_no_one(lead_service: LeadService, campaign_id: int) -> None:
    listening = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        listening.set()
        await reader.read(-1)
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    url = SecretStr(f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0?{SHORT_TIMEOUTS}")
    async with (
        server,
        lead_service.events(redis_url=url),
        lead_service.worker(redis_url=url),
        caller_of(lead_service, redis_url=url) as caller,
    ):
        [lead] = await caller.imported(many_leads(1), campaign_id)
        job = await caller.get(f"{caller.import_path}s/{lead['import_id']}")

    assert listening.is_set()
    assert job.json()["status"] == "completed"


async def test_a_lost_message_costs_little_time(lead_service: LeadService, campaign_id: int) -> None:
    async with (
        lead_service.events(),
        lead_service.worker(redis_url=NO_REDIS),  # which cannot publish the end
        caller_of(lead_service, import_wait_seconds=600) as caller,
        asyncio.timeout(DEADLINE_SECONDS),
    ):
        assert len(await caller.imported(many_leads(2), campaign_id)) == 2


async def test_a_job_that_takes_too_long_is_accepted_and_completed_later(
    lead_service: LeadService, campaign_id: int
) -> None:
    async with lead_service.events(), caller_of(lead_service, import_wait_seconds=0.2) as caller:
        response = await caller.import_file(many_leads(2), campaign_id)

        assert response.status_code == 202
        assert "Preference-Applied" not in response.headers
        job = response.json()["data"]
        assert response.headers["Location"] == f"{caller.import_path}s/{job['id']}"
        assert (job["status"], job["imported_count"]) == ("queued", 0)

        async with lead_service.worker():
            ended = await caller.ended_job(response.headers["Location"])
        assert (ended["status"], ended["imported_count"]) == ("completed", 2)


async def test_the_row_limit_of_a_waiting_caller_applies_after_the_wait_too(
    lead_service: LeadService, campaign_id: int
) -> None:
    async with lead_service.events(), caller_of(lead_service, import_wait_seconds=0.2) as caller:
        response = await caller.import_file(many_leads(1001), campaign_id)
        async with lead_service.worker():
            ended = await caller.ended_job(response.headers["Location"])

    assert (response.status_code, ended["status"], ended["imported_count"]) == (202, "failed", 0)


async def test_a_waiting_caller_does_not_block_others(lead_service: LeadService, campaign_id: int) -> None:
    async with lead_service.events(), caller_of(lead_service, database_pool_size=1) as caller:
        waiting = [asyncio.create_task(caller.import_file(many_leads(1), campaign_id)) for _ in range(3)]

        async def all_queued() -> bool:
            return bool(await lead_service.value("SELECT count(*) FROM imports") == 3)

        await eventually(all_queued)
        assert await caller.leads() == []
        async with lead_service.worker():
            assert [response.status_code for response in await asyncio.gather(*waiting)] == [201, 201, 201]


async def test_a_job_that_no_worker_can_process_is_aborted(lead_service: LeadService, campaign_id: int) -> None:
    async with lead_service.events(), caller_of(lead_service) as caller:
        waiting = asyncio.create_task(caller.import_file(many_leads(1), campaign_id))
        await give_up(lead_service, "lead.imports")
        response = await waiting
        [job] = await lead_service.rows("SELECT id, status FROM imports")
        current_job = (await caller.get(f"{caller.import_path}s/{job['id']}")).json()

    assert response.status_code == 500
    assert response.json() == {"message": "Error importing leads", "error": "The file could not be processed"}
    assert job["status"] == "aborted"
    assert (current_job["status"], current_job["error"]) == ("aborted", "The file could not be processed")
    assert await lead_service.value("SELECT count(*) FROM import_files") == 0


async def give_up(lead_service: LeadService, queue_name: str) -> None:
    """Make the next message of a queue a dead letter."""
    async with await aio_pika.connect(lead_service.amqp_url) as connection, connection.channel() as channel:
        queue = await channel.get_queue(queue_name, ensure=False)

        async def next_message() -> AbstractIncomingMessage | None:
            return await queue.get(fail=False)

        message = await eventually(next_message)
        assert message is not None
        await message.reject(requeue=False)
