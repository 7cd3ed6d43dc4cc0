"""What the account of a subscriber may do on a real broker, and what it is refused."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from urllib.parse import urlsplit

import aio_pika
import httpx
import pytest
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage
from aio_pika.exceptions import AMQPConnectionError, AMQPError, ChannelPreconditionFailed
from aiormq.abc import FieldTable
from aiormq.exceptions import ChannelAccessRefused

from deploy.local import rabbitmq
from deploy.local.errors import StackError
from deploy.local.subscribers import DELIVERY_LIMIT, RESERVED, Subscriber
from operations.queues import queue_names
from shared.messaging.topology import HISTORY_STREAM, ExchangeName, QueueSpec
from tests.fixtures.servers import ServerUrls, management_api
from tests.fixtures.subscribing import Account, account_on
from tests.fixtures.waiting import DEADLINE_SECONDS, eventually

OTHERS = QueueSpec(name="lead.campaigns", exchange=ExchangeName.EVENTS, bindings=("campaign.#",))
QUORUM: FieldTable = {"x-queue-type": "quorum"}
Attempt = Callable[[AbstractChannel, str], Awaitable[object]]


@pytest.fixture(scope="module")
async def account(servers: ServerUrls) -> AsyncIterator[Account]:
    """An account beside a queue of the product's own."""
    async with account_on(servers) as account:
        await account.broker.declare(OTHERS)
        yield account


@pytest.fixture
async def channel(account: Account) -> AsyncIterator[AbstractChannel]:
    """A channel of the account's own."""
    async with await aio_pika.connect(account.url) as connection:
        yield await connection.channel()


async def declare(channel: AbstractChannel, queue: str, **arguments: str) -> aio_pika.abc.AbstractQueue:
    """Declare a quorum queue."""
    return await channel.declare_queue(queue, durable=True, arguments={**QUORUM, **arguments})


async def publish(channel: AbstractChannel, exchange: str, key: str) -> None:
    """Publish to an exchange, whose name may be empty, without a declaration."""
    to = await channel.get_exchange(exchange, ensure=False) if exchange else channel.default_exchange
    await to.publish(aio_pika.Message(b"{}"), key)


async def bind(channel: AbstractChannel, queue: str, exchange: str) -> None:
    """Bind a queue that is there already."""
    await (await channel.get_queue(queue, ensure=False)).bind(exchange, "#")


async def bind_exchange(channel: AbstractChannel, destination: str, source: str) -> None:
    """Have what one exchange gets flow into another."""
    await (await channel.get_exchange(destination, ensure=False)).bind(source, "#")


async def consume(channel: AbstractChannel, queue: str) -> None:
    """Consume a queue that is there already."""
    await channel.set_qos(10)
    arrived: asyncio.Queue[AbstractIncomingMessage] = asyncio.Queue()
    await (await channel.get_queue(queue, ensure=False)).consume(arrived.put)


FORBIDDEN: dict[str, Attempt] = {
    "publish an event": lambda channel, _: publish(channel, "voice.events", "lead.created.v1"),
    "publish a command": lambda channel, _: publish(channel, "voice.commands", "import.requested.v1"),
    "publish a dead letter": lambda channel, _: publish(channel, "voice.dead", OTHERS.name),
    "publish to another's queue": lambda channel, _: publish(channel, "", OTHERS.name),
    "publish to its own queue": lambda channel, name: publish(channel, "", f"{name}.leads"),
    "declare a queue of its bare name": declare,
    "declare a queue of a longer name": lambda channel, name: declare(channel, f"{name}x.leads"),
    "declare a queue whose name has its own inside": lambda channel, name: declare(channel, f"x.{name}.leads"),
    "declare a queue without a name": lambda channel, _: channel.declare_queue(exclusive=True),
    "declare an exchange": lambda channel, _: channel.declare_exchange("other", "topic"),
    "declare the exchange of events again": lambda channel, _: channel.declare_exchange(
        "voice.events", "topic", durable=True
    ),
    "delete the exchange of events": lambda channel, _: channel.exchange_delete("voice.events"),
    "delete the history": lambda channel, _: channel.queue_delete(HISTORY_STREAM),
    "consume another's queue": lambda channel, _: consume(channel, OTHERS.name),
    "consume another's dead letters": lambda channel, _: consume(channel, OTHERS.dead_letters),
    "bind another's queue": lambda channel, _: bind(channel, OTHERS.name, "voice.events"),
    "bind a queue to commands": lambda channel, name: bind(channel, f"{name}.leads", "voice.commands"),
    "bind a queue to dead letters": lambda channel, name: bind(channel, f"{name}.leads", "voice.dead"),
    # What it could publish to by a detour, through an exchange of its own namespace or the broker's dead-lettering.
    "have its exchange flow into events": lambda channel, name: bind_exchange(channel, "voice.events", f"{name}.own"),
    "have its exchange flow into another's queue": lambda channel, name: bind(channel, OTHERS.name, f"{name}.own"),
    "have dead letters published as events": lambda channel, name: declare(
        channel, f"{name}.detour", **{"x-dead-letter-exchange": "voice.events"}
    ),
    "have dead letters put into any queue": lambda channel, name: declare(
        channel, f"{name}.detour", **{"x-dead-letter-exchange": "", "x-dead-letter-routing-key": OTHERS.name}
    ),
    "have what its exchange cannot route published": lambda channel, name: channel.declare_exchange(
        f"{name}.alternate", "fanout", arguments={"alternate-exchange": "voice.events"}
    ),
}


@pytest.mark.parametrize("attempt", FORBIDDEN)
async def test_is_refused(account: Account, channel: AbstractChannel, attempt: str) -> None:
    await declare(channel, f"{account.name}.leads")
    await channel.declare_exchange(f"{account.name}.own", "topic", durable=True)
    with pytest.raises(ChannelAccessRefused, match="ACCESS_REFUSED"):
        await FORBIDDEN[attempt](channel, account.name)


async def test_dead_letters_cannot_be_sent_elsewhere_by_their_key(account: Account, channel: AbstractChannel) -> None:
    with pytest.raises(ChannelPreconditionFailed):
        await declare(channel, f"{account.name}.detour", **{"x-dead-letter-routing-key": OTHERS.name})


async def test_the_history_cannot_be_emptied(account: Account, channel: AbstractChannel) -> None:
    history = await channel.get_queue(HISTORY_STREAM, ensure=False)
    with pytest.raises(AMQPError):
        await history.purge()
    await account.broker.publish(b"still here", routing_key="stored.v1")
    assert await account.broker.replay(HISTORY_STREAM, 1)


async def test_the_management_interface_is_closed_to_it(account: Account) -> None:
    rights = urlsplit(account.url)
    own = (rights.username or "", rights.password or "")
    address = urlsplit(account.management)
    async with httpx.AsyncClient(
        base_url=f"http://{address.hostname}:{address.port}", auth=own, trust_env=False
    ) as api:
        assert (await api.get("/api/queues")).status_code == httpx.codes.UNAUTHORIZED


async def received(
    channel: AbstractChannel, queue: str, arguments: dict[str, str] | None = None
) -> AbstractIncomingMessage:
    """The next message of a queue, acknowledged."""
    arrived: asyncio.Queue[AbstractIncomingMessage] = asyncio.Queue()
    await channel.set_qos(10)
    await (await channel.get_queue(queue, ensure=False)).consume(arrived.put, arguments=dict(arguments or {}))
    message = await asyncio.wait_for(arrived.get(), DEADLINE_SECONDS)
    await message.ack()
    return message


async def test_it_reads_events_by_a_queue_of_its_own_and_the_history(
    account: Account, channel: AbstractChannel
) -> None:
    queue = await declare(channel, f"{account.name}.created")
    await queue.bind(ExchangeName.EVENTS, "lead.created.*")
    await account.broker.publish(b"event", routing_key="lead.created.v1")
    assert (await received(channel, queue.name)).body == b"event"
    assert await received(channel, HISTORY_STREAM, {"x-stream-offset": "first"})
    await channel.queue_delete(queue.name)


async def test_a_message_that_is_rejected_or_expires_is_in_its_own_dead_letters(
    account: Account, channel: AbstractChannel
) -> None:
    dead = await declare(channel, f"{account.name}.dead")
    queue = await declare(channel, f"{account.name}.failing")
    await queue.bind(ExchangeName.EVENTS, "fails.#")
    deliveries = 0

    async def fail(message: AbstractIncomingMessage) -> None:
        nonlocal deliveries
        deliveries += 1
        await message.reject(requeue=message.body == b"later")

    await channel.set_qos(1)
    await queue.consume(fail)
    await account.broker.publish(b"never", b"later", routing_key="fails.v1")
    taken = await account.broker.take(dead.name, 2)
    assert {message.body for message in taken} == {b"never", b"later"}
    assert deliveries == 1 + 1 + DELIVERY_LIMIT


async def test_a_full_queue_blocks_no_publisher(account: Account, channel: AbstractChannel) -> None:
    full: FieldTable = {**QUORUM, "x-max-length": 1, "x-overflow": "reject-publish"}
    queue = await channel.declare_queue(f"{account.name}.full", durable=True, arguments=full)
    await queue.bind(ExchangeName.EVENTS, "fills.#")
    for number in range(4):  # each is confirmed, or this raises
        await account.broker.publish(str(number).encode(), routing_key="fills.v1")


async def test_a_new_password_ends_the_old_one_and_what_is_connected_with_it(servers: ServerUrls) -> None:
    async with account_on(servers) as account:
        channel = await (await aio_pika.connect(account.url)).channel()

        async def known() -> bool:
            async with management_api(servers.management) as api:
                return bool((await api.get(f"/api/connections/username/{account.name}")).json())

        await eventually(known)
        url = account.rotate()
        await asyncio.wait_for(channel.closed(), DEADLINE_SECONDS)
        with pytest.raises(AMQPConnectionError):
            await aio_pika.connect(account.url)
        async with await aio_pika.connect(url) as again:
            assert not again.is_closed


@pytest.mark.parametrize("name", ["", "CRM", "crm.eu", "1crm", "crm_x", "crm x", ".*", "crm\n", "c" * 32])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(StackError, match="NAME"):
        Subscriber(name)


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_a_name_of_the_products_own_is_refused(name: str) -> None:
    with pytest.raises(StackError, match="uses itself"):
        Subscriber(name)


def test_every_queue_of_the_product_has_a_reserved_name() -> None:
    own = [*queue_names(), *ExchangeName, HISTORY_STREAM, rabbitmq.USER]
    assert {name.partition(".")[0] for name in own} <= RESERVED
