"""Import jobs: followers and undos of unfinished jobs, and the retention of failed rows."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pydantic import SecretStr

from services.import_worker.handler import run_import
from services.lead_svc.imports import progress, repository
from services.lead_svc.imports.progress import ProgressPublisher, connect_redis
from shared.database.engine import Database
from shared.events.catalogue import CATALOGUE
from shared.events.envelope import parse
from shared.events.leads import LeadDeleted
from shared.ids import ImportId
from tests.fixtures.gateway import Caller, many_leads
from tests.fixtures.lead_imports import post_file
from tests.fixtures.lead_service import NOWHERE, LeadService
from tests.fixtures.waiting import DEADLINE_SECONDS, eventually

COMPANY = 7
NO_REDIS = SecretStr(f"redis://{NOWHERE}/0")


@pytest.fixture
async def campaign_id(lead_service: LeadService) -> int:
    """A campaign that the service knows."""
    return await lead_service.knows_campaign(1, COMPANY)


@pytest.fixture
async def database(lead_service: LeadService) -> AsyncIterator[Database]:
    """The service's database."""
    database = Database(lead_service.database_url, name="tests")
    yield database
    await database.close()


async def start(caller: Caller, content: str, campaign_id: int, **options: Any) -> str:
    """Store a job; return its path."""
    response = await post_file(caller, content, campaign_id, respond_async=True, **options)
    assert response.status_code == 202, response.text
    return response.headers["Location"]


async def run(lead_service: LeadService, database: Database, location: str) -> None:
    """Run a job without its queue."""
    async with connect_redis(lead_service.redis_url) as redis, database.transaction() as connection:
        await run_import(connection, ImportId(int(location.rpartition("/")[2])), ProgressPublisher(redis))


async def undo(caller: Caller, location: str) -> tuple[int, dict[str, Any]]:
    """Status and body of the response to an undo."""
    response = await caller.gateway.http.delete(location, headers=caller.headers)
    return response.status_code, response.json()


@asynccontextmanager
async def lines_of(caller: Caller, location: str) -> AsyncIterator[AsyncIterator[str]]:
    """The lines of a job's stream of events."""
    stream = caller.gateway.http.stream("GET", f"{location}/events", headers=caller.headers)
    async with asyncio.timeout(DEADLINE_SECONDS), stream as response:
        assert response.headers["X-Accel-Buffering"] == "no"
        yield response.aiter_lines()


async def next_data(lines: AsyncIterator[str]) -> dict[str, Any]:
    """The data of the next event."""
    async for line in lines:
        if line.startswith("data: "):
            data: dict[str, Any] = json.loads(line.removeprefix("data: "))
            return data
    raise AssertionError("the stream has ended")


async def test_a_follower_receives_every_progress_and_the_end(
    lead_service: LeadService, campaign_id: int, database: Database
) -> None:
    """Fails when progress is found by polling alone."""
    redis = connect_redis(lead_service.redis_url)
    async with redis, lead_service.api(import_poll_seconds=DEADLINE_SECONDS) as api:
        caller = Caller(api, COMPANY)
        location = await start(caller, many_leads(3), campaign_id)
        import_id = int(location.rpartition("/")[2])
        async with lines_of(caller, location) as lines:
            assert (await next_data(lines))["status"] == "queued"
            await ProgressPublisher(redis).publish(
                progress.Progress(import_id=import_id, stage="loading", rows_done=1, rows_total=4)
            )
            job = await next_data(lines)
            assert (job["status"], job["progress"]["percent"]) == ("processing", 25)
            await run(lead_service, database, location)
            await ProgressPublisher(redis).publish(progress.Progress(import_id=import_id, stage="ended"))
            while job["finished_at"] is None:
                job = await next_data(lines)
            assert (job["status"], job["imported_count"]) == ("completed", 3)
            assert [line async for line in lines if line] == []


async def test_without_redis_a_follower_still_receives_the_end(
    lead_service: LeadService, campaign_id: int, database: Database
) -> None:
    async with lead_service.api(redis_url=NO_REDIS) as api:
        caller = Caller(api, COMPANY)
        location = await start(caller, many_leads(3), campaign_id)
        async with lines_of(caller, location) as lines:
            assert (await next_data(lines))["status"] == "queued"
            await run(lead_service, database, location)
            assert (await next_data(lines))["status"] == "completed"
            assert [line async for line in lines if line] == []


async def test_a_heartbeat_is_sent_while_nothing_changes(
    lead_service: LeadService, campaign_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fastapi.routing._PING_INTERVAL", 0.05)
    async with lead_service.api() as api:
        caller = Caller(api, COMPANY)
        location = await start(caller, many_leads(3), campaign_id)
        async with lines_of(caller, location) as lines:
            comments = (line async for line in lines if line.startswith(":"))
            assert await anext(comments)


async def test_a_follower_that_disconnects_frees_its_resources(lead_service: LeadService, campaign_id: int) -> None:
    async with lead_service.api() as api:
        caller = Caller(api, COMPANY)
        location = await start(caller, many_leads(3), campaign_id)
        async with lines_of(caller, location) as lines:
            await next_data(lines)

        async def no_connection_in_use() -> bool:
            query = "SELECT count(*) FROM pg_stat_activity WHERE state <> 'idle' AND application_name = 'lead-api'"
            return bool(await lead_service.value(query) == 0)

        await eventually(no_connection_in_use)
        assert (await caller.get(location)).json()["status"] == "queued"


async def test_a_job_that_has_not_ended_cannot_be_undone(
    lead_service: LeadService, campaign_id: int, database: Database
) -> None:
    not_ended = (409, {"message": "Import cannot be undone", "error": "The import has not ended yet"})
    async with lead_service.api() as api:
        caller = Caller(api, COMPANY)
        location = await start(caller, many_leads(3), campaign_id)
        assert await undo(caller, location) == not_ended
        async with database.transaction() as connection:
            await repository.lock_queued_for_update(connection, ImportId(int(location.rpartition("/")[2])))
            assert await undo(caller, location) == not_ended  # at once, although a worker has locked it
        await run(lead_service, database, location)
        assert (await undo(caller, location))[1]["deleted_count"] == 3


async def test_an_undo_emits_events_and_is_atomic(
    lead_service: LeadService, campaign_id: int, database: Database
) -> None:
    async with lead_service.api() as api:
        caller = Caller(api, COMPANY)
        location = await start(caller, many_leads(1_200), campaign_id)
        await run(lead_service, database, location)
        await lead_service.execute(
            """
            TRUNCATE outbox;
            UPDATE leads SET version = 2 WHERE id = (SELECT min(id) FROM leads);
            CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not today'; END $$;
            CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON outbox DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION refuse()
            """
        )
        assert (await undo(caller, location))[0] == 500
        assert await lead_service.value("SELECT count(*) FROM leads") == 1_200
        assert (await caller.get(location)).json()["status"] == "completed"

        await lead_service.execute("DROP TRIGGER refuse ON outbox")
        _, response = await undo(caller, location)

    [left] = await lead_service.rows("SELECT id, version FROM leads")
    assert (response["deleted_count"], response["kept_lead_ids"], left["version"]) == (1_199, [left["id"]], 2)
    events = [parse(row["body"]) for row in await lead_service.rows("SELECT body FROM outbox ORDER BY id")]
    assert [event.type for event in events] == ["lead.deleted.v1"] * 3
    emitted = [lead for event in events for lead in LeadDeleted.model_validate(event.data).leads]
    assert (len({lead.id for lead in emitted}), {lead.version for lead in emitted}) == (1_199, {2})
    assert all(CATALOGUE[event.type].model_validate(event.data) for event in events)


async def test_failed_rows_are_stored_for_a_week(
    lead_service: LeadService, campaign_id: int, database: Database
) -> None:
    async with lead_service.api() as api:
        caller = Caller(api, COMPANY)
        locations = [await start(caller, "phone\n12\n", campaign_id) for _ in range(2)]
        for location in locations:
            await run(lead_service, database, location)
        assert await lead_service.value("SELECT count(*) FROM import_files") == 0
        await lead_service.execute(
            """UPDATE import_failed_rows SET created_at = now() - CASE import_id
            WHEN (SELECT min(id) FROM imports) THEN interval '7 days 1 minute' ELSE interval '6 days 23 hours' END"""
        )
        async with database.transaction() as connection:
            assert await repository.delete_expired_failed_rows(connection) == 1

        responses = [await caller.get(f"{location}/errors", format="csv") for location in locations]
        named = [(await caller.get(f"{location}/errors")).json()["error_count"] for location in locations]

    assert [response.status_code for response in responses] == [404, 200]
    assert named == [1, 1]
