"""The broker as a test sees it: puts messages in, takes them out, counts them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractExchange, AbstractIncomingMessage

from shared.messaging.topology import ExchangeName, QueueSpec, declare_exchanges, declare_queue
from tests.fixtures.waiting import DEADLINE_SECONDS, eventually


class Broker:
    """One virtual host."""

    def __init__(self, url: str, connection: aio_pika.abc.AbstractConnection, channel: AbstractChannel) -> None:
        self.url = url
        self._connection = connection
        self._channel = channel
        self._exchanges: dict[ExchangeName, AbstractExchange] = {}

    async def declare(self, *queues: QueueSpec) -> None:
        """Declare the exchanges and these queues."""
        self._exchanges = await declare_exchanges(self._channel)
        for queue in queues:
            await declare_queue(self._channel, queue)

    async def publish(self, *bodies: bytes, routing_key: str, exchange: ExchangeName = ExchangeName.EVENTS) -> None:
        """Publish and wait until the broker has confirmed."""
        await asyncio.gather(
            *(
                self._exchanges[exchange].publish(
                    aio_pika.Message(body, delivery_mode=aio_pika.DeliveryMode.PERSISTENT), routing_key, mandatory=False
                )
                for body in bodies
            )
        )

    async def count(self, queue: str) -> int:
        """Number of messages ready in a queue; without those that a consumer has not acknowledged."""
        async with self._connection.channel() as channel:
            declared = await channel.declare_queue(queue, passive=True)
            return declared.declaration_result.message_count or 0

    async def take(self, queue: str, number: int = 1) -> list[AbstractIncomingMessage]:
        """Take so many messages out of a queue, in order, waiting for each."""
        declared = await self._channel.get_queue(queue, ensure=False)
        taken = []
        for _ in range(number):

            async def next_one() -> AbstractIncomingMessage | None:
                return await declared.get(fail=False, no_ack=True)

            message = await eventually(next_one)
            assert message is not None
            taken.append(message)
        return taken

    async def replay(self, stream: str, number: int) -> list[AbstractIncomingMessage]:
        """The first messages of a stream."""
        async with self._connection.channel() as channel:
            await channel.set_qos(prefetch_count=number)
            queue = await channel.get_queue(stream, ensure=False)
            arrived: asyncio.Queue[AbstractIncomingMessage] = asyncio.Queue()
            await queue.consume(arrived.put, arguments={"x-stream-offset": "first"})
            return [await asyncio.wait_for(arrived.get(), DEADLINE_SECONDS) for _ in range(number)]


@asynccontextmanager
async def broker_at(url: str) -> AsyncIterator[Broker]:
    """A broker, connected and with its exchanges."""
    async with await aio_pika.connect(url) as connection, connection.channel() as channel:
        broker = Broker(url, connection, channel)
        await broker.declare()
        yield broker
