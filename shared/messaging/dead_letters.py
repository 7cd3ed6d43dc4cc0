"""Dead letters: messages that queues rejected, for an operator to read, retry or drop.

Reading consumes all dead letters of a queue at once, without acknowledging them, and requeues them by closing the
channel: the broker then restores their order. Consuming only some of them would not do: a requeued message comes
before one that was never consumed, so a second reading of fewer would reverse their order.
"""

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage, DeliveryMode, HeadersType
from aio_pika.exceptions import ChannelNotFoundEntity, DeliveryError

from shared.events.envelope import Envelope, parse
from shared.messaging.topology import DEAD_LETTERS_SUFFIX, declare_dead_letters

MAX_READ: Final = 65_535
"""Maximum number of messages that are read; AMQP's limit for the unacknowledged messages of one consumer."""
BATCH: Final = 50
"""Messages retried at once."""
TIMEOUT_SECONDS: Final = 5.0
"""Timeout for the next message, and for the broker's confirmation of one that is retried."""
RETRIES: Final = "retries"
"""Header that counts how often a message was retried."""
_BROKER_HEADERS: Final = ("x-death", "x-first-death-", "x-last-death-", "x-delivery-count", "x-acquired-count")
"""Beginnings of the broker's headers about the history of a message; a retried message starts without them."""


class NoSuchQueueError(Exception):
    """The broker has no queue of this name."""


class RetryError(Exception):
    """The queue did not accept a retried message, which is still a dead letter."""


@dataclass(frozen=True, slots=True)
class Death:
    """One reason why a message became a dead letter, and how often it did."""

    queue: str
    reason: str
    count: int
    at: datetime | None


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that a queue rejected."""

    queue: str
    """The queue that rejected it."""
    message: AbstractIncomingMessage

    @property
    def id(self) -> str:
        """The message's id; without one, a hash of its body."""
        return self.message.message_id or f"body-{hashlib.sha256(self.message.body).hexdigest()[:16]}"

    @property
    def event(self) -> Envelope | None:
        """The event it carries; None when it cannot be read."""
        try:
            return parse(self.message.body)
        except ValueError:
            return None

    @property
    def deaths(self) -> Sequence[Death]:
        """The reasons for which it is here, newest first."""
        deaths = self.message.headers.get("x-death")
        return [_death(death) for death in deaths if isinstance(death, dict)] if isinstance(deaths, list) else []

    @property
    def reason(self) -> str:
        """The first reason: ``rejected`` (it cannot be read) or ``delivery_limit`` (it failed too often)."""
        return str(self.message.headers.get("x-first-death-reason", "unknown"))

    @property
    def retries(self) -> int:
        """How often an operator retried it."""
        retries = self.message.headers.get(RETRIES)
        return retries if isinstance(retries, int) else 0

    def as_json(self) -> dict[str, Any]:
        """Return all its details: enough to publish it again, byte for byte."""
        event = self.event
        details: dict[str, Any] = {
            "queue": self.queue,
            "id": self.id,
            "type": event.type if event else self.message.type,
            "event_id": event.id if event else None,
            "company_id": event.companyid if event else self.message.headers.get("company_id"),
            "time": event.time if event else self.message.timestamp,
            "reason": self.reason,
            "retries": self.retries,
            "deaths": self.deaths,
            "message_id": self.message.message_id,
            "content_type": self.message.content_type,
            "headers": _own_headers(self.message),
        }
        try:
            return details | {"body": self.message.body.decode()}
        except UnicodeDecodeError:
            return details | {"body_base64": base64.b64encode(self.message.body).decode()}


@dataclass(frozen=True, slots=True)
class Summary:
    """A summary of the dead letters of one queue."""

    queue: str
    count: int
    first: DeadLetter | None
    """The oldest of them. None also when the queue is limited, and therefore was not read."""
    is_limited: bool


def source_of(queue: str) -> str:
    """Return the name of a queue, from its own name or that of its dead letters."""
    return queue.removesuffix(DEAD_LETTERS_SUFFIX)


async def count(channel: AbstractChannel, queue: str) -> int:
    """Return the number of dead letters of a queue.

    Raises
    ------
    NoSuchQueueError
        If there is no such queue; the broker has closed the channel then.
    """
    try:
        declared = await channel.declare_queue(queue + DEAD_LETTERS_SUFFIX, passive=True)
    except (ChannelNotFoundEntity, ValueError) as error:  # or an impossible name
        raise NoSuchQueueError(queue) from error
    return declared.declaration_result.message_count or 0


async def is_limited(connection: AbstractConnection, queue: str) -> bool:
    """Return whether the broker may drop dead letters that are read often; a policy may have lifted that limit."""
    channel = await connection.channel()
    try:
        await count(channel, queue)
        return not await declare_dead_letters(channel, queue + DEAD_LETTERS_SUFFIX)
    finally:
        await channel.close()


async def summarise(connection: AbstractConnection, queue: str) -> Summary:
    """Return the number of a queue's dead letters, and the first of them."""
    if await is_limited(connection, queue):
        async with connection.channel() as channel:
            return Summary(queue, await count(channel, queue), None, is_limited=True)
    async with _all_of(connection, queue) as (number, letters):
        return Summary(queue, number, await anext(letters, None), is_limited=False)


async def read(
    connection: AbstractConnection, queue: str, *, only: str | None = None, limit: int = MAX_READ
) -> list[DeadLetter]:
    """Return the first dead letters of a queue, or those with one id; all of them remain in the queue."""
    found: list[DeadLetter] = []
    async with _all_of(connection, queue) as (_, letters):
        async for letter in letters:
            if len(found) == limit:
                break
            if only in (None, letter.id):
                found.append(letter)
    return found


async def retry(connection: AbstractConnection, queue: str, *, only: str | None = None) -> int:
    """Return dead letters to the queue that rejected them, and to no other; return their number.

    Each is acknowledged once the queue has confirmed it: a crash in between leaves it in both, never in none, and the
    inbox drops a duplicate. Dead letters that arrive meanwhile are left for the next retry.

    Raises
    ------
    RetryError
        If the queue does not accept one; it and those after it remain dead letters.
    """
    done = 0
    async with _all_of(connection, queue) as (_, letters), connection.channel(on_return_raises=True) as out:
        chosen: list[DeadLetter] = []
        async for letter in letters:
            if only in (None, letter.id):
                chosen.append(letter)
            if len(chosen) == BATCH:
                done += await _retry_batch(out, chosen)
                chosen = []
        done += await _retry_batch(out, chosen)
    return done


async def drop(
    connection: AbstractConnection, queue: str, write: Callable[[DeadLetter], None], *, only: str | None = None
) -> int:
    """Delete dead letters, each after it was passed to ``write``; return their number."""
    done = 0
    async with _all_of(connection, queue) as (_, letters):
        async for letter in letters:
            if only in (None, letter.id):
                write(letter)
                await letter.message.ack()
                done += 1
    return done


@asynccontextmanager
async def _all_of(connection: AbstractConnection, queue: str) -> AsyncIterator[tuple[int, AsyncIterator[DeadLetter]]]:
    """Provide number and sequence of a queue's dead letters; those not acknowledged in the block are requeued."""
    channel = await connection.channel(publisher_confirms=False)
    try:
        number = await count(channel, queue)
        yield number, _arriving(channel, queue, min(number, MAX_READ))
    finally:
        await channel.close()


async def _arriving(channel: AbstractChannel, queue: str, number: int) -> AsyncIterator[DeadLetter]:
    if number == 0:
        return
    await channel.set_qos(prefetch_count=number)
    dead = await channel.get_queue(queue + DEAD_LETTERS_SUFFIX, ensure=False)
    arrived: asyncio.Queue[AbstractIncomingMessage] = asyncio.Queue()
    await dead.consume(arrived.put)
    for _ in range(number):
        try:
            message = await asyncio.wait_for(arrived.get(), TIMEOUT_SECONDS)
        except TimeoutError:
            return  # another consumer has the rest
        yield DeadLetter(queue, message)


async def _retry_batch(channel: AbstractChannel, letters: Sequence[DeadLetter]) -> int:
    outcomes = await asyncio.gather(*(_publish(channel, letter) for letter in letters), return_exceptions=True)
    failures = [outcome for outcome in outcomes if outcome is not None]
    for letter, outcome in zip(letters, outcomes, strict=True):
        if outcome is None:
            await letter.message.ack()
    if failures:
        first = failures[0]
        raise RetryError(str(first) or type(first).__name__) if isinstance(first, DeliveryError) else first
    return len(letters)


async def _publish(channel: AbstractChannel, letter: DeadLetter) -> None:
    dead = letter.message
    message = aio_pika.Message(
        dead.body,
        headers={**_own_headers(dead), RETRIES: letter.retries + 1},
        message_id=dead.message_id,
        type=dead.type,
        content_type=dead.content_type,
        content_encoding=dead.content_encoding,
        correlation_id=dead.correlation_id,
        timestamp=dead.timestamp,
        app_id=dead.app_id,
        delivery_mode=DeliveryMode.PERSISTENT,
    )
    await channel.default_exchange.publish(message, letter.queue, mandatory=True, timeout=TIMEOUT_SECONDS)


def _own_headers(message: AbstractIncomingMessage) -> HeadersType:
    return {name: value for name, value in message.headers.items() if not name.startswith(_BROKER_HEADERS)}


def _death(entry: Mapping[str, Any]) -> Death:
    at = entry.get("time")
    return Death(
        queue=str(entry.get("queue", "")),
        reason=str(entry.get("reason", "")),
        count=int(entry.get("count", 1)),
        at=at if isinstance(at, datetime) else None,
    )
