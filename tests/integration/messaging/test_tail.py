"""Watching events: what was published, what is published, and what it leaves untouched."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, aclosing
from datetime import UTC, datetime, timedelta

import aio_pika
import orjson
import pytest

from deploy.local.stack import ROOT
from shared.events.campaigns import CampaignCreated
from shared.events.envelope import EventData, Outgoing, compose
from shared.events.leads import LeadCreated, LeadUpdated
from shared.messaging.event_history import read_history
from shared.messaging.tail import Received, watch
from shared.messaging.topology import HISTORY_STREAM, ExchangeName, QueueSpec
from tests.fixtures.events import campaign, lead
from tests.fixtures.programs import Program, program
from tests.fixtures.waiting import DEADLINE_SECONDS
from tests.integration.messaging.broker import Broker
from tests.integration.messaging.link import link_to

PROJECTION = QueueSpec(name="projection", exchange=ExchangeName.EVENTS, bindings=("lead.#",))


def outgoing(data: EventData, *, company: int = 1, age: timedelta = timedelta(0)) -> Outgoing:
    """An event of a company, which happened so long ago."""
    made = compose(data, source="/test", company_id=company)
    body = orjson.loads(made.body) | {"time": datetime.now(UTC) - age}
    return Outgoing(id=made.id, type=made.type, body=orjson.dumps(body))


def created(lead_id: int, *, company: int = 1, age: timedelta = timedelta(0)) -> Outgoing:
    """An event that a lead was created."""
    return outgoing(LeadCreated(leads=[lead(lead_id)]), company=company, age=age)


async def publish(broker: Broker, *events: Outgoing) -> None:
    """Publish events in order."""
    for event in events:
        await broker.publish(event.body, routing_key=event.type)


def watching(broker: Broker, *arguments: str) -> AbstractAsyncContextManager[Program]:
    """The command, with these options."""
    return program([sys.executable, "-m", "operations", "events", *arguments], cwd=ROOT, env={"AMQP_URL": broker.url})


async def test_shows_what_is_published_until_it_is_interrupted(broker: Broker) -> None:
    await broker.declare(PROJECTION)
    await publish(broker, created(1))
    async with watching(broker) as running:
        await running.logged("Watching events")
        await publish(broker, created(2), outgoing(CampaignCreated(campaign=campaign(3)), company=7))
        first, second = await running.wrote(2)
        assert "lead.created.v1" in first
        assert "company 1  lead 2 v1: campaign 1, pending" in first
        assert "company 7  campaign 3 v1: Campaign 3, active" in second
        assert await running.ended(by=signal.SIGINT) == 0
        assert running.errors == ["Watching events; Ctrl-C ends"]
    assert await broker.count(PROJECTION.name) == 2


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--type", "lead.*"], ["lead 1", "lead 2", "lead 3"]),
        (["--type", "lead.#", "--type", "campaign.created.v1"], ["lead 1", "campaign 4", "lead 2", "lead 3"]),
        (["--type", "lead.created.*"], ["lead 1", "lead 2"]),
        (["--company", "2"], ["lead 2"]),
        (["--company", "1", "--type", "lead.*"], ["lead 1", "lead 3"]),
        (["--type", "lead"], []),
    ],
)
async def test_prints_only_filtered_events(broker: Broker, options: list[str], expected: list[str]) -> None:
    await publish(
        broker,
        created(1),
        outgoing(CampaignCreated(campaign=campaign(4))),
        created(2, company=2),
        outgoing(LeadUpdated(leads=[lead(3)])),
    )
    async with watching(broker, "--from-start", "--no-follow", *options) as running:
        assert await running.ended() == 0, running.errors
        assert [line.partition("  company ")[2][3:].partition(" v")[0] for line in running.lines] == expected


async def test_replays_the_history_and_goes_on(broker: Broker) -> None:
    await publish(broker, created(1))
    async with watching(broker, "--from-start") as running:
        await running.wrote(1)
        await publish(broker, created(2))
        assert "lead 2" in (await running.wrote(2))[1]
        assert await running.ended(by=signal.SIGTERM) == 0


async def test_replays_since_a_time(broker: Broker) -> None:
    await publish(broker, created(1, age=timedelta(hours=2)), created(2, age=timedelta(minutes=50)), created(3))
    async with watching(broker, "--since", "1h", "--no-follow") as running:
        assert await running.ended() == 0, running.errors
        assert [line.partition(" lead ")[2].partition(" v")[0] for line in running.lines] == ["2", "3"]


async def test_shows_whole_events_as_they_travelled(broker: Broker) -> None:
    event = created(1)
    await publish(broker, event)
    async with watching(broker, "--from-start", "--no-follow", "--json") as running:
        assert await running.ended() == 0, running.errors
        assert running.lines == [event.body.decode()]


async def test_an_unreadable_message_is_reported_on_standard_error(broker: Broker) -> None:
    await broker.publish(b"not an event", routing_key="lead.created.v1")
    await publish(broker, created(1))
    async with watching(broker, "--from-start", "--no-follow") as running:
        assert await running.ended() == 0
        assert len(running.lines) == 1
        assert "Not readable: b'not an event'" in running.errors


async def seen(broker: Broker, beginning: datetime | None) -> AsyncIterator[Received]:
    """What is there from a time on, or from the start, without going on."""
    async with (
        await aio_pika.connect(broker.url) as connection,
        aclosing(watch(connection, beginning or "first", follow=False, ready=lambda: None)) as arriving,
    ):
        async for one in arriving:
            yield one


async def test_the_end_of_the_history_is_found_without_a_trace(broker: Broker) -> None:
    assert [one async for one in seen(broker, None)] == []
    await publish(broker, *(created(number) for number in range(300)))
    assert len([one async for one in seen(broker, None)]) == 300
    later = datetime.now(UTC) + timedelta(seconds=1)
    assert [one async for one in seen(broker, later)] == []
    async for _ in read_history(broker.url):  # leaves a mark, which is no event
        pass
    assert len([one async for one in seen(broker, None)]) == 300
    await publish(broker, created(300))
    assert [message.headers["x-stream-offset"] for message in await broker.replay(HISTORY_STREAM, 302)][-1] == 301


async def test_the_history_ends_though_events_go_on(broker: Broker) -> None:
    await publish(broker, created(0))
    ended = asyncio.Event()

    async def never_quiet() -> None:
        number = 1
        while not ended.is_set():
            await publish(broker, created(number))
            number += 1

    publishing = asyncio.create_task(never_quiet())
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            received = [one async for one in seen(broker, None)]
    finally:
        ended.set()
        await publishing
    assert received


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (["--no-follow"], "--from-start"),
        (["--since", "1h", "--from-start"], "not both"),
        (["--since", "yesterday"], "90s, 30m, 1h, 7d"),
        (["--since", "999999d"], "90s, 30m, 1h, 7d"),
    ],
)
async def test_contradictory_options_are_rejected(broker: Broker, options: list[str], error: str) -> None:
    async with watching(broker, *options) as running:
        assert await running.ended() == 2
        assert error in "\n".join(running.errors)


async def test_a_broker_that_is_lost_ends_it_with_a_line(broker: Broker) -> None:
    argv = [sys.executable, "-m", "operations", "events"]
    async with link_to(broker.url) as link, program(argv, cwd=ROOT, env={"AMQP_URL": link.url}) as running:
        await running.logged("Watching events")
        await link.close()
        assert await running.ended() == 1
        assert [line.partition(":")[0] for line in running.errors[1:]] == ["The broker was lost"]


async def test_an_unavailable_broker_is_reported_in_one_line() -> None:
    argv = [sys.executable, "-m", "operations", "events"]
    async with program(argv, cwd=ROOT, env={"AMQP_URL": "amqp://x:x@127.0.0.1:1/voice"}) as running:
        assert await running.ended() == 1
        assert [line.partition(":")[0] for line in running.errors] == ["The broker was lost"]
    async with program(argv, cwd=ROOT, env={"AMQP_URL": ""}) as running:
        assert await running.ended() == 2
        assert running.errors == ["AMQP_URL: Field required"]
