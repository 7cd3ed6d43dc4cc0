"""Concurrent deliveries: limits per subscription, leases, and the end of a process."""

import asyncio
import time
from uuid import UUID

import pytest
from fastapi import Response
from sqlalchemy.ext.asyncio import AsyncConnection
from structlog.testing import capture_logs

from services.webhook_svc.sending import repository
from services.webhook_svc.sending.attempt import Outcome
from services.webhook_svc.sending.deliverer import LEASE_MARGIN, Timings
from services.webhook_svc.sending.delivery_policy import decide
from shared.database.engine import Database
from shared.events.leads import LeadCreated
from tests.fixtures.events import lead
from tests.fixtures.waiting import eventually
from tests.fixtures.webhooks import Receiver, WebhookApi, consume, running_deliverer, running_receiver


def leads(company: int, number: int) -> list[LeadCreated]:
    return [LeadCreated(leads=[lead(n + 1, company_id=company)]) for n in range(number)]


class Gate:
    """Delays responses until it is opened."""

    def __init__(self) -> None:
        self._open = asyncio.Event()

    async def respond(self) -> Response:
        await self._open.wait()
        return Response()

    def open(self) -> None:
        self._open.set()


async def test_a_slow_receiver_does_not_delay_others(
    webhook_api: WebhookApi, webhooks_database: Database, receiver: Receiver, company: int
) -> None:
    gate = Gate()
    receiver.default_responder = gate.respond
    async with running_receiver() as quick:
        await webhook_api.subscribe(company, receiver.url)
        served = await webhook_api.subscribe(company, quick.url)
        await consume(webhooks_database, *leads(company, 30))
        async with running_deliverer(
            webhooks_database, concurrency=8, concurrency_per_subscription=3, attempt_seconds=30
        ):
            await webhook_api.wait_for_statuses(served, *["delivered"] * 30)
            assert (len(receiver.requests), receiver.max_in_progress) == (3, 3)
            gate.open()
            await receiver.wait_for_requests(30)
        assert receiver.max_in_progress == 3


async def test_the_limit_per_subscription_covers_all_processes_together(
    webhook_api: WebhookApi, webhooks_database: Database, receiver: Receiver, company: int
) -> None:
    gate = Gate()
    receiver.default_responder = gate.respond
    subscription = await webhook_api.subscribe(company, receiver.url)
    await consume(webhooks_database, *leads(company, 20))
    async with (
        running_deliverer(webhooks_database, concurrency_per_subscription=2) as first,
        running_deliverer(webhooks_database, concurrency_per_subscription=2) as second,
    ):
        await receiver.wait_for_requests(2)
        for _ in range(5):
            await first.notify()
            await second.notify()
            async with webhooks_database.transaction() as connection:
                claimed = await repository.claim(
                    connection, UUID(int=1), limit=20, limit_per_subscription=2, lease=LEASE_MARGIN
                )
            assert claimed == []
        gate.open()
        await webhook_api.wait_for_statuses(subscription, *["delivered"] * 20)
    assert receiver.max_in_progress == 2
    assert len(receiver.requests) == 20


async def test_a_failing_subscription_gets_one_attempt_at_a_time(
    webhook_api: WebhookApi, webhooks_database: Database, receiver: Receiver, company: int
) -> None:
    gate = Gate()
    receiver.default_responder = gate.respond
    subscription = await webhook_api.subscribe(company, receiver.url)
    await webhook_api.rows("UPDATE subscriptions SET failures = 3, failing_since = now()")
    await consume(webhooks_database, *leads(company, 8))
    async with running_deliverer(webhooks_database):
        await receiver.wait_for_requests(1)
        assert len(await webhook_api.rows("SELECT FROM deliveries WHERE claimed_by IS NOT NULL")) == 1
        async with webhooks_database.transaction() as connection:
            claimed = await repository.claim(
                connection, UUID(int=1), limit=9, limit_per_subscription=4, lease=LEASE_MARGIN
            )
        assert claimed == []
        gate.open()
        await webhook_api.wait_for_statuses(subscription, *["delivered"] * 8)
    assert (await webhook_api.read(subscription))["failing_since"] is None


async def test_a_stop_waits_for_attempts_that_end_soon(
    webhook_api: WebhookApi, webhooks_database: Database, receiver: Receiver, company: int
) -> None:
    gate = Gate()
    receiver.default_responder = gate.respond
    subscription = await webhook_api.subscribe(company, receiver.url)
    await consume(webhooks_database, *leads(company, 2))
    async with running_deliverer(webhooks_database):
        await receiver.wait_for_requests(2)
        asyncio.get_running_loop().call_later(0.2, gate.open)
    assert [delivery["status"] for delivery in await webhook_api.log(subscription)] == ["delivered", "delivered"]


async def test_a_stop_releases_attempts_that_take_too_long(
    webhook_api: WebhookApi,
    webhooks_database: Database,
    receiver: Receiver,
    company: int,
) -> None:
    gate = Gate()
    receiver.default_responder = gate.respond
    subscription = await webhook_api.subscribe(company, receiver.url)
    await consume(webhooks_database, *leads(company, 2))
    started = time.monotonic()
    async with running_deliverer(webhooks_database, attempt_seconds=30, timings=Timings(drain=0.1)):
        await receiver.wait_for_requests(2)
    assert time.monotonic() - started < 10
    [row] = await webhook_api.rows(
        "SELECT count(*) AS free FROM deliveries WHERE claimed_by IS NULL AND due_at <= now() AND status = 'pending'"
    )
    assert row["free"] == 2
    gate.open()
    async with running_deliverer(webhooks_database):
        await webhook_api.wait_for_statuses(subscription, "delivered", "delivered")
    ids = [request.event_id for request in receiver.requests]
    assert sorted(ids[:2]) == sorted(ids[2:])


async def test_no_other_process_sends_a_delivery_before_its_lease_ends(
    webhook_api: WebhookApi, webhooks_database: Database, receiver: Receiver, company: int
) -> None:
    """The process that claimed it may have died in the middle of an attempt."""
    subscription = await webhook_api.subscribe(company, receiver.url)
    await consume(webhooks_database, *leads(company, 1))
    async with webhooks_database.transaction() as connection:
        [lost] = await repository.claim(connection, UUID(int=1), limit=9, limit_per_subscription=4, lease=LEASE_MARGIN)
    [delivery] = await webhook_api.log(subscription)
    assert (delivery["status"], delivery["next_attempt_at"]) == ("pending", None)
    rejected = await webhook_api.send("POST", company, f"/{subscription['id']}/deliveries/{lost.id}/redeliver")
    assert rejected.status_code == 409
    assert rejected.json()["message"] == "Delivery is under way"
    async with running_deliverer(webhooks_database) as deliverer:
        await deliverer.notify()
        assert receiver.requests == []
        await webhook_api.make_due()
        await webhook_api.wait_for_statuses(subscription, "delivered")
    [request] = receiver.requests
    assert request.event_id == str(lost.message.event_id)


async def test_an_outcome_recorded_after_its_lease_does_not_change_a_later_one(
    webhook_api: WebhookApi, webhooks_database: Database, receiver: Receiver, company: int
) -> None:
    subscription = await webhook_api.subscribe(company, receiver.url)
    await consume(webhooks_database, *leads(company, 1))
    async with webhooks_database.transaction() as connection:
        [late] = await repository.claim(connection, UUID(int=1), limit=9, limit_per_subscription=4, lease=LEASE_MARGIN)
    await webhook_api.make_due()
    async with running_deliverer(webhooks_database):
        [delivery] = await webhook_api.wait_for_statuses(subscription, "delivered")
    [row] = await webhook_api.rows("SELECT now() AS now")
    outcome = Outcome(row["now"], 1.0, 500, "Answered 500")
    async with webhooks_database.transaction() as connection:
        await repository.record(connection, late, outcome, decide(outcome, late.event_type, 1, late.tried_for))
    assert await webhook_api.log(subscription) == [delivery]


async def test_an_outcome_is_recorded_when_the_database_is_back(
    webhook_api: WebhookApi,
    webhooks_database: Database,
    receiver: Receiver,
    company: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The message is not sent a second time."""
    subscription = await webhook_api.subscribe(company, receiver.url)
    await consume(webhooks_database, *leads(company, 1))
    record, away = repository.record, [OSError("away"), OSError("still away")]

    async def sometimes_away(connection: AsyncConnection, *recorded: object) -> bool:
        if away:
            raise away.pop()
        return await record(connection, *recorded)  # type: ignore[arg-type]

    monkeypatch.setattr(repository, "record", sometimes_away)
    with capture_logs() as log:
        async with running_deliverer(webhooks_database, timings=Timings(reconnect=0.01)):
            await webhook_api.wait_for_statuses(subscription, "delivered")
    assert [line["event"] for line in log if line["log_level"] == "warning"] == ["database_away"] * 2
    assert len(receiver.requests) == 1


async def test_a_thousand_events_arrive_once_despite_failures_and_two_processes(
    webhook_api: WebhookApi, webhooks_database: Database, receiver: Receiver, company: int
) -> None:
    for number in range(4):
        await webhook_api.subscribe(company, f"{receiver.url}/{number}")
    receiver.respond_next(*[503] * 20, headers={"Retry-After": "0"})
    for _ in range(5):
        await consume(webhooks_database, *leads(company, 50))

    async def all_delivered() -> bool:
        await webhook_api.rows("UPDATE deliveries SET due_at = now() WHERE status = 'pending' AND claimed_by IS NULL")
        [row] = await webhook_api.rows("SELECT count(*) AS remaining FROM deliveries WHERE status <> 'delivered'")
        return bool(row["remaining"] == 0)

    async with running_deliverer(webhooks_database), running_deliverer(webhooks_database):
        await eventually(all_delivered, deadline=60)
    assert len(receiver.requests) == 1000 + 20
    assert len({(request.path, request.event_id) for request in receiver.requests}) == 1000
    assert receiver.max_in_progress <= 4 * 4
