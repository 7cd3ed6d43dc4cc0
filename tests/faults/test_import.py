"""An import is done whole and once, or not at all, whatever is killed meanwhile; and it always ends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeAlias

import aio_pika
import asyncpg
import pytest
from aio_pika.abc import AbstractChannel

from deploy.local.stack import Stack
from services.lead_svc.queues import IMPORTS
from tests.fixtures.gateway import Caller, csv_of, many_leads, phone_number
from tests.fixtures.waiting import eventually

ROWS = 600
"""More than one event's worth of leads."""

IN_THE_MIDDLE = """
SELECT count(*) FROM pg_stat_activity
WHERE application_name = 'import-worker' AND (state = 'active' OR state LIKE 'idle in transaction%')
"""

Database: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


@asynccontextmanager
async def loading_blocked(stack: Stack) -> AsyncIterator[None]:
    """While the block lasts, whoever loads leads stands still in the middle of it."""
    holder = await asyncpg.connect(stack.servers.postgres.database_url("leads"))
    try:
        await holder.execute("BEGIN; LOCK TABLE leads IN SHARE MODE")
        yield
    finally:
        holder.terminate()


async def blocked_workers(database: Database) -> set[int]:
    """The backends of workers that wait for a lock: for the table, or for another worker with the same job."""
    rows = await database.fetch(
        "SELECT pid FROM pg_stat_activity WHERE application_name = 'import-worker' AND wait_event_type = 'Lock'"
    )
    return {row["pid"] for row in rows}


def killed_and_started_again(stack: Stack, name: str) -> None:
    """Kill a process, and have the next one at once: the supervisor would wait longer each time."""
    stack.process(name).kill()
    stack.stop_process(name)
    stack.start_process(name)


async def count_leads(database: Database, caller: Caller) -> int:
    """How many leads the company has, by the table itself."""
    count: int = await database.fetchval("SELECT count(*) FROM leads WHERE company_id = $1", caller.company_id)
    return count


async def start_import(caller: Caller, rows: int = ROWS) -> str:
    """Post a file without waiting; returns the job's location."""
    campaign_id = await caller.create_campaign()
    response = await caller.import_file(many_leads(rows), campaign_id, respond_async=True)
    assert response.status_code == 202, response.text
    return response.headers["Location"]


async def assert_imported_once(caller: Caller, database: Database, location: str, rows: int = ROWS) -> None:
    """The job is completed, each lead is there once, and the other services have counted each once."""
    job = await caller.ended_job(location)
    assert (job["status"], job["imported_count"]) == ("completed", rows)
    phones = [lead["phone"] for lead in await caller.leads()]
    assert len(phones) == len(set(phones)) == rows

    async def counted() -> bool:
        stats = (await caller.get(f"/api/voice-campaigns/company/{caller.company_id}/stats")).json()
        return bool(stats["total_leads"] == rows)

    await eventually(counted, deadline=30)
    assert await database.fetchval("SELECT count(*) FROM import_files WHERE import_id = $1", job["id"]) == 0


async def test_a_worker_killed_in_the_middle_leaves_nothing_and_its_job_is_done_by_the_next(
    caller: Caller, local_stack: Stack, leads_database: Database
) -> None:
    """Fails when the worker acknowledges before its commit, or loads in more than one transaction."""
    async with loading_blocked(local_stack):
        location = await start_import(caller)
        killed = await eventually(lambda: blocked_workers(leads_database))
        local_stack.process("import-worker").kill()
        assert await count_leads(leads_database, caller) == 0

        async def the_next_worker_has_it() -> bool:
            return bool(await blocked_workers(leads_database) - killed)

        await eventually(the_next_worker_has_it, deadline=30)
    await assert_imported_once(caller, leads_database, location)


async def test_workers_killed_again_and_again_still_import_once(
    caller: Caller, local_stack: Stack, leads_database: Database
) -> None:
    """Fails when a kill counts as an error of the file too soon."""
    async with loading_blocked(local_stack):
        location = await start_import(caller)
        for _ in range(3):
            seen = await eventually(lambda: blocked_workers(leads_database), deadline=30)
            local_stack.process("import-worker").kill()

            async def the_next_worker_has_it(seen: set[int] = seen) -> bool:
                return bool(await blocked_workers(leads_database) - seen)

            await eventually(the_next_worker_has_it, deadline=30)
    await assert_imported_once(caller, leads_database, location)


async def test_many_imports_at_once_are_each_done_whole_and_once_though_their_workers_are_killed(
    caller: Caller, local_stack: Stack, leads_database: Database
) -> None:
    """Fails when a job shares anything with another, is lost with its worker, or is done by two."""
    files, kills = 20, 5
    campaign_id = await caller.create_campaign()
    async with asyncio.timeout(60):
        contents = [
            csv_of([{"phone": phone_number(1_000 * number + row)} for row in range(1_000)]) for number in range(files)
        ]
        answers = await asyncio.gather(
            *(caller.import_file(content, campaign_id, respond_async=True) for content in contents)
        )
        assert {answer.status_code for answer in answers} == {202}
        for _ in range(kills):

            async def in_the_middle_of_one() -> bool:
                busy: int = await leads_database.fetchval(IN_THE_MIDDLE)
                return busy > 0 or await count_leads(leads_database, caller) == 1_000 * files

            await eventually(in_the_middle_of_one, deadline=30)
            await asyncio.to_thread(killed_and_started_again, local_stack, "import-worker")
            halves = "SELECT import_id FROM leads WHERE company_id = $1 GROUP BY 1 HAVING count(*) <> 1000"
            assert await leads_database.fetch(halves, caller.company_id) == []
        jobs = [await caller.ended_job(answer.headers["Location"]) for answer in answers]

    assert [(job["status"], job["imported_count"]) for job in jobs] == [("completed", 1_000)] * files
    phones = [lead["phone"] for lead in await caller.leads()]
    assert sorted(phones) == [phone_number(number) for number in range(1_000 * files)]

    async def each_was_counted_once() -> bool:
        stats = (await caller.get(f"/api/voice-campaigns/company/{caller.company_id}/stats")).json()
        return bool(stats["total_leads"] == 1_000 * files)

    await eventually(each_was_counted_once, deadline=30)
    response = (await caller.get(f"/api/voice-campaigns/company/{caller.company_id}")).json()["data"]
    assert [campaign["total_leads"] for campaign in response] == [1_000 * files]


async def test_a_broker_that_is_away_delays_an_import_and_loses_nothing(
    caller: Caller, local_stack: Stack, leads_database: Database
) -> None:
    """Fails when the command is published by the request instead of the outbox."""
    campaign_id = await caller.create_campaign()
    await asyncio.to_thread(local_stack.servers.rabbitmq.stop)
    accepted = await caller.import_file(many_leads(ROWS), campaign_id, respond_async=True)
    assert accepted.status_code == 202, accepted.text
    assert (await caller.get(accepted.headers["Location"])).json()["status"] == "queued"
    await asyncio.to_thread(local_stack.servers.rabbitmq.start)
    await assert_imported_once(caller, leads_database, accepted.headers["Location"])


async def test_a_caller_who_waits_through_a_broker_restart_gets_the_leads(
    caller: Caller, local_stack: Stack, leads_database: Database
) -> None:
    """Fails when relay or worker do not reconnect by themselves."""
    campaign_id = await caller.create_campaign()
    await asyncio.to_thread(local_stack.servers.rabbitmq.stop)
    waiting = asyncio.create_task(caller.import_file(many_leads(ROWS), campaign_id))

    async def job_is_stored() -> int | None:
        query = "SELECT id FROM imports WHERE company_id = $1"
        stored: int | None = await leads_database.fetchval(query, caller.company_id)
        return stored

    import_id = await eventually(job_is_stored)
    await asyncio.to_thread(local_stack.servers.rabbitmq.start)
    response = await waiting
    assert response.status_code == 201, response.text
    assert response.json()["imported_count"] == ROWS
    location = f"/api/company/voice-leads/company/{caller.company_id}/imports/{import_id}"
    await assert_imported_once(caller, leads_database, location)


async def test_the_same_message_delivered_twice_at_once_imports_once(
    caller: Caller, local_stack: Stack, leads_database: Database, broker: AbstractChannel
) -> None:
    """Fails when neither the inbox nor the lock on the job keeps the second delivery out."""
    local_stack.stop_process("lead-events")
    location = await start_import(caller)
    message = await leads_database.fetchrow("SELECT * FROM outbox WHERE company_id = $1", caller.company_id)
    assert message is not None
    exchange = await broker.get_exchange(message["exchange"])
    async with loading_blocked(local_stack):
        for _ in range(2):
            await exchange.publish(aio_pika.Message(message["body"]), message["routing_key"])

        async def both_are_handled() -> bool:
            return len(await blocked_workers(leads_database)) == 2

        await eventually(both_are_handled)
    await caller.ended_job(location)
    # The relay now sends the message a third time.
    local_stack.start_process("lead-events")
    await assert_imported_once(caller, leads_database, location)


async def test_a_database_that_crashes_in_the_middle_leaves_all_or_nothing(
    caller: Caller, local_stack: Stack, leads_database: Database
) -> None:
    """Fails when a lost database counts against the message, or a half-done load survives."""
    worker_log = local_stack.process("import-worker").log
    async with loading_blocked(local_stack):
        location = await start_import(caller)
        await eventually(lambda: blocked_workers(leads_database))
        tries_before = worker_log.read_text().count("database_away")
        await asyncio.to_thread(local_stack.servers.postgres.kill)
        await asyncio.to_thread(local_stack.servers.postgres.stop)  # or it would be started again at once

    async def tried_more_often_than_a_message_may_fail() -> bool:
        return worker_log.read_text().count("database_away") - tries_before > IMPORTS.delivery_limit + 1

    await eventually(tried_more_often_than_a_message_may_fail, deadline=30)
    await asyncio.to_thread(local_stack.servers.postgres.start)
    after = await asyncpg.connect(local_stack.servers.postgres.database_url("leads"))
    try:
        await assert_imported_once(caller, after, location)
    finally:
        await after.close()


async def test_redis_away_slows_an_import_down_and_nothing_else(caller: Caller, local_stack: Stack) -> None:
    """Fails when worker or request cannot go on without Redis."""
    campaign_id = await caller.create_campaign()
    await asyncio.to_thread(local_stack.servers.redis.stop)
    leads = await caller.imported(many_leads(ROWS), campaign_id)
    assert len(leads) == ROWS


async def test_a_file_that_no_worker_survives_ends_its_job(
    caller: Caller, local_stack: Stack, leads_database: Database, broker: AbstractChannel
) -> None:
    """Fails when dead letters of the import queue are left lying: the job would never end."""
    local_stack.stop_process("import-worker")
    campaign_id = await caller.create_campaign()
    waiting = asyncio.create_task(caller.import_file(many_leads(3), campaign_id))
    queue = await broker.get_queue(IMPORTS.name)
    async with asyncio.timeout(30):
        for _ in range(IMPORTS.delivery_limit + 1):
            message = await next_message(queue)
            await message.reject(requeue=True)
    response = await waiting
    assert response.status_code == 500
    assert response.json() == {"message": "Error importing leads", "error": "The file could not be processed"}
    assert await count_leads(leads_database, caller) == 0


async def next_message(queue: aio_pika.abc.AbstractQueue) -> aio_pika.abc.AbstractIncomingMessage:
    """The queue's next message, once there is one."""

    async def get() -> aio_pika.abc.AbstractIncomingMessage | None:
        return await queue.get(fail=False)

    message = await eventually(get)
    if message is None:
        pytest.fail("eventually returns what is true")
    return message
