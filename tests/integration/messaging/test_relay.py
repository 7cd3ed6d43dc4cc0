"""The outbox relay on a real database and a real broker."""

import asyncio
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from uuid import UUID

from aio_pika import DeliveryMode
from sqlalchemy import text

from shared.background import run_workers
from shared.database.engine import Database
from shared.events.envelope import CONTENT_TYPE, parse
from shared.events.imports import ImportRequested
from shared.messaging.outbox import Outbox
from shared.messaging.relay import BATCH, RELAY_LOCK, Relay, RelayTimings
from shared.messaging.topology import HISTORY_STREAM, ExchangeName, QueueSpec
from tests.fixtures.waiting import eventually
from tests.integration.messaging.broker import Broker
from tests.integration.messaging.link import link_to

EVERYTHING = QueueSpec(name="everything", exchange=ExchangeName.EVENTS, bindings=("#",))
COMMANDS = QueueSpec(name="commands", exchange=ExchangeName.COMMANDS, bindings=(ImportRequested.event_type,))
outbox = Outbox("/test")


def relaying(*relays: Relay) -> AbstractAsyncContextManager[None]:
    return run_workers(relays, stop_seconds=5)


async def add_event(database: Database, number: int) -> None:
    """Store an event with a number; its type does not matter here."""
    async with database.transaction() as connection:
        await outbox.add(connection, 1, ImportRequested(import_id=number))


async def add_command(database: Database, number: int) -> None:
    async with database.transaction() as connection:
        await outbox.command(connection, 1, ImportRequested(import_id=number))


async def pending(database: Database) -> int:
    async with database.transaction() as connection:
        return int((await connection.execute(text("SELECT count(*) FROM outbox"))).scalar_one())


async def nothing_pending(database: Database) -> None:
    async def condition() -> bool:
        return await pending(database) == 0

    await eventually(condition)


async def numbers(broker: Broker, count: int, queue: QueueSpec = EVERYTHING) -> list[object]:
    """The numbers of the next messages of a queue."""
    return [parse(message.body).data["import_id"] for message in await broker.take(queue.name, count)]


async def test_a_committed_event_is_published_and_its_row_deleted(
    database: Database, database_url: str, broker: Broker
) -> None:
    await broker.declare(EVERYTHING)
    async with database.transaction() as connection:
        await outbox.add(connection, 7, ImportRequested(import_id=1))
        event_id: UUID = (await connection.execute(text("SELECT event_id FROM outbox"))).scalar_one()

    async with relaying(Relay(database_url, broker.url)):
        [message] = await broker.take(EVERYTHING.name)
        await nothing_pending(database)

    envelope = parse(message.body)
    assert (envelope.id, envelope.type, envelope.companyid) == (event_id, "import.requested.v1", 7)
    assert (message.message_id, message.type, message.routing_key) == (
        str(event_id),
        "import.requested.v1",
        "import.requested.v1",
    )
    assert message.delivery_mode == DeliveryMode.PERSISTENT
    assert message.content_type == CONTENT_TYPE
    assert message.headers["company_id"] == 7


async def test_an_event_that_was_rolled_back_is_not_published(
    database: Database, database_url: str, broker: Broker
) -> None:
    await broker.declare(EVERYTHING)
    async with database.transaction() as connection:
        await outbox.add(connection, 1, ImportRequested(import_id=1))
        await connection.rollback()
    await add_event(database, 2)

    async with relaying(Relay(database_url, broker.url)):
        assert await numbers(broker, 1) == [2]
        await nothing_pending(database)
    assert await broker.count(EVERYTHING.name) == 0


async def test_events_are_published_in_the_order_of_their_ids(
    database: Database, database_url: str, broker: Broker
) -> None:
    await broker.declare(EVERYTHING)
    more_than_two_batches = 2 * BATCH + 50
    async with database.transaction() as connection:
        await outbox.add(connection, 1, *(ImportRequested(import_id=n) for n in range(more_than_two_batches)))

    async with relaying(Relay(database_url, broker.url)):
        assert await numbers(broker, more_than_two_batches) == list(range(more_than_two_batches))


async def test_an_event_committed_after_a_later_one_is_not_stepped_over(
    database: Database, database_url: str, broker: Broker
) -> None:
    await broker.declare(EVERYTHING)
    async with relaying(Relay(database_url, broker.url)):
        async with database.transaction() as slow:
            await outbox.add(slow, 1, ImportRequested(import_id=1))
            await add_event(database, 2)
            assert await numbers(broker, 1) == [2]
        assert await numbers(broker, 1) == [1]


async def test_a_commit_wakes_the_relay(database: Database, database_url: str, broker: Broker) -> None:
    await broker.declare(EVERYTHING)
    async with relaying(Relay(database_url, broker.url, timings=RelayTimings(poll=3600))):
        await add_event(database, 1)  # wakes it, or is found by its first look
        assert await numbers(broker, 1) == [1]
        await nothing_pending(database)
        await add_event(database, 2)
        assert await numbers(broker, 1) == [2]


async def test_an_event_whose_notification_was_lost_is_found(
    database: Database, database_url: str, broker: Broker
) -> None:
    await broker.declare(EVERYTHING)
    async with database.transaction() as connection:
        await connection.execute(text("DROP TRIGGER outbox_written ON outbox"))
    async with relaying(Relay(database_url, broker.url)):
        await add_event(database, 1)
        assert await numbers(broker, 1) == [1]
        await nothing_pending(database)
        await add_event(database, 2)
        assert await numbers(broker, 1) == [2]


async def test_an_event_that_could_not_be_deleted_is_sent_again_with_the_same_id(
    database: Database, database_url: str, broker: Broker
) -> None:
    await broker.declare(EVERYTHING)
    async with database.transaction() as connection:
        await connection.execute(text("CREATE RULE no_delete AS ON DELETE TO outbox DO INSTEAD SELECT 1/0"))
    await add_event(database, 1)

    async with relaying(Relay(database_url, broker.url)):
        first, again = await broker.take(EVERYTHING.name, 2)
        async with database.transaction() as connection:
            await connection.execute(text("DROP RULE no_delete ON outbox"))
        await nothing_pending(database)
    assert first.message_id == again.message_id
    assert first.body == again.body


async def test_the_broker_hangs_up_and_the_relay_comes_back(
    database: Database, database_url: str, broker: Broker
) -> None:
    await broker.declare(EVERYTHING)
    async with link_to(broker.url) as link, relaying(Relay(database_url, link.url)):
        await add_event(database, 1)
        assert await numbers(broker, 1) == [1]
        await nothing_pending(database)
        await link.cut()
        await add_event(database, 2)
        assert await numbers(broker, 1) == [2]


async def test_events_written_while_the_broker_is_away_wait_for_it(
    database: Database, database_url: str, broker: Broker
) -> None:
    await broker.declare(EVERYTHING)
    async with link_to(broker.url) as link:
        relay = Relay(database_url, link.url)
        async with relaying(relay):
            await add_event(database, 1)
            await nothing_pending(database)
            await link.close()
            for number in range(2, 12):
                await add_event(database, number)

            async def noticed() -> bool:
                return not relay.ready

            await eventually(noticed)
            assert await pending(database) == 10
            link.open()
            assert await numbers(broker, 11) == list(range(1, 12))
            await nothing_pending(database)


async def test_a_relay_with_nothing_to_send_notices_that_the_broker_has_gone(database_url: str, broker: Broker) -> None:
    async with link_to(broker.url) as link:
        active, standby = Relay(database_url, link.url), Relay(database_url, link.url)

        async def both_ready() -> bool:
            return active.ready and standby.ready

        async def neither_ready() -> bool:
            return not active.ready and not standby.ready

        async with relaying(active, standby):
            await eventually(both_ready)
            await link.close()
            await eventually(neither_ready)
            link.open()
            await eventually(both_ready)


async def test_the_database_hangs_up_and_the_relay_comes_back(
    database: Database, database_url: str, broker: Broker
) -> None:
    await broker.declare(EVERYTHING)
    async with relaying(Relay(database_url, broker.url)):
        await add_event(database, 1)
        assert await numbers(broker, 1) == [1]
        await nothing_pending(database)
        async with database.transaction() as connection:
            killed = await connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE application_name = :name AND datname = current_database()"
                ),
                {"name": Relay.name},
            )
            assert killed.scalars().all() == [True]
        await add_event(database, 2)
        assert await numbers(broker, 1) == [2]


async def test_of_two_relays_one_is_active_and_the_other_takes_over(
    database: Database, database_url: str, broker: Broker
) -> None:
    await broker.declare(EVERYTHING)
    first, second = Relay(database_url, broker.url), Relay(database_url, broker.url)

    async def holders() -> list[int]:
        async with database.transaction() as connection:
            rows = await connection.execute(
                text(
                    "SELECT l.pid FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
                    " WHERE locktype = 'advisory' AND objid = :lock AND granted AND a.datname = current_database()"
                ),
                {"lock": RELAY_LOCK},
            )
            return list(rows.scalars())

    async def is_standby() -> bool:
        return second.ready

    async with AsyncExitStack() as until_end:
        async with relaying(first):
            active = await eventually(holders)
            await until_end.enter_async_context(relaying(second))
            await eventually(is_standby)
            for number in range(20):
                await add_event(database, number)
            assert await numbers(broker, 20) == list(range(20))
            await nothing_pending(database)
            assert await holders() == active
            assert await broker.count(EVERYTHING.name) == 0
        await add_event(database, 20)
        assert await numbers(broker, 1) == [20]


async def test_a_relay_whose_database_falls_silent_gives_way_to_one_that_reaches_it(
    database: Database, database_url: str, broker: Broker
) -> None:
    """Fails when the relay waits for an answer for ever, and so keeps its lock: `command_timeout` is the guard."""
    await broker.declare(EVERYTHING)
    timings = RelayTimings(database_timeout=0.3)
    async with link_to(database_url) as link, relaying(Relay(link.url, broker.url, timings=timings)):
        await add_event(database, 1)
        assert await numbers(broker, 1) == [1]
        await nothing_pending(database)
        link.delay_responses()
        async with relaying(Relay(database_url, broker.url)):
            await add_event(database, 2)
            assert await numbers(broker, 1) == [2]


async def test_a_command_without_a_queue_is_stored_and_sent_once_there_is_one(
    database: Database, database_url: str, broker: Broker
) -> None:
    await broker.declare(EVERYTHING)
    await add_command(database, 1)
    await add_event(database, 2)

    async def refused() -> bool:
        async with database.transaction() as connection:
            row = await connection.execute(
                text("SELECT attempts, last_error FROM outbox WHERE exchange = 'voice.commands'")
            )
            attempts, last_error = row.one()
            return attempts >= 2 and last_error is not None

    async with relaying(Relay(database_url, broker.url, timings=RelayTimings(returned_retry=0.1))):
        assert await numbers(broker, 1) == [2]  # its neighbour goes on
        await eventually(refused)
        await broker.declare(COMMANDS)
        assert await numbers(broker, 1, COMMANDS) == [1]
        await nothing_pending(database)


async def test_a_command_waits_in_its_queue_for_a_first_consumer(
    database: Database, database_url: str, broker: Broker
) -> None:
    await add_command(database, 1)
    async with relaying(Relay(database_url, broker.url, command_queues=(COMMANDS,))):
        await nothing_pending(database)
        assert await numbers(broker, 1, COMMANDS) == [1]


async def test_the_history_keeps_events_that_were_consumed_long_ago(
    database: Database, database_url: str, broker: Broker
) -> None:
    await broker.declare(EVERYTHING)
    async with relaying(Relay(database_url, broker.url)):
        for number in range(5):
            await add_event(database, number)
        await numbers(broker, 5)
    history = await asyncio.wait_for(broker.replay(HISTORY_STREAM, 5), 15)
    assert [parse(message.body).data["import_id"] for message in history] == list(range(5))
