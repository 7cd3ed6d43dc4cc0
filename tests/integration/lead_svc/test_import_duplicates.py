"""Imports that look for duplicates: concurrent imports, and the events of updated leads."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest

from services.import_worker.handler import run_import
from services.lead_svc.imports.progress import ProgressPublisher, connect_redis
from shared.database.engine import Database
from shared.events.catalogue import CATALOGUE
from shared.events.envelope import parse
from shared.ids import ImportId
from tests.fixtures.gateway import Caller, csv_of, many_leads, phone_number
from tests.fixtures.lead_imports import post_file
from tests.fixtures.lead_service import LeadService
from tests.fixtures.waiting import eventually

COMPANY = 7
BLOCKED = """
SELECT wait_event FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'import-worker' AND wait_event_type = 'Lock' ORDER BY 1
"""


@pytest.fixture
async def campaign_id(lead_service: LeadService) -> int:
    """A campaign that the service knows."""
    return await lead_service.knows_campaign(1, COMPANY)


@asynccontextmanager
async def blocked_loading(lead_service: LeadService) -> AsyncIterator[None]:
    """Block every transaction that writes leads."""
    blocker = await asyncpg.connect(lead_service.database_url)
    try:
        await blocker.execute("BEGIN; LOCK TABLE leads IN SHARE MODE")
        yield
    finally:
        await blocker.close()


async def run(lead_service: LeadService, import_id: int) -> list[tuple[str, dict[str, Any]]]:
    """Run a job without its queue; return type and data of the events in the outbox."""
    await lead_service.execute("TRUNCATE outbox")
    database = Database(lead_service.database_url, name="tests")
    async with connect_redis(lead_service.redis_url) as redis, database.transaction() as connection:
        await run_import(connection, ImportId(import_id), ProgressPublisher(redis))
    await database.close()
    events = [parse(row["body"]) for row in await lead_service.rows("SELECT body FROM outbox ORDER BY id")]
    for event in events:
        CATALOGUE[event.type].model_validate(event.data)
    return [(event.type, event.data) for event in events]


async def stored_job(caller: Caller, content: str, campaign_id: int, **options: Any) -> int:
    """Store a job; return its id."""
    response = await post_file(caller, content, campaign_id, respond_async=True, **options)
    assert response.status_code == 202, response.text
    import_id: int = response.json()["data"]["id"]
    return import_id


@pytest.mark.parametrize(("on_duplicate", "second"), [("skip", (0, 0, 50)), ("update", (0, 50, 0))])
async def test_two_concurrent_imports_of_the_same_numbers_create_each_lead_once(
    lead_service: LeadService, campaign_id: int, on_duplicate: str, second: tuple[int, int, int]
) -> None:
    """Fails when the second looks for duplicates before the first has committed."""
    async with lead_service.events(), lead_service.worker(import_concurrency=2), lead_service.api() as api:
        caller = Caller(api, COMPANY)
        async with blocked_loading(lead_service):
            responses = [
                await post_file(caller, many_leads(50), campaign_id, respond_async=True, on_duplicate=on_duplicate)
                for _ in range(2)
            ]

            async def one_loads_and_one_waits_for_it() -> bool:
                waiting = [row["wait_event"] for row in await lead_service.rows(BLOCKED)]
                return waiting == ["advisory", "relation"]

            await eventually(one_loads_and_one_waits_for_it)
        jobs = [await caller.ended_job(response.headers["Location"]) for response in responses]

    counts = sorted(((job["imported_count"], job["updated_count"], job["skipped_count"]) for job in jobs), reverse=True)
    assert counts == [(50, 0, 0), second]
    assert await lead_service.value("SELECT count(*) FROM leads") == 50
    assert await lead_service.value("SELECT count(DISTINCT phone) FROM leads") == 50


async def test_imports_with_create_do_not_wait_for_each_other(lead_service: LeadService, campaign_id: int) -> None:
    async with lead_service.events(), lead_service.worker(import_concurrency=2), lead_service.api() as api:
        caller = Caller(api, COMPANY)
        async with blocked_loading(lead_service):
            responses = [await caller.import_file(many_leads(5), campaign_id, respond_async=True) for _ in range(2)]

            async def both_load() -> bool:
                waiting = [row["wait_event"] for row in await lead_service.rows(BLOCKED)]
                return waiting == ["relation", "relation"]

            await eventually(both_load)
        for response in responses:
            assert (await caller.ended_job(response.headers["Location"]))["imported_count"] == 5


async def test_updated_leads_are_emitted(lead_service: LeadService, campaign_id: int) -> None:
    rows = [
        {"phone": phone_number(number), "status": "pending", "assigned_to": "", "city": "Oslo"} for number in range(600)
    ]
    async with lead_service.api() as api:
        caller = Caller(api, COMPANY)
        created = await run(lead_service, await stored_job(caller, csv_of(rows), campaign_id))
        assert [kind for kind, _ in created] == ["lead.created.v1", "lead.created.v1", "import.completed.v1"]
        rows[0] |= {"status": "failed"}
        rows[1] |= {"assigned_to": "5"}
        events = await run(lead_service, await stored_job(caller, csv_of(rows), campaign_id, on_duplicate="update"))

    assert [(kind, len(data.get("leads", []))) for kind, data in events] == [
        ("lead.status_changed.v1", 1),
        ("lead.updated.v1", 500),
        ("lead.updated.v1", 100),
        ("lead.assigned.v1", 1),
        ("import.completed.v1", 0),
    ]
    [changed] = events[0][1]["leads"]
    assert (changed["phone"], changed["previous_status"], changed["status"]) == (phone_number(0), "pending", "failed")
    [assigned] = events[3][1]["leads"]
    assert (assigned["phone"], assigned["previous_assigned_to"], assigned["assigned_to"]) == (phone_number(1), None, 5)
    emitted = [*events[1][1]["leads"], *events[2][1]["leads"]]
    stored = await lead_service.rows("SELECT id, version, status FROM leads ORDER BY id")
    assert [(lead["id"], lead["version"], lead["status"]) for lead in emitted] == [tuple(row) for row in stored]
    assert {lead["version"] for lead in emitted} == {2}


async def test_a_new_status_clears_the_sub_status(lead_service: LeadService, campaign_id: int) -> None:
    async with lead_service.api() as api:
        caller = Caller(api, COMPANY)
        await run(lead_service, await stored_job(caller, many_leads(2), campaign_id))
        await lead_service.execute("UPDATE leads SET status = 'in_progress', sub_status = 'on hold'")
        rows = [
            {"phone": phone_number(0), "status": "in_progress", "city": "Oslo"},
            {"phone": phone_number(1), "status": "failed", "city": "Oslo"},
        ]
        await run(lead_service, await stored_job(caller, csv_of(rows), campaign_id, on_duplicate="update"))

    stored = await lead_service.rows("SELECT status, sub_status FROM leads ORDER BY phone")
    assert [tuple(row) for row in stored] == [("in_progress", "on hold"), ("failed", None)]


async def test_a_dry_run_emits_no_events(lead_service: LeadService, campaign_id: int) -> None:
    async with lead_service.api() as api:
        caller = Caller(api, COMPANY)
        for content in (many_leads(3), "phone\n12\n"):
            job = await stored_job(caller, content, campaign_id, dry_run="true", on_duplicate="update")
            assert await run(lead_service, job) == []

    assert await lead_service.value("SELECT count(*) FROM leads") == 0
    assert await lead_service.value("SELECT count(*) FROM import_files") == 0


async def test_the_completed_event_has_the_number_of_errors(lead_service: LeadService, campaign_id: int) -> None:
    async with lead_service.api() as api:
        job = await stored_job(
            Caller(api, COMPANY), f"phone\n12\n{phone_number(1)}\n13\n", campaign_id, on_error="skip"
        )
        (created, leads), (ended, data) = await run(lead_service, job)

    assert (created, [lead["phone"] for lead in leads["leads"]]) == ("lead.created.v1", [phone_number(1)])
    assert (ended, data["job"]["imported_count"], data["job"]["error_count"]) == ("import.completed.v1", 1, 2)


async def test_many_leads_are_updated_in_one_statement(lead_service: LeadService, campaign_id: int) -> None:
    """Fails when each lead costs a statement, or when the parts of a large file overlap."""
    async with lead_service.api() as api, asyncio.timeout(60):
        caller = Caller(api, COMPANY)
        await run(lead_service, await stored_job(caller, many_leads(12_000), campaign_id))
        rows = [{"phone": phone_number(number), "notes": f"n{number}"} for number in range(11_999, -1, -1)]
        await run(lead_service, await stored_job(caller, csv_of(rows), campaign_id, on_duplicate="update"))

    expected = "SELECT count(*) FROM leads WHERE version = 2 AND notes = 'n' || ltrim(right(phone, 7), '0')"
    assert await lead_service.value(expected) == 11_999  # number 0 has no digit left


async def test_a_number_that_an_update_blacklists_goes_on_the_do_not_call_list(
    lead_service: LeadService, campaign_id: int
) -> None:
    """Fails when leads are blacklisted without an entry of the do-not-call list, or emitted twice."""
    async with lead_service.api() as api:
        caller = Caller(api, COMPANY)
        await run(lead_service, await stored_job(caller, many_leads(2), campaign_id))
        content = csv_of([{"phone": phone_number(1), "status": "blacklisted"}])
        events = await run(lead_service, await stored_job(caller, content, campaign_id, on_duplicate="update"))

    listed = await lead_service.rows("SELECT company_id, phone FROM do_not_call")
    assert [tuple(row) for row in listed] == [(COMPANY, phone_number(1))]
    kinds = [kind for kind, _ in events]
    assert kinds == ["lead.status_changed.v1", "lead.updated.v1", "import.completed.v1"]
    assert await lead_service.value("SELECT max(version) FROM leads") == 2
