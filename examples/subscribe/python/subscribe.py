"""Follow the events of Voice Campaigns: print a line for each event of created leads.

    pip install aio-pika
    AMQP_URL=amqp://crm:PASSWORD@HOST:5672/voice python subscribe.py crm.new-leads lead.created.v1

The arguments are the queue, whose name begins with the account's name and a dot, and the bindings, which select the
events of the queue. SIGTERM or Ctrl-C ends the program; unacknowledged events are delivered again when it is back.
"""

import asyncio
import json
import os
import signal
import sys
from typing import Any

import aio_pika
from aio_pika.abc import AbstractIncomingMessage

EXCHANGE = "voice.events"
HANDLED_TYPE = "lead.created.v1"
PREFETCH = 50
MAX_APPLIED_IDS = 10_000
RETRY_SECONDS = 1.0


class Subscriber:
    """Consumes one queue and applies each event once."""

    def __init__(self, url: str, queue: str, bindings: list[str]) -> None:
        self._url = url
        self._queue = queue
        self._bindings = bindings
        # In memory, the ids are lost with the process. Where applying an event twice does harm, store the ids in the
        # database that the work changes, in the same transaction.
        self._applied: dict[str, None] = {}

    async def run(self) -> None:
        """Consume until cancelled; when a connection is lost, connect again."""
        while True:
            try:
                await self._consume()
                reason = "the connection was closed"
            except (aio_pika.exceptions.AMQPError, OSError, RuntimeError, TimeoutError) as error:
                reason = f"{type(error).__name__}: {error}"
            log(f"{reason}; connecting again in {RETRY_SECONDS:.0f} s")
            await asyncio.sleep(RETRY_SECONDS)

    async def _consume(self) -> None:
        connection = await aio_pika.connect(self._url, timeout=10)
        async with connection:
            channel = await connection.channel()
            await channel.set_qos(prefetch_count=PREFETCH)
            quorum: dict[str, Any] = {"x-queue-type": "quorum"}
            # The dead letters of all queues of this account.
            account = self._queue.partition(".")[0]
            await channel.declare_queue(f"{account}.dead", durable=True, arguments=quorum)
            queue = await channel.declare_queue(self._queue, durable=True, arguments=quorum)
            for binding in self._bindings:
                await queue.bind(EXCHANGE, binding)
            async with queue.iterator() as messages:
                log(f"consuming {self._queue}")
                async for message in messages:
                    await self._handle(message)

    async def _handle(self, message: AbstractIncomingMessage) -> None:
        try:
            event = json.loads(message.body)
            self._apply(event)
        except (ValueError, KeyError, TypeError) as error:
            log(f"rejected {message.message_id}: {error!r}")
            # It becomes a dead letter: a retry would not help. For work that may succeed later, use requeue=True; after
            # the queue's delivery limit the event becomes a dead letter too.
            await message.reject(requeue=False)
            return
        await message.ack()

    def _apply(self, event: dict[str, Any]) -> None:
        if event["type"] != HANDLED_TYPE or event["id"] in self._applied:
            return
        handle_created_leads(event)
        self._applied[event["id"]] = None
        if len(self._applied) > MAX_APPLIED_IDS:
            del self._applied[next(iter(self._applied))]


def handle_created_leads(event: dict[str, Any]) -> None:
    """Do the work: print the leads."""
    leads = ", ".join(f"{lead['id']} {lead['phone']}" for lead in event["data"]["leads"])
    print(f"{event['id']} {event['type']} company {event['companyid']}: {leads}", flush=True)


def log(text: str) -> None:
    """Write to standard error; standard output is for the work."""
    print(text, file=sys.stderr, flush=True)


async def main(queue: str, bindings: list[str]) -> None:
    """Consume until SIGTERM or SIGINT."""
    task = asyncio.ensure_future(Subscriber(os.environ["AMQP_URL"], queue, bindings).run())
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        log("ended")


if __name__ == "__main__":
    if len(sys.argv) < 3 or "AMQP_URL" not in os.environ:
        sys.exit("usage: AMQP_URL=amqp://… python subscribe.py QUEUE BINDING…")
    asyncio.run(main(sys.argv[1], sys.argv[2:]))
