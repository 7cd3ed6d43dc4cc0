"""Many deliveries at once: bounds for each subscription, leases, and the end of a process."""

import asyncio
import time
from uuid import UUID

import pytest
from fastapi import Response
from sqlalchemy.ext.asyncio import AsyncConnection
from structlog.testing import capture_logs

from services.webhook_svc.sending import deliverer as deliverers
from services.webhook_svc.sending import repository
from services.webhook_svc.sending.attempt import Outcome
from services.webhook_svc.sending.delivery_policy import judge
from shared.database.engine import Database
from shared.events.leads import LeadCreated
from tests.fixtures.events import lead
from tests.fixtures.waiting import eventually
from tests.fixtures.webhooks import Receiver, WebhookApi, delivering, receiving, told


def leads(company: int, number: int) -> list[LeadCreated]:
    return [LeadCreated(leads=[lead(n + 1, company_id=company)]) for n in range(number)]


class Gate:
    """Holds answers back until it is opened."""

    def __init__(self) -> None:
        self._open = asyncio.Event()

    async def answer(self) -> Response:
        await self._open.wait()
        return Response()

    def open(self) -> None:
        self._open.set()


async def test_a_slow_receiver_holds_up_nobody_else(
    webhook_api: WebhookApi, webhooks_database: Database, receiver: Receiver, company: int
) -> None:
    gate = Gate()
    receiver.usual = gate.answer
    async with receiving() as quick:
        await webhook_api.subscribe(company, receiver.url)
        served = await webhook_api.subscribe(company, quick.url)
        await told(webhooks_database, *leads(company, 30))
        async with delivering(webhooks_database, concurrency=8, at_once=3, attempt_seconds=30):
            await webhook_api.settled(served, *["delivered"] * 30)
            assert (len(receiver.requests), receiver.most_at_once) == (3, 3)
            gate.open()
            await receiver.received(30)
        assert receiver.most_at_once == 3


async def test_the_bound_of_a_subscription_holds_for_all_processes_together(
    webhook_api: WebhookApi, webhooks_database: Database, receiver: Receiver, company: int
) -> None:
    gate = Gate()
    receiver.usual = gate.answer
    subscription = await webhook_api.subscribe(company, receiver.url)
    await told(webhooks_database, *leads(company, 20))
    async with (
        delivering(webhooks_database, at_once=2) as first,
        delivering(webhooks_database, at_once=2) as second,
    ):
        await receiver.received(2)
        for _ in range(5):
            await first.wake()
            await second.wake()
            async with webhooks_database.transaction() as connection:
                claimed = await repository.claim(
                    connection, UUID(int=1), most=20, at_once=2, lease=deliverers.LEASE_MARGIN
                )
            assert claimed == []
        gate.open()
        await webhook_api.settled(subscription, *["delivered"] * 20)
    assert receiver.most_at_once == 2
    assert len(receiver.requests) == 20


async def test_who_fails_gets_one_attempt_at_a_time(
    webhook_api: WebhookApi, webhooks_database: Database, receiver: Receiver, company: int
) -> None:
    gate = Gate()
    receiver.usual = gate.answer
    subscription = await webhook_api.subscribe(company, receiver.url)
    await webhook_api.rows("UPDATE subscriptions SET failures = 3, failing_since = now()")
    await told(webhooks_database, *leads(company, 8))
    async with delivering(webhooks_database):
        await receiver.received(1)
        assert len(await webhook_api.rows("SELECT FROM deliveries WHERE claimed_by IS NOT NULL")) == 1
        async with webhooks_database.transaction() as connection:
            claimed = await repository.claim(connection, UUID(int=1), most=9, at_once=4, lease=deliverers.LEASE_MARGIN)
        assert claimed == []
        gate.open()
        await webhook_api.settled(subscription, *["delivered"] * 8)
    assert (await webhook_api.shown(subscription))["failing_since"] is None


async def test_an_end_waits_for_what_is_about_to_end(
    webhook_api: WebhookApi, webhooks_database: Database, receiver: Receiver, company: int
) -> None:
    gate = Gate()
    receiver.usual = gate.answer
    subscription = await webhook_api.subscribe(company, receiver.url)
    await told(webhooks_database, *leads(company, 2))
    async with delivering(webhooks_database):
        await receiver.received(2)
        asyncio.get_running_loop().call_later(0.2, gate.open)
    assert [each["status"] for each in await webhook_api.log(subscription)] == ["delivered", "delivered"]


async def test_an_end_gives_back_what_takes_too_long(
    webhook_api: WebhookApi,
    webhooks_database: Database,
    receiver: Receiver,
    company: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(deliverers, "FINISH_SECONDS", 0.1)
    gate = Gate()
    receiver.usual = gate.answer
    subscription = await webhook_api.subscribe(company, receiver.url)
    await told(webhooks_database, *leads(company, 2))
    started = time.monotonic()
    async with delivering(webhooks_database, attempt_seconds=30):
        await receiver.received(2)
    assert time.monotonic() - started < 10
    [row] = await webhook_api.rows(
        "SELECT count(*) AS free FROM deliveries WHERE claimed_by IS NULL AND due_at <= now() AND status = 'pending'"
    )
    assert row["free"] == 2
    gate.open()
    async with delivering(webhooks_database):
        await webhook_api.settled(subscription, "delivered", "delivered")
    ids = [request.event_id for request in receiver.requests]
    assert sorted(ids[:2]) == sorted(ids[2:])


async def test_a_lease_is_nobody_elses_until_it_ends(
    webhook_api: WebhookApi, webhooks_database: Database, receiver: Receiver, company: int
) -> None:
    """Whoever held it may have died in the middle of an attempt."""
    subscription = await webhook_api.subscribe(company, receiver.url)
    await told(webhooks_database, *leads(company, 1))
    async with webhooks_database.transaction() as connection:
        [lost] = await repository.claim(connection, UUID(int=1), most=9, at_once=4, lease=deliverers.LEASE_MARGIN)
    [shown] = await webhook_api.log(subscription)
    assert (shown["status"], shown["next_attempt_at"]) == ("pending", None)
    refused = await webhook_api.send("POST", company, f"/{subscription['id']}/deliveries/{lost.id}/redeliver")
    assert refused.status_code == 409
    assert refused.json()["message"] == "Delivery is under way"
    async with delivering(webhooks_database) as at_work:
        await at_work.wake()
        assert receiver.requests == []
        await webhook_api.make_due()
        await webhook_api.settled(subscription, "delivered")
    [request] = receiver.requests
    assert request.event_id == str(lost.message.event_id)


async def test_what_is_recorded_after_the_lease_ended_does_not_undo_what_came_since(
    webhook_api: WebhookApi, webhooks_database: Database, receiver: Receiver, company: int
) -> None:
    subscription = await webhook_api.subscribe(company, receiver.url)
    await told(webhooks_database, *leads(company, 1))
    async with webhooks_database.transaction() as connection:
        [late] = await repository.claim(connection, UUID(int=1), most=9, at_once=4, lease=deliverers.LEASE_MARGIN)
    await webhook_api.make_due()
    async with delivering(webhooks_database):
        [delivery] = await webhook_api.settled(subscription, "delivered")
    [row] = await webhook_api.rows("SELECT now() AS now")
    outcome = Outcome(row["now"], 1.0, 500, "Answered 500")
    async with webhooks_database.transaction() as connection:
        await repository.record(connection, late, outcome, judge(outcome, late.event_type, 1, late.tried_for))
    assert await webhook_api.log(subscription) == [delivery]


async def test_an_outcome_is_recorded_when_the_database_is_back(
    webhook_api: WebhookApi,
    webhooks_database: Database,
    receiver: Receiver,
    company: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And not sent again for it."""
    subscription = await webhook_api.subscribe(company, receiver.url)
    await told(webhooks_database, *leads(company, 1))
    record, away = repository.record, [OSError("away"), OSError("still away")]

    async def sometimes_away(connection: AsyncConnection, *recorded: object) -> bool:
        if away:
            raise away.pop()
        return await record(connection, *recorded)  # type: ignore[arg-type]

    monkeypatch.setattr(repository, "record", sometimes_away)
    monkeypatch.setattr(deliverers, "AGAIN_SECONDS", 0.01)
    with capture_logs() as log:
        async with delivering(webhooks_database):
            await webhook_api.settled(subscription, "delivered")
    assert [line["event"] for line in log if line["log_level"] == "warning"] == ["database_away"] * 2
    assert len(receiver.requests) == 1


async def test_a_thousand_events_for_several_subscriptions_all_arrive_once(
    webhook_api: WebhookApi, webhooks_database: Database, receiver: Receiver, company: int
) -> None:
    """With failures on the way, and two processes at it."""
    for number in range(4):
        await webhook_api.subscribe(company, f"{receiver.url}/{number}")
    receiver.will_answer(*[503] * 20, headers={"Retry-After": "0"})
    for _ in range(5):
        await told(webhooks_database, *leads(company, 50))

    async def all_delivered() -> bool:
        await webhook_api.rows("UPDATE deliveries SET due_at = now() WHERE status = 'pending' AND claimed_by IS NULL")
        [row] = await webhook_api.rows("SELECT count(*) AS left FROM deliveries WHERE status <> 'delivered'")
        return bool(row["left"] == 0)

    async with delivering(webhooks_database), delivering(webhooks_database):
        await eventually(all_delivered, deadline=60)
    assert len(receiver.requests) == 1000 + 20
    assert len({(request.path, request.event_id) for request in receiver.requests}) == 1000
    assert receiver.most_at_once <= 4 * 4
