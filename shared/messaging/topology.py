"""Exchanges and queues: what there is on the broker, declared by whoever needs it, as often as it likes.

::

    voice.events   topic   -> voice.events.history (stream)
                           -> one queue a projection  --rejected--> voice.dead -> <queue>.dead
    voice.commands direct  -> one queue a command     --rejected--> voice.dead -> <queue>.dead
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import structlog
from aio_pika import ExchangeType
from aio_pika.abc import AbstractChannel, AbstractExchange, AbstractQueue, HeadersType
from aio_pika.exceptions import ChannelPreconditionFailed

HISTORY_STREAM = "voice.events.history"
HISTORY_MAX_BYTES = 5_000_000_000
HISTORY_MAX_AGE = "90D"
DEAD_LETTERS_SUFFIX = ".dead"

logger = structlog.get_logger(__name__)


class ExchangeName(StrEnum):
    """The product's exchanges."""

    EVENTS = "voice.events"
    """What happened, for everyone: routing key is the event's type."""
    COMMANDS = "voice.commands"
    """What is to be done, for one queue each: a command must have its queue."""
    DEAD = "voice.dead"
    """What a queue gave up on; routing key is that queue's name."""


@dataclass(frozen=True, slots=True)
class QueueSpec:
    """A quorum queue with its own dead letters.

    Parameters
    ----------
    name
        The queue's name; its dead letters wait in ``<name>.dead``.
    exchange, bindings
        What flows into it. Routing keys may hold wildcards on a topic exchange.
    delivery_limit
        How often a message may be returned before it is a dead letter.
    ordered
        One consumer at a time (single active consumer), for handlers that need the order kept.
    """

    name: str
    exchange: ExchangeName
    bindings: tuple[str, ...]
    delivery_limit: int = 5
    ordered: bool = False

    @property
    def dead_letters(self) -> str:
        """Name of the queue that keeps what this one gave up on."""
        return f"{self.name}{DEAD_LETTERS_SUFFIX}"

    def takes(self, routing_key: str) -> bool:
        """Whether one of the bindings matches, as on a topic exchange: ``*`` is one word, ``#`` at the end any."""
        return any(re.fullmatch(_pattern(binding), routing_key) for binding in self.bindings)


def _pattern(binding: str) -> str:
    return re.escape(binding).replace(r"\.\#", r"(\..+)?").replace(r"\*", r"[^.]+")


async def declare_exchanges(channel: AbstractChannel) -> dict[ExchangeName, AbstractExchange]:
    """Declare every exchange, and the stream that keeps the history of events."""
    kinds = {
        ExchangeName.EVENTS: ExchangeType.TOPIC,
        ExchangeName.COMMANDS: ExchangeType.DIRECT,
        ExchangeName.DEAD: ExchangeType.DIRECT,
    }
    exchanges: dict[ExchangeName, AbstractExchange] = {
        name: await channel.declare_exchange(name, kind, durable=True) for name, kind in kinds.items()
    }
    history = await channel.declare_queue(
        HISTORY_STREAM,
        durable=True,
        arguments={
            "x-queue-type": "stream",
            "x-max-length-bytes": HISTORY_MAX_BYTES,
            "x-max-age": HISTORY_MAX_AGE,
        },
    )
    await history.bind(exchanges[ExchangeName.EVENTS], "#")
    return exchanges


async def declare_queue(channel: AbstractChannel, spec: QueueSpec) -> AbstractQueue:
    """Declare a queue, its dead letters and its bindings; the exchanges must exist."""
    if not await declare_dead_letters(channel, spec.dead_letters):
        logger.warning("dead_letters_have_other_arguments", queue=spec.dead_letters)
    dead = await channel.get_queue(spec.dead_letters, ensure=False)
    await dead.bind(ExchangeName.DEAD, spec.name)
    queue = await channel.declare_queue(
        spec.name,
        durable=True,
        arguments={
            "x-queue-type": "quorum",
            "x-delivery-limit": spec.delivery_limit,
            "x-dead-letter-exchange": ExchangeName.DEAD.value,
            "x-dead-letter-routing-key": spec.name,
            # At-least-once: a dead letter leaves this queue only when the other has confirmed it.
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",
            **({"x-single-active-consumer": True} if spec.ordered else {}),
        },
    )
    for key in spec.bindings:
        await queue.bind(spec.exchange, key)
    return queue


async def declare_dead_letters(channel: AbstractChannel, name: str) -> bool:
    """Declare a queue of dead letters: nothing ever leaves it by itself, however often it is looked at.

    RabbitMQ 4 drops a message that was returned 20 times, unless its queue says otherwise; brokers before it have no
    such limit, and refuse to be told that there is none.

    Returns
    -------
    bool
        False if the queue was made with other arguments, by an earlier version or under an earlier broker. Arguments
        cannot be changed, and what waits in the queue is worth more than a limit: it is used as it is.
    """
    underlay = await channel.get_underlay_channel()
    arguments: HeadersType = {"x-queue-type": "quorum"}
    if _major_version(underlay.connection.server_properties) >= 4:
        arguments["x-delivery-limit"] = -1
    # On a channel of its own: a refusal closes it.
    trial = await underlay.connection.channel()
    try:
        await trial.queue_declare(name, durable=True, arguments=arguments)
    except ChannelPreconditionFailed:
        return False
    await trial.close()
    return True


def _major_version(server_properties: Mapping[str, object]) -> int:
    version = server_properties.get("version")
    text = version.decode() if isinstance(version, bytes) else str(version)
    major = text.partition(".")[0]
    return int(major) if major.isdecimal() else 0
