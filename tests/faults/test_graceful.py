"""Every process stops soon, starts without its servers, finds them again, and reports its readiness truthfully."""

import asyncio
import os
import random
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import groupby
from typing import TypeAlias

import asyncpg
import httpx
import psutil
import pytest

from deploy.local import ports
from deploy.local.child import Child
from deploy.local.processes import PRODUCT
from deploy.local.stack import ROOT, Stack
from tests.faults.own_processes import START_SECONDS, OwnProcess, own_process, ready
from tests.fixtures.campaigns import smallest_body
from tests.fixtures.gateway import Caller, many_leads
from tests.fixtures.waiting import eventually
from tests.integration.messaging.link import Link, link_to

Database: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
Outage: TypeAlias = Callable[[Child], AbstractAsyncContextManager[None]]

NAMES = [spec.name for spec in PRODUCT.processes]
BY_SERVICE = [tuple(names) for _, names in groupby(sorted(NAMES), lambda name: name.partition("-")[0])]
SERVERS = ("postgres", "rabbitmq", "redis")
STOP_SECONDS = 10.0
"""From SIGTERM to the end of a process."""
NOTICE_SECONDS = 6.0
"""From the loss of a server to a response that reports it."""
RETURN_SECONDS = 20.0
"""From the return of a server to a process that is ready; the pauses between tries grow to 3 s."""


def needs(name: str) -> set[str]:
    """The servers without which a process is not ready; events of an API wait in its outbox for the broker."""
    return {"postgres"} if name.endswith("-api") else {"postgres", "rabbitmq"}


async def status(url: str, path: str) -> int | None:
    """What a process answers; None when it does not."""
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=10) as http:
            return (await http.get(url + path)).status_code
    except httpx.TransportError:
        return None


async def responds(url: str, path: str, expected: int, *, within: float) -> None:
    """Wait until a process answers so."""

    async def answers() -> bool:
        return await status(url, path) == expected

    await eventually(answers, deadline=within)


@pytest.mark.parametrize("names", BY_SERVICE, ids=" and ".join)
async def test_processes_start_without_servers_find_them_in_any_order_and_stop_while_they_are_silent(
    local_stack: Stack, names: Sequence[str]
) -> None:
    """Fails when a start waits for a server, when one is not looked for again, or when a stop waits for an answer."""
    # Beside each other: most of the time goes into waiting.
    async with asyncio.TaskGroup() as all_of_them:
        for name in names:
            all_of_them.create_task(start_find_and_stop(local_stack, name), name=name)


async def start_find_and_stop(stack: Stack, name: str) -> None:
    """The life of one process, on links of its own."""
    servers = stack.servers
    async with (
        link_to(stack.process(name).command.env["DATABASE_URL"]) as postgres,
        link_to(servers.rabbitmq.url) as rabbitmq,
        link_to(servers.redis.url) as redis,
    ):
        links = {"postgres": postgres, "rabbitmq": rabbitmq, "redis": redis}
        for link in links.values():
            await link.close()
        async with own_process(
            stack, name, DATABASE_URL=postgres.url, AMQP_URL=rabbitmq.url, REDIS_URL=redis.url
        ) as process:
            await responds(process.url, "/healthz", 200, within=START_SECONDS)
            assert await status(process.url, "/readyz") == 503, name
            await come_back_one_after_the_other(process, name, links)
            for link in links.values():
                link.delay_responses()
            await responds(process.url, "/readyz", 503, within=NOTICE_SECONDS)
            assert await status(process.url, "/healthz") == 200, name
            assert await process.stopped() < STOP_SECONDS, name
            for link in links.values():
                link.pass_responses()


async def come_back_one_after_the_other(process: OwnProcess, name: str, links: Mapping[str, Link]) -> None:
    """Open the links in an order of chance: the process is ready with the last that it needs, and not before."""
    missing = needs(name)
    for server in random.sample(SERVERS, len(SERVERS)):
        links[server].open()
        missing.discard(server)
        if not missing:
            await responds(process.url, "/readyz", 200, within=RETURN_SECONDS)
        else:
            assert await status(process.url, "/readyz") == 503


@asynccontextmanager
async def gone(server: Child) -> AsyncIterator[None]:
    """While the block lasts, the server is killed: its connections break."""
    await asyncio.to_thread(server.kill)
    await asyncio.to_thread(server.stop)  # or it would be started again at once
    try:
        yield
    finally:
        await asyncio.to_thread(server.start)


@asynccontextmanager
async def frozen(server: Child) -> AsyncIterator[None]:
    """While the block lasts, the server is silent: its connections stay, as with a machine that swaps."""
    assert server.pid is not None
    leader = psutil.Process(server.pid)
    family = [leader, *leader.children(recursive=True)]
    for member in family:
        os.kill(member.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for member in family:
            if member.is_running():
                os.kill(member.pid, signal.SIGCONT)


@pytest.mark.parametrize("outage", [gone, frozen], ids=["gone", "frozen"])
@pytest.mark.parametrize("server", SERVERS)
async def test_every_process_reports_when_a_server_is_away_and_is_ready_when_it_is_back(
    local_stack: Stack, server: str, outage: Outage
) -> None:
    """Fails when readiness is remembered instead of checked, or when one process does not connect again."""

    def expected(name: str) -> tuple[int, int]:
        return (200, 503 if server in needs(name) else 200)

    async def readiness(name: str) -> tuple[int | None, int | None]:
        return await status(local_stack.url(name), "/healthz"), await status(local_stack.url(name), "/readyz")

    async def all_respond(answers: Mapping[str, tuple[int, int]]) -> bool:
        now = dict(zip(NAMES, await asyncio.gather(*map(readiness, NAMES)), strict=True))
        return now == answers

    children = {child.name: child for child in local_stack.servers.children}
    async with outage(children[server]):
        await eventually(lambda: all_respond({name: expected(name) for name in NAMES}), deadline=NOTICE_SECONDS)
    await eventually(lambda: all_respond(dict.fromkeys(NAMES, (200, 200))), deadline=RETURN_SECONDS)


async def test_an_api_that_is_stopped_under_load_has_done_all_that_it_acknowledged(
    caller: Caller, local_stack: Stack
) -> None:
    """Fails when an answer leaves before its commit, or when a request under way is cut off."""
    clients = 8
    acknowledged: list[int] = []
    broken: list[str] = []
    async with own_process(local_stack, "campaign-api") as process:
        await ready(process)

        async def client(http: httpx.AsyncClient) -> None:
            while True:
                try:
                    answer = await http.post(
                        "/api/voice-campaigns", json=smallest_body(caller.company_id), headers=caller.headers
                    )
                except httpx.ConnectError:
                    return
                except httpx.TransportError as error:
                    broken.append(repr(error))
                    return
                assert answer.status_code == 201, answer.text
                acknowledged.append(answer.json()["data"]["id"])

        async def under_load() -> bool:
            return len(acknowledged) > 50

        async with httpx.AsyncClient(base_url=process.url, trust_env=False, timeout=15) as http:
            load = [asyncio.create_task(client(http)) for _ in range(clients)]
            await eventually(under_load)
            seconds = await process.stopped()
            await asyncio.gather(*load)
    assert seconds < STOP_SECONDS
    connection = await asyncpg.connect(local_stack.servers.postgres.database_url("campaigns"))
    try:
        query = "SELECT id FROM campaigns WHERE company_id = $1"
        stored = {row["id"] for row in await connection.fetch(query, caller.company_id)}
    finally:
        await connection.close()
    assert set(acknowledged) <= stored
    # A connection that is closed while a request is on its way to it breaks that request, which gets no response.
    assert len(stored) - len(acknowledged) <= len(broken)


async def test_an_api_stops_soon_though_its_requests_wait_for_a_silent_database(
    caller: Caller, local_stack: Stack
) -> None:
    """Fails when the end waits for connections to be given back: those of the requests never are."""
    database_url = local_stack.process("campaign-api").command.env["DATABASE_URL"]
    observer = await asyncpg.connect(database_url)
    async with (
        link_to(database_url) as database,
        own_process(local_stack, "campaign-api", DATABASE_URL=database.url) as process,
    ):
        await ready(process)
        async with httpx.AsyncClient(base_url=process.url, trust_env=False, headers=caller.headers) as http:
            path = f"/api/voice-campaigns/company/{caller.company_id}"
            assert (await http.get(path)).status_code == 200
            since = await observer.fetchval("SELECT clock_timestamp()")

            async def has_queried() -> bool:
                query = "SELECT 1 FROM pg_stat_activity WHERE application_name = 'campaign-api' AND query_start > $1"
                return bool(await observer.fetchval(query, since))

            database.delay_responses()
            waiting = [asyncio.create_task(http.get(path, timeout=STOP_SECONDS)) for _ in range(4)]
            await eventually(has_queried)
            assert await process.stopped() < STOP_SECONDS
            await asyncio.gather(*waiting, return_exceptions=True)
        database.pass_responses()
    await observer.close()


@asynccontextmanager
async def only_worker(stack: Stack) -> AsyncIterator[OwnProcess]:
    """While the block lasts, a worker of the test's own is the only one; afterwards the stack's is back."""
    await asyncio.to_thread(stack.stop_process, "import-worker")
    try:
        async with own_process(stack, "import-worker") as process:
            await ready(process)
            yield process
    finally:
        await asyncio.to_thread(stack.start_process, "import-worker")


@asynccontextmanager
async def loading_blocked(stack: Stack) -> AsyncIterator[None]:
    """While the block lasts, whoever loads leads stands still in the middle of it."""
    holder = await asyncpg.connect(stack.servers.postgres.database_url("leads"))
    try:
        await holder.execute("BEGIN; LOCK TABLE leads IN SHARE MODE")
        yield
    finally:
        holder.terminate()


async def start_import(caller: Caller, rows: int) -> str:
    """Post a file without waiting; returns the job's location."""
    campaign_id = await caller.create_campaign()
    response = await caller.import_file(many_leads(rows), campaign_id, respond_async=True)
    assert response.status_code == 202, response.text
    return response.headers["Location"]


async def in_the_middle(database: Database) -> bool:
    """Whether a worker waits for the lock."""
    query = (
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'import-worker' AND wait_event_type = 'Lock'"
    )
    return bool(await database.fetchval(query))


async def test_a_worker_that_is_stopped_finishes_the_import_under_way(
    caller: Caller, local_stack: Stack, leads_database: Database
) -> None:
    """Fails when a stop cuts the import off: no other worker is there to finish it."""
    async with only_worker(local_stack) as process:
        async with loading_blocked(local_stack):
            location = await start_import(caller, 600)
            await eventually(lambda: in_the_middle(leads_database))
            await process.begin_to_stop()
        assert await process.ended() in (0, -signal.SIGTERM)
        job = (await caller.get(location)).json()
        assert (job["status"], job["imported_count"]) == ("completed", 600)
    assert len(await caller.leads()) == 600


async def test_a_worker_that_is_stopped_gives_back_what_it_cannot_finish(
    caller: Caller, local_stack: Stack, leads_database: Database
) -> None:
    """Fails when the end waits for the import's, which three limits forbid: the batch's, the work's and the alarm."""
    async with only_worker(local_stack) as process, loading_blocked(local_stack):
        location = await start_import(caller, 600)
        await eventually(lambda: in_the_middle(leads_database))
        assert await process.stopped() < STOP_SECONDS
        assert (await caller.get(location)).json()["finished_at"] is None
    job = await caller.ended_job(location)
    assert (job["status"], job["imported_count"]) == ("completed", 600)
    assert len(await caller.leads()) == 600


NEVER_ENDS = """
import asyncio, sys
from contextlib import asynccontextmanager

from fastapi import FastAPI

from shared.http.app import serve
from shared.settings import ProcessSettings

@asynccontextmanager
async def lifespan(_app):
    yield
    await asyncio.Event().wait()

app = FastAPI(lifespan=lifespan)
app.get("/healthz")(lambda: "alive")
address = dict(database_url="postgresql://", amqp_url="amqp://", redis_url="redis://", port=int(sys.argv[1]))
serve(app, ProcessSettings(**address, shutdown_seconds=1))
"""


async def test_a_process_ends_whatever_its_end_waits_for() -> None:
    """Fails without the alarm."""
    port = ports.pick(())
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", NEVER_ENDS, str(port), cwd=ROOT, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        await responds(f"http://{ports.LOOPBACK}:{port}", "/healthz", 200, within=30)
        process.terminate()
        assert await asyncio.wait_for(process.wait(), STOP_SECONDS) == -signal.SIGALRM
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
