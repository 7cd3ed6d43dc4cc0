"""Dead letters on a real broker: read, retried and dropped, without losing one or changing their order."""

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import aio_pika
import pytest
from aio_pika.abc import AbstractConnection
from prometheus_client import REGISTRY
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.lead_svc.queues import CAMPAIGN_COPY
from shared.background import run_workers
from shared.database.engine import Database
from shared.events.envelope import Envelope, compose
from shared.events.imports import ImportRequested
from shared.messaging import dead_letters
from shared.messaging.consumer import Consumer, ConsumerTimings, Subscription
from shared.messaging.dead_letters import DeadLetter, NoSuchQueueError, RetryError
from shared.messaging.topology import ExchangeName, QueueSpec, declare_dead_letters
from tests.fixtures.waiting import eventually
from tests.integration.messaging.broker import Broker

ROUTING_KEY = ImportRequested.event_type
QUEUE = QueueSpec(name="gives-up", exchange=ExchangeName.EVENTS, bindings=("import.#",), delivery_limit=2)
NEIGHBOUR = QueueSpec(name="neighbour", exchange=ExchangeName.EVENTS, bindings=("import.#",))
ROOT = Path(__file__).parents[3]
MORE_OFTEN_THAN_A_BROKER_ALLOWS = 25
"""RabbitMQ 4 drops a message that was requeued 20 times, unless an argument of its queue lifts the limit."""


def event(mark: int) -> bytes:
    """An event of company ``mark``."""
    return compose(ImportRequested(import_id=1), source="/test", company_id=mark).body


async def connected(broker: Broker) -> AbstractConnection:
    """A connection as an operator's command makes one."""
    return await aio_pika.connect(broker.url)


async def bury(broker: Broker, *bodies: bytes, queue: QueueSpec = QUEUE) -> None:
    """Make dead letters of these messages, in this order."""
    await broker.declare(queue)
    before = await broker.count(queue.dead_letters)
    async with await connected(broker) as connection, connection.channel() as channel:
        for number, body in enumerate(bodies):
            message = aio_pika.Message(body, message_id=f"message-{before + number}", headers={"company_id": 7})
            await channel.default_exchange.publish(message, queue.name)
        consumed = await channel.get_queue(queue.name)
        for _ in bodies:
            await (await eventually_taken(consumed)).reject(requeue=False)
    await waiting(broker, queue, before + len(bodies))


async def eventually_taken(queue: aio_pika.abc.AbstractQueue) -> aio_pika.abc.AbstractIncomingMessage:
    """The queue's next message, once there is one."""

    async def get() -> aio_pika.abc.AbstractIncomingMessage | None:
        return await queue.get(fail=False)

    message = await eventually(get)
    assert message is not None
    return message


async def waiting(broker: Broker, queue: QueueSpec, number: int) -> None:
    """Wait until so many dead letters wait."""

    async def condition() -> bool:
        return await broker.count(queue.dead_letters) == number

    await eventually(condition)


async def bodies_of(broker: Broker, queue: str, number: int) -> list[bytes]:
    """Take so many messages out, in order."""
    return [message.body for message in await broker.take(queue, number)]


def marks(letters: Sequence[DeadLetter]) -> list[int]:
    """The companies of events, in order."""
    return [letter.event.companyid for letter in letters if letter.event is not None]


async def test_repeated_reading_loses_doubles_and_reorders_nothing(broker: Broker) -> None:
    """Fails when reading consumes only as many as it returns, when it acknowledges, or when the queue has a limit."""
    bodies = [event(mark) for mark in range(1, 31)]
    await bury(broker, *bodies)
    async with await connected(broker) as connection:
        for turn in range(MORE_OFTEN_THAN_A_BROKER_ALLOWS):
            limit = (3, 7, 30)[turn % 3]
            seen = await dead_letters.read(connection, QUEUE.name, limit=limit)
            assert marks(seen) == list(range(1, limit + 1))
            await waiting(broker, QUEUE, len(bodies))
            summary = await dead_letters.summarise(connection, QUEUE.name)
            assert summary.count == len(bodies)
            assert summary.first is not None
            assert marks([summary.first]) == [1]
            await waiting(broker, QUEUE, len(bodies))
    assert await bodies_of(broker, QUEUE.dead_letters, len(bodies)) == bodies
    assert await broker.count(QUEUE.dead_letters) == 0


async def test_a_dead_letter_has_its_event_and_its_reason(broker: Broker) -> None:
    await bury(broker, event(5), b"\xff not an event")
    async with await connected(broker) as connection:
        readable, unreadable = await dead_letters.read(connection, QUEUE.name)
    assert readable.event is not None
    assert readable.as_json()["type"] == ROUTING_KEY
    assert readable.as_json()["company_id"] == 5
    assert [(death.queue, death.reason, death.count) for death in readable.deaths] == [(QUEUE.name, "rejected", 1)]
    assert readable.deaths[0].at is not None
    assert unreadable.event is None
    assert unreadable.as_json()["body_base64"] == "/yBub3QgYW4gZXZlbnQ="


async def test_a_queue_without_dead_letters_returns_none(broker: Broker) -> None:
    await broker.declare(QUEUE)
    async with await connected(broker) as connection:
        assert await dead_letters.read(connection, QUEUE.name) == []
        with pytest.raises(NoSuchQueueError):
            await dead_letters.read(connection, "unknown")


async def test_a_retry_returns_messages_to_their_own_queue_and_to_no_other(broker: Broker) -> None:
    """Fails when they are published to the exchange of events, or retain the broker's own headers."""
    await broker.declare(NEIGHBOUR)
    bodies = [event(mark) for mark in range(1, 121)]
    await bury(broker, *bodies)
    async with await connected(broker) as connection:
        assert await dead_letters.retry(connection, QUEUE.name) == len(bodies)
    returned = await broker.take(QUEUE.name, len(bodies))
    assert [message.body for message in returned] == bodies
    assert [message.message_id for message in returned] == [f"message-{number}" for number in range(len(bodies))]
    # The broker adds its own count, of this delivery.
    assert {name for message in returned for name in message.headers} <= {"company_id", "retries", "x-delivery-count"}
    assert {(message.headers["company_id"], message.headers["retries"]) for message in returned} == {(7, 1)}
    assert await broker.count(QUEUE.dead_letters) == 0
    assert await broker.count(NEIGHBOUR.name) == 0


async def test_a_retry_of_one_message_leaves_the_others_in_order(broker: Broker) -> None:
    bodies = [event(mark) for mark in range(1, 11)]
    await bury(broker, *bodies)
    async with await connected(broker) as connection:
        assert await dead_letters.retry(connection, QUEUE.name, only="message-4") == 1
        assert await dead_letters.retry(connection, QUEUE.name, only="unknown") == 0
    assert await bodies_of(broker, QUEUE.name, 1) == [bodies[4]]
    await waiting(broker, QUEUE, 9)
    assert await bodies_of(broker, QUEUE.dead_letters, 9) == bodies[:4] + bodies[5:]


async def test_a_message_that_fails_again_counts_its_retries(database: Database, broker: Broker) -> None:
    async def fail(_connection: AsyncConnection, _events: Sequence[Envelope]) -> None:
        raise ValueError("again")

    await bury(broker, event(1))
    async with await connected(broker) as connection:
        for retries in (1, 2):
            assert await dead_letters.retry(connection, QUEUE.name) == 1
            async with run_workers([Consumer(broker.url, database, Subscription(QUEUE, fail))], stop_seconds=5):
                await waiting(broker, QUEUE, 1)
            [letter] = await dead_letters.read(connection, QUEUE.name)
            assert (letter.retries, letter.reason) == (retries, "delivery_limit")
            await waiting(broker, QUEUE, 1)


async def test_a_crash_between_confirm_and_acknowledgement_doubles_and_never_loses(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fails when a letter is acknowledged before its queue has confirmed it."""

    async def crash(*_: object, **__: object) -> None:
        raise ConnectionError("the command was killed")

    await bury(broker, event(1), event(2))
    monkeypatch.setattr(aio_pika.IncomingMessage, "ack", crash)
    async with await connected(broker) as connection:
        with pytest.raises(ConnectionError):
            await dead_letters.retry(connection, QUEUE.name)
    await waiting(broker, QUEUE, 2)
    assert await broker.count(QUEUE.name) == 2


async def test_a_dead_letter_whose_queue_is_gone_remains(broker: Broker) -> None:
    """Fails when a message is published without noticing that no queue accepted it."""
    await bury(broker, event(1), event(2))
    async with await connected(broker) as connection:
        async with connection.channel() as channel:
            await channel.queue_delete(QUEUE.name)
        with pytest.raises(RetryError):
            await dead_letters.retry(connection, QUEUE.name)
    await waiting(broker, QUEUE, 2)


async def test_a_message_is_written_before_it_is_dropped(broker: Broker) -> None:
    """Fails when a letter is acknowledged before it is written."""
    bodies = [event(1), event(2), event(3)]
    await bury(broker, *bodies)
    written: list[DeadLetter] = []

    def keep_two(letter: DeadLetter) -> None:
        if len(written) == 2:
            raise OSError("the disk is full")
        written.append(letter)

    async with await connected(broker) as connection:
        with pytest.raises(OSError, match="the disk is full"):
            await dead_letters.drop(connection, QUEUE.name, keep_two)
        await waiting(broker, QUEUE, 1)
        assert [letter.as_json()["body"].encode() for letter in written] == bodies[:2]
        written.clear()
        assert await dead_letters.drop(connection, QUEUE.name, keep_two, only="message-2") == 1
    assert await broker.count(QUEUE.dead_letters) == 0


async def test_dead_letters_of_an_earlier_version_are_used_as_they_are(database: Database, broker: Broker) -> None:
    """Fails when a queue that was made with other arguments prevents its consumer from starting."""

    async def apply(connection: AsyncConnection, events: Sequence[Envelope]) -> None:
        for applied in events:
            await connection.execute(text("INSERT INTO effects VALUES (:mark)"), {"mark": applied.companyid})

    async with await connected(broker) as connection, connection.channel() as channel:
        await channel.declare_queue(
            QUEUE.dead_letters, durable=True, arguments={"x-queue-type": "quorum", "x-delivery-limit": 3}
        )
        assert not await declare_dead_letters(channel, QUEUE.dead_letters)
        assert not channel.is_closed
        summary = await dead_letters.summarise(connection, QUEUE.name)
        assert summary.is_limited
    async with run_workers([Consumer(broker.url, database, Subscription(QUEUE, apply))], stop_seconds=5):
        await eventually(lambda: _has_consumer(broker))
        await broker.publish(event(1), b"unreadable", routing_key=ROUTING_KEY)
        await waiting(broker, QUEUE, 1)


async def _has_consumer(broker: Broker) -> bool:
    async with await connected(broker) as connection, connection.channel() as channel:
        try:
            declared = await channel.declare_queue(QUEUE.name, passive=True)
        except aio_pika.exceptions.ChannelNotFoundEntity:
            return False
        return bool(declared.declaration_result.consumer_count)


async def test_dead_letters_are_counted(database: Database, broker: Broker) -> None:
    """Fails when a consumer counts them only at its start, or only while it has work."""

    async def fail(_connection: AsyncConnection, _events: Sequence[Envelope]) -> None:
        raise ValueError("always")

    def require_count(number: int) -> None:
        assert REGISTRY.get_sample_value("dead_letters", {"queue": QUEUE.name}) == number

    async def is_counted(number: int) -> bool:
        return REGISTRY.get_sample_value("dead_letters", {"queue": QUEUE.name}) == number

    await bury(broker, event(1))
    async with run_workers(
        [Consumer(broker.url, database, Subscription(QUEUE, fail), timings=ConsumerTimings(measure=0.05))],
        stop_seconds=5,
    ):
        await eventually(lambda: is_counted(1))
        await broker.publish(event(2), routing_key=ROUTING_KEY)
        await eventually(lambda: is_counted(2))
        async with await connected(broker) as connection:
            await dead_letters.drop(connection, QUEUE.name, lambda _: None)
        await eventually(lambda: is_counted(0))
    require_count(0)


class Panic(BaseException):
    """What a library written in Rust raises when it panics: no ``Exception``."""


LEADS = 8
POISON = {
    17: "unreadable",
    60: "handler",
    61: "database",
    62: "panic",
    118: "unreadable",
    150: "database",
    199: "handler",
}
"""Places of the poisonous messages among the two hundred, and how each of them fails."""


def place_of(event: Envelope) -> int:
    """Place of a message among the two hundred."""
    return ImportRequested.model_validate(event.data).import_id


def message_at(place: int) -> bytes:
    """The message at a place."""
    if POISON.get(place) == "unreadable":
        return b"{"
    return compose(ImportRequested(import_id=place), source="/test", company_id=1).body


async def apply_or_be_poisoned(connection: AsyncConnection, events: Sequence[Envelope]) -> None:
    """The handler: adds a row for each message, and fails as its place requires."""
    for place in map(place_of, events):
        way = POISON.get(place)
        await connection.execute(
            text("INSERT INTO effects VALUES (:place)"), {"place": None if way == "database" else place}
        )
        if way == "handler":
            raise ValueError("poison")
        if way == "panic":
            raise Panic


async def places_applied(database: Database) -> list[int]:
    """In the order of their transactions, and of their rows within one."""
    async with database.transaction() as connection:
        rows = await connection.execute(text("SELECT company_id FROM effects ORDER BY xmin::text::bigint, ctid"))
        return list(rows.scalars())


@pytest.mark.parametrize("ordered", [False, True], ids=["ordinary", "ordered"])
async def test_failing_messages_neither_block_nor_lose_nor_reorder_others(
    database: Database, broker: Broker, ordered: bool
) -> None:
    """Fails when a failure ends the batch or the consumer, or when others are requeued too: they change places.

    A lead is a message's place modulo ``LEADS``.
    """
    spec = QueueSpec(
        name="poisoned", exchange=ExchangeName.EVENTS, bindings=("import.#",), delivery_limit=2, ordered=ordered
    )
    good = [place for place in range(1, 201) if place not in POISON]

    async def all_are_applied() -> bool:
        return len(await places_applied(database)) >= len(good)

    await broker.declare(spec)
    await broker.publish(*map(message_at, range(1, 201)), routing_key=ROUTING_KEY)
    async with run_workers([Consumer(broker.url, database, Subscription(spec, apply_or_be_poisoned))], stop_seconds=8):
        await eventually(all_are_applied)
        await waiting(broker, spec, len(POISON))

    rows = await places_applied(database)
    assert sorted(rows) == good, "each once, and nothing of what failed"
    for lead in range(LEADS):
        of_lead = [place for place in rows if place % LEADS == lead]
        assert of_lead == sorted(of_lead), "the others of a lead remain in order"
    async with await connected(broker) as connection:
        letters = await dead_letters.read(connection, spec.name)
    reasons = {place_of(letter.event): letter.reason for letter in letters if letter.event is not None}
    assert reasons == {place: "delivery_limit" for place, way in POISON.items() if way != "unreadable"}
    assert [letter.reason for letter in letters if letter.event is None] == ["rejected", "rejected"]
    assert await broker.count(spec.name) == 0


async def command(broker: Broker, *arguments: str, stdin: str = "") -> tuple[int, str, str]:
    """Run a command as an operator does; returns its exit code and what it wrote."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "operations",
        "dlq",
        *arguments,
        cwd=ROOT,
        env={**os.environ, "AMQP_URL": broker.url},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate(stdin.encode())
    return process.returncode or 0, output.decode(), errors.decode()


async def test_the_commands_list_show_retry_and_drop(broker: Broker, tmp_path: Path) -> None:
    name = CAMPAIGN_COPY.name
    await bury(broker, event(1), event(2), event(3), queue=CAMPAIGN_COPY)

    code, listed, _ = await command(broker, "list")
    assert code == 0
    rows = {line.split()[0]: line.split() for line in listed.splitlines()[1:]}
    assert rows[name][1] == "3"
    assert rows[name][-1] == "rejected"
    assert "not declared" in listed

    code, displayed, _ = await command(broker, "show", f"{name}.dead", "--limit", "2", "--json")
    assert [json.loads(line)["company_id"] for line in displayed.splitlines()] == [1, 2]
    assert "rejected by lead.campaigns, 1 x" in (await command(broker, "show", name))[1]

    code, _, status = await command(broker, "retry", name)
    assert code == 2
    assert "either --id ID or --all" in status
    code, _, status = await command(broker, "retry", name, "--id", "message-0")
    assert (code, status) == (0, f"Returned to {name}: 1\n")

    code, dropped, _ = await command(broker, "drop", name, "--all", stdin="n\n")
    assert (code, dropped) == (1, "")
    file = tmp_path / "dropped.jsonl"
    code, _, status = await command(broker, "drop", name, "--all", "--to", str(file), stdin="y\n")
    assert code == 0
    assert status.endswith(f"Dropped from {name}: 2\n")
    assert [json.loads(line)["company_id"] for line in file.read_text().splitlines()] == [2, 3]
    assert await broker.count(CAMPAIGN_COPY.dead_letters) == 0

    code, _, status = await command(broker, "show", "unknown")
    assert code == 1
    assert "There is no queue unknown" in status
