"""Exchanges and queues of the broker. Each process declares those that it needs, at every start.

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
    """Events, for every consumer; the routing key is the event's type."""
    COMMANDS = "voice.commands"
    """Commands, each for one queue, which must exist."""
    DEAD = "voice.dead"
    """Dead letters; the routing key is the name of the queue that rejected them."""


@dataclass(frozen=True, slots=True)
class QueueSpec:
    """A quorum queue with its own dead letters.

    Parameters
    ----------
    name
        The queue's name; its dead letters are in ``<name>.dead``.
    exchange, bindings
        The exchange, and the routing keys of the messages it receives; with wildcards on a topic exchange.
    delivery_limit
        How often a message may be requeued before it is a dead letter.
    ordered
        One consumer at a time (single active consumer), for handlers that depend on the order.
    """

    name: str
    exchange: ExchangeName
    bindings: tuple[str, ...]
    delivery_limit: int = 5
    ordered: bool = False

    @property
    def dead_letters(self) -> str:
        """Name of the queue of this one's dead letters."""
        return f"{self.name}{DEAD_LETTERS_SUFFIX}"

    def accepts(self, routing_key: str) -> bool:
        """Return whether a binding matches, as on a topic exchange: ``*`` is one word, ``#`` at the end any."""
        return any(re.fullmatch(_pattern(binding), routing_key) for binding in self.bindings)


def _pattern(binding: str) -> str:
    return re.escape(binding).replace(r"\.\#", r"(\..+)?").replace(r"\*", r"[^.]+")


async def declare_exchanges(channel: AbstractChannel) -> dict[ExchangeName, AbstractExchange]:
    """Declare every exchange, and the stream of the history of events."""
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
            # At-least-once: a dead letter is deleted here only when its queue has confirmed it.
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",
            **({"x-single-active-consumer": True} if spec.ordered else {}),
        },
    )
    for key in spec.bindings:
        await queue.bind(spec.exchange, key)
    return queue


async def declare_dead_letters(channel: AbstractChannel, name: str) -> bool:
    """Declare a queue of dead letters: no message ever leaves it by itself, however often it is read.

    RabbitMQ 4 drops a message that was requeued 20 times, unless an argument of its queue lifts the limit; brokers
    before it have no such limit, and reject the argument.

    Returns
    -------
    bool
        False if the queue was declared with other arguments, by an earlier version or under an earlier broker.
        Arguments cannot be changed, and the messages in the queue are worth more than a limit: it is used as it is.
    """
    underlay = await channel.get_underlay_channel()
    arguments: HeadersType = {"x-queue-type": "quorum"}
    if _major_version(underlay.connection.server_properties) >= 4:
        arguments["x-delivery-limit"] = -1
    # On a channel of its own: an error closes it.
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
