"""The batch consumer on a real database and a real broker.

The handler under test adds a row to ``effects`` for each event it applies, with the event's company as the mark.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.background import run_workers
from shared.database.engine import Database
from shared.events.envelope import Envelope, compose
from shared.events.imports import ImportRequested
from shared.messaging.consumer import AfterCommit, Consumer, ConsumerTimings, Handler, Subscription
from shared.messaging.topology import HISTORY_STREAM, ExchangeName, QueueSpec
from tests.fixtures.servers import ServerUrls
from tests.fixtures.waiting import eventually
from tests.integration.messaging.broker import Broker
from tests.integration.messaging.link import link_to

QUEUE = QueueSpec(name="marks", exchange=ExchangeName.EVENTS, bindings=("import.#",), delivery_limit=2)
ROUTING_KEY = ImportRequested.event_type
POISON = 666


def event(mark: int) -> bytes:
    return compose(ImportRequested(import_id=1), source="/test", company_id=mark).body


TIMINGS = ConsumerTimings(pause_while_unavailable=0.02)


async def apply(connection: AsyncConnection, events: Sequence[Envelope]) -> None:
    for applied in events:
        await connection.execute(text("INSERT INTO effects VALUES (:mark)"), {"mark": applied.companyid})


async def apply_all_but_poison(connection: AsyncConnection, events: Sequence[Envelope]) -> None:
    await apply(connection, events)
    if any(applied.companyid == POISON for applied in events):
        raise ValueError("poison")


def consuming(
    amqp_url: str, database: Database, handler: Handler = apply, *, batch: int = 50, consumers: int = 1
) -> AbstractAsyncContextManager[None]:
    subscription = Subscription(QUEUE, handler, batch=batch)
    works = [Consumer(amqp_url, database, subscription, number=number, timings=TIMINGS) for number in range(consumers)]
    return run_workers(works, stop_seconds=8)


def failures() -> float:
    """Number of messages of the queue that were requeued so far, in all tests."""
    return REGISTRY.get_sample_value("messages_consumed_total", {"queue": QUEUE.name, "result": "failed"}) or 0


async def effects(database: Database) -> list[int]:
    async with database.transaction() as connection:
        rows = await connection.execute(text("SELECT company_id FROM effects ORDER BY company_id"))
        return list(rows.scalars())


async def effects_are(database: Database, *marks: int) -> None:
    async def condition() -> bool:
        return await effects(database) == sorted(marks)

    await eventually(condition)


def count_is(broker: Broker, queue: str, number: int) -> Callable[[], Awaitable[bool]]:
    async def condition() -> bool:
        return await broker.count(queue) == number

    return condition


async def everything_was_acknowledged(broker: Broker) -> None:
    """To be read once the consumers are gone: what they had not acknowledged is in the queue again by then."""
    await eventually(count_is(broker, QUEUE.name, 0))


async def test_a_message_is_applied_and_acknowledged(database: Database, broker: Broker) -> None:
    await broker.declare(QUEUE)
    await broker.publish(event(1), event(2), event(3), routing_key=ROUTING_KEY)
    async with consuming(broker.url, database):
        await effects_are(database, 1, 2, 3)
    await everything_was_acknowledged(broker)
    assert await broker.count(QUEUE.dead_letters) == 0


async def test_messages_that_wait_are_applied_in_batches(database: Database, broker: Broker) -> None:
    sizes: list[int] = []

    async def measure(connection: AsyncConnection, events: Sequence[Envelope]) -> None:
        sizes.append(len(events))
        await apply(connection, events)

    await broker.declare(QUEUE)
    await broker.publish(*(event(mark) for mark in range(1, 101)), routing_key=ROUTING_KEY)
    async with consuming(broker.url, database, measure, batch=25):
        await effects_are(database, *range(1, 101))
    assert max(sizes) == 25


async def test_a_message_delivered_twice_is_applied_once(database: Database, broker: Broker) -> None:
    same = event(1)
    await broker.declare(QUEUE)
    async with consuming(broker.url, database):
        await broker.publish(same, routing_key=ROUTING_KEY)
        await effects_are(database, 1)
        await broker.publish(same, event(2), routing_key=ROUTING_KEY)
        await effects_are(database, 1, 2)
    await everything_was_acknowledged(broker)


async def test_a_message_that_stands_twice_in_one_batch_is_applied_once(database: Database, broker: Broker) -> None:
    same = event(1)
    await broker.declare(QUEUE)
    await broker.publish(same, same, same, event(2), routing_key=ROUTING_KEY)
    async with consuming(broker.url, database):
        await effects_are(database, 1, 2)
    await everything_was_acknowledged(broker)


@pytest.mark.parametrize("first_one_fails", [False, True])
async def test_a_message_delivered_twice_at_once_is_applied_once(
    database: Database, broker: Broker, first_one_fails: bool
) -> None:
    go = asyncio.Event()
    entered = 0

    async def wait(connection: AsyncConnection, events: Sequence[Envelope]) -> None:
        nonlocal entered
        entered += 1
        await apply(connection, events)
        if entered == 1:
            await go.wait()
            if first_one_fails:
                raise ValueError("the first of the two fails")

    async def the_other_waits_for_the_inbox() -> bool:
        async with database.transaction() as connection:
            waiting = text(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            return bool((await connection.execute(waiting)).scalar_one())

    same = event(1)
    await broker.declare(QUEUE)
    await broker.publish(same, same, routing_key=ROUTING_KEY)
    async with consuming(broker.url, database, wait, batch=1, consumers=2):
        await eventually(the_other_waits_for_the_inbox)
        assert entered == 1
        go.set()
        await effects_are(database, 1)
    # What the first of the two gave back, if it failed, stands before this one.
    await broker.publish(event(2), routing_key=ROUTING_KEY)
    async with consuming(broker.url, database, batch=1):
        await effects_are(database, 1, 2)
    await everything_was_acknowledged(broker)
    assert await broker.count(QUEUE.dead_letters) == 0


async def test_a_message_that_fails_is_a_dead_letter_and_its_neighbours_are_applied(
    database: Database, broker: Broker
) -> None:
    poison = event(POISON)
    failed_before = failures()
    await broker.declare(QUEUE)
    await broker.publish(event(1), poison, event(2), routing_key=ROUTING_KEY)
    async with consuming(broker.url, database, apply_all_but_poison):
        await effects_are(database, 1, 2)
        [dead] = await broker.take(QUEUE.dead_letters)
        await broker.publish(event(3), routing_key=ROUTING_KEY)
        await effects_are(database, 1, 2, 3)
    assert dead.body == poison
    assert dead.headers["x-first-death-reason"] == "delivery_limit"
    assert failures() - failed_before == QUEUE.delivery_limit + 1, "another message was requeued too"
    await everything_was_acknowledged(broker)


async def test_a_message_is_tried_as_often_as_its_queue_allows(database: Database, broker: Broker) -> None:
    tries = 0

    async def fail(_connection: AsyncConnection, _events: Sequence[Envelope]) -> None:
        nonlocal tries
        tries += 1
        raise ValueError("again")

    await broker.declare(QUEUE)
    await broker.publish(event(1), routing_key=ROUTING_KEY)
    async with consuming(broker.url, database, fail):
        await eventually(count_is(broker, QUEUE.dead_letters, 1))
    assert tries == QUEUE.delivery_limit + 1
    assert await effects(database) == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b"not json",
        b'{"specversion": "1.0"}',
        b"[" * 10_000,
        event(1).replace(b'"companyid":1', b'"companyid":0'),
        event(1).replace(b'Z","datacontenttype', b'","datacontenttype'),
    ],
    ids=["empty", "cut", "list", "bytes", "words", "no id", "deep", "no company", "time without offset"],
)
async def test_a_message_that_cannot_be_read_is_a_dead_letter_at_once(
    database: Database, broker: Broker, body: bytes
) -> None:
    await broker.declare(QUEUE)
    await broker.publish(event(1), body, event(2), routing_key=ROUTING_KEY)
    async with consuming(broker.url, database):
        [dead] = await broker.take(QUEUE.dead_letters)
        await effects_are(database, 1, 2)
    assert dead.body == body
    assert dead.headers["x-first-death-reason"] == "rejected"
    await everything_was_acknowledged(broker)


async def test_what_a_handler_returns_is_done_after_the_commit(database: Database, broker: Broker) -> None:
    seen: list[list[int]] = []

    async def look_afterwards(connection: AsyncConnection, events: Sequence[Envelope]) -> AfterCommit:
        await apply(connection, events)

        async def look() -> None:
            seen.append(await effects(database))

        return look

    await broker.declare(QUEUE)
    await broker.publish(event(1), routing_key=ROUTING_KEY)
    async with consuming(broker.url, database, look_afterwards):
        await effects_are(database, 1)
    assert seen == [[1]]


MORE_OFTEN_THAN_ALLOWED = QUEUE.delivery_limit + 5


async def test_the_database_hangs_up_in_the_middle_of_a_batch(database: Database, broker: Broker) -> None:
    hung_up = 0

    async def hang_up_often(connection: AsyncConnection, events: Sequence[Envelope]) -> None:
        nonlocal hung_up
        await apply(connection, events)
        if hung_up < MORE_OFTEN_THAN_ALLOWED:
            hung_up += 1
            await connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    await broker.declare(QUEUE)
    await broker.publish(event(1), event(2), routing_key=ROUTING_KEY)
    async with consuming(broker.url, database, hang_up_often):
        await effects_are(database, 1, 2)
    await everything_was_acknowledged(broker)
    assert await broker.count(QUEUE.dead_letters) == 0


def tried_often(database: Database, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Awaitable[bool]]:
    """Whether more transactions were begun, from now on, than a message may be returned."""
    begun = 0
    transaction = database.transaction

    def count() -> AbstractAsyncContextManager[AsyncConnection]:
        nonlocal begun
        begun += 1
        return transaction()

    async def condition() -> bool:
        return begun > MORE_OFTEN_THAN_ALLOWED

    monkeypatch.setattr(database, "transaction", count)
    return condition


async def _refuse_connections(servers: ServerUrls, database_url: str, *, refuse: bool) -> None:
    admin = Database(servers.postgres, name="admin")
    name = database_url.rpartition("/")[2]
    async with admin.transaction() as connection:
        await connection.execute(text(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS {not refuse}'))
        if refuse:
            await connection.execute(
                text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"), {"name": name}
            )
    await admin.close()


async def test_a_database_that_accepts_no_connection_counts_against_no_message(
    servers: ServerUrls, database: Database, database_url: str, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    await broker.declare(QUEUE)
    async with consuming(broker.url, database):
        await broker.publish(event(1), routing_key=ROUTING_KEY)
        await effects_are(database, 1)
        await _refuse_connections(servers, database_url, refuse=True)
        condition = tried_often(database, monkeypatch)
        await broker.publish(event(2), event(3), routing_key=ROUTING_KEY)
        await eventually(condition)
        await _refuse_connections(servers, database_url, refuse=False)
        await effects_are(database, 1, 2, 3)
    await everything_was_acknowledged(broker)
    assert await broker.count(QUEUE.dead_letters) == 0


async def test_a_database_out_of_reach_counts_against_no_message(
    database: Database, database_url: str, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    await broker.declare(QUEUE)
    async with link_to(database_url) as link:
        linked = Database(link.url, name="linked")
        async with consuming(broker.url, linked):
            await broker.publish(event(1), routing_key=ROUTING_KEY)
            await effects_are(database, 1)
            await link.close()
            condition = tried_often(linked, monkeypatch)
            await broker.publish(event(2), event(3), routing_key=ROUTING_KEY)
            await eventually(condition)
            link.open()
            await effects_are(database, 1, 2, 3)
        await linked.close()
    await everything_was_acknowledged(broker)
    assert await broker.count(QUEUE.dead_letters) == 0


async def test_a_table_that_is_not_there_yet_counts_against_no_message(
    database: Database, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the consumer starts before the migration."""
    async with database.transaction() as connection:
        await connection.execute(text("ALTER TABLE effects RENAME TO not_there_yet"))
    await broker.declare(QUEUE)
    await broker.publish(event(1), event(2), routing_key=ROUTING_KEY)
    condition = tried_often(database, monkeypatch)
    async with consuming(broker.url, database):
        await eventually(condition)
        async with database.transaction() as connection:
            await connection.execute(text("ALTER TABLE not_there_yet RENAME TO effects"))
        await effects_are(database, 1, 2)
    await everything_was_acknowledged(broker)
    assert await broker.count(QUEUE.dead_letters) == 0


async def test_the_broker_hangs_up_before_the_acknowledgement(database: Database, broker: Broker) -> None:
    applied: list[int] = []
    async with link_to(broker.url) as link:

        async def lose_the_broker(connection: AsyncConnection, events: Sequence[Envelope]) -> None:
            applied.extend(one.companyid for one in events)
            await apply(connection, events)
            if len(applied) == 1:
                await link.cut()

        await broker.declare(QUEUE)
        await broker.publish(event(1), routing_key=ROUTING_KEY)
        async with consuming(link.url, database, lose_the_broker):
            await effects_are(database, 1)
            await broker.publish(event(2), routing_key=ROUTING_KEY)
            await effects_are(database, 1, 2)
    await everything_was_acknowledged(broker)
    assert applied == [1, 2]
    assert await broker.count(QUEUE.dead_letters) == 0


async def test_a_consumer_without_its_database_takes_no_messages(
    database: Database, database_url: str, broker: Broker
) -> None:
    """What it took and could not apply would count as tried when it is restarted, and be a dead letter in the end."""
    await broker.declare(QUEUE)
    await broker.publish(event(1), event(2), routing_key=ROUTING_KEY)
    async with link_to(database_url) as link:
        await link.close()
        linked = Database(link.url, name="linked")
        for _ in range(QUEUE.delivery_limit + 3):
            started = asyncio.create_task(
                Consumer(broker.url, linked, Subscription(QUEUE, apply), timings=ConsumerTimings(finish=0.1)).run()
            )
            await asyncio.wait({started}, timeout=0.5)
            started.cancel()
            await asyncio.wait({started})
        await linked.close()
    assert await broker.count(QUEUE.dead_letters) == 0
    async with consuming(broker.url, database):
        await effects_are(database, 1, 2)


async def test_a_batch_under_way_is_finished_before_the_consumer_stops(database: Database, broker: Broker) -> None:
    entered, go = asyncio.Event(), asyncio.Event()

    async def wait(connection: AsyncConnection, events: Sequence[Envelope]) -> None:
        entered.set()
        await go.wait()
        await apply(connection, events)

    await broker.declare(QUEUE)
    await broker.publish(event(1), routing_key=ROUTING_KEY)
    consumer = Consumer(broker.url, database, Subscription(QUEUE, wait))
    task = asyncio.create_task(consumer.run())
    await entered.wait()
    task.cancel()
    go.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await effects(database) == [1]
    await everything_was_acknowledged(broker)


async def test_dead_letters_can_be_consumed(database: Database, broker: Broker) -> None:
    await broker.declare(QUEUE)
    await broker.publish(event(POISON), routing_key=ROUTING_KEY)
    afterwards = Consumer(broker.url, database, Subscription(QUEUE, apply, dead_letters=True))
    async with consuming(broker.url, database, apply_all_but_poison), run_workers([afterwards], stop_seconds=5):
        await effects_are(database, POISON)
    assert await broker.count(QUEUE.dead_letters) == 0


async def test_what_was_consumed_stays_in_the_history(database: Database, broker: Broker) -> None:
    bodies = [event(1), event(2)]
    await broker.declare(QUEUE)
    async with consuming(broker.url, database):
        for body in bodies:
            await broker.publish(body, routing_key=ROUTING_KEY)
        await effects_are(database, 1, 2)
    assert [message.body for message in await broker.replay(HISTORY_STREAM, 2)] == bodies
