"""The dead letters: what queues gave up on, to be looked at, put back or dropped by an operator.

Looking takes all of a queue's letters at once, without acknowledging them, and gives them back by closing the channel:
the broker then puts them where they were, in their order. Taking some of them would not do: what is given back stands
before what was never taken, so that a second look at fewer would turn their order round.
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

MOST: Final = 65_535
"""Letters of a queue that are seen; AMQP's limit for what one consumer may hold."""
BATCH: Final = 50
"""Letters put back at once."""
PATIENCE_SECONDS: Final = 5.0
"""Longest wait for the next letter, and for the broker's confirmation of one that is put back."""
RETRIES: Final = "retries"
"""Header that counts how often a message was put back."""
_OF_THE_BROKER: Final = ("x-death", "x-first-death-", "x-last-death-", "x-delivery-count", "x-acquired-count")
"""Beginnings of the headers that tell of a message's way so far; it starts anew when it is put back."""


class NoSuchQueue(Exception):
    """The broker has no queue of this name."""


class NotPutBack(Exception):
    """The queue that a letter came from did not take it; the letter is still a dead one."""


@dataclass(frozen=True, slots=True)
class Death:
    """One reason why a message became a dead letter, and how often it did."""

    queue: str
    reason: str
    count: int
    at: datetime | None


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that a queue gave up on."""

    queue: str
    """The queue that did."""
    message: AbstractIncomingMessage

    @property
    def id(self) -> str:
        """The message's id; one made of its body when nobody gave it any."""
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
        """Why it is here, newest first."""
        told = self.message.headers.get("x-death")
        return [_death(death) for death in told if isinstance(death, dict)] if isinstance(told, list) else []

    @property
    def reason(self) -> str:
        """Why it became a dead letter first: ``rejected`` (not readable) or ``delivery_limit`` (failed too often)."""
        return str(self.message.headers.get("x-first-death-reason", "unknown"))

    @property
    def retries(self) -> int:
        """How often an operator put it back."""
        told = self.message.headers.get(RETRIES)
        return told if isinstance(told, int) else 0

    def as_json(self) -> dict[str, Any]:
        """All there is to know of it: enough to publish it again, byte for byte."""
        event = self.event
        shown: dict[str, Any] = {
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
            "headers": _kept_headers(self.message),
        }
        try:
            return shown | {"body": self.message.body.decode()}
        except UnicodeDecodeError:
            return shown | {"body_base64": base64.b64encode(self.message.body).decode()}


@dataclass(frozen=True, slots=True)
class Summary:
    """The dead letters of one queue, in short."""

    queue: str
    count: int
    first: DeadLetter | None
    """The one that stands first: the oldest. None also when it was not looked at, because the queue is limited."""
    is_limited: bool


def source_of(queue: str) -> str:
    """The queue that is meant, whether it or its dead letters are named."""
    return queue.removesuffix(DEAD_LETTERS_SUFFIX)


async def count(channel: AbstractChannel, queue: str) -> int:
    """How many dead letters of a queue wait.

    Raises
    ------
    NoSuchQueue
        If there is no such queue; the channel is closed then.
    """
    try:
        declared = await channel.declare_queue(queue + DEAD_LETTERS_SUFFIX, passive=True)
    except (ChannelNotFoundEntity, ValueError) as error:  # or a name that no queue can have
        raise NoSuchQueue(queue) from error
    return declared.declaration_result.message_count or 0


async def is_limited(connection: AbstractConnection, queue: str) -> bool:
    """Whether the broker may drop letters of this queue that are looked at often; a policy may have lifted that."""
    channel = await connection.channel()
    try:
        await count(channel, queue)
        return not await declare_dead_letters(channel, queue + DEAD_LETTERS_SUFFIX)
    finally:
        await channel.close()


async def summarise(connection: AbstractConnection, queue: str) -> Summary:
    """How many dead letters a queue has, and the first of them."""
    if await is_limited(connection, queue):
        async with connection.channel() as channel:
            return Summary(queue, await count(channel, queue), None, is_limited=True)
    async with _all_of(connection, queue) as (number, letters):
        return Summary(queue, number, await anext(letters, None), is_limited=False)


async def look(
    connection: AbstractConnection, queue: str, *, only: str | None = None, limit: int = MOST
) -> list[DeadLetter]:
    """The first dead letters of a queue, or those with one id; all of them stay where they are."""
    seen: list[DeadLetter] = []
    async with _all_of(connection, queue) as (_, letters):
        async for letter in letters:
            if len(seen) == limit:
                break
            if only in (None, letter.id):
                seen.append(letter)
    return seen


async def retry(connection: AbstractConnection, queue: str, *, only: str | None = None) -> int:
    """Put dead letters back into the queue they came from, and into no other; returns how many.

    Each is acknowledged once the queue has confirmed it: a crash in between leaves it in both, never in none, and the
    inbox drops what is applied twice. Letters that come meanwhile are left for the next time.

    Raises
    ------
    NotPutBack
        If the queue does not take one; that one and those after it stay.
    """
    done = 0
    async with _all_of(connection, queue) as (_, letters), connection.channel(on_return_raises=True) as out:
        chosen: list[DeadLetter] = []
        async for letter in letters:
            if only in (None, letter.id):
                chosen.append(letter)
            if len(chosen) == BATCH:
                done += await _put_back(out, chosen)
                chosen = []
        done += await _put_back(out, chosen)
    return done


async def drop(
    connection: AbstractConnection, queue: str, keep: Callable[[DeadLetter], None], *, only: str | None = None
) -> int:
    """Delete dead letters, each after ``keep`` has written it down; returns how many."""
    done = 0
    async with _all_of(connection, queue) as (_, letters):
        async for letter in letters:
            if only in (None, letter.id):
                keep(letter)
                await letter.message.ack()
                done += 1
    return done


@asynccontextmanager
async def _all_of(connection: AbstractConnection, queue: str) -> AsyncIterator[tuple[int, AsyncIterator[DeadLetter]]]:
    """Number and sequence of a queue's dead letters; what is not acknowledged within the block is given back."""
    channel = await connection.channel(publisher_confirms=False)
    try:
        number = await count(channel, queue)
        yield number, _arriving(channel, queue, min(number, MOST))
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
            message = await asyncio.wait_for(arrived.get(), PATIENCE_SECONDS)
        except TimeoutError:
            return  # somebody else has taken the rest
        yield DeadLetter(queue, message)


async def _put_back(channel: AbstractChannel, letters: Sequence[DeadLetter]) -> int:
    outcomes = await asyncio.gather(*(_publish(channel, letter) for letter in letters), return_exceptions=True)
    failures = [outcome for outcome in outcomes if outcome is not None]
    for letter, outcome in zip(letters, outcomes, strict=True):
        if outcome is None:
            await letter.message.ack()
    if failures:
        first = failures[0]
        raise NotPutBack(str(first) or type(first).__name__) if isinstance(first, DeliveryError) else first
    return len(letters)


async def _publish(channel: AbstractChannel, letter: DeadLetter) -> None:
    dead = letter.message
    message = aio_pika.Message(
        dead.body,
        headers={**_kept_headers(dead), RETRIES: letter.retries + 1},
        message_id=dead.message_id,
        type=dead.type,
        content_type=dead.content_type,
        content_encoding=dead.content_encoding,
        correlation_id=dead.correlation_id,
        timestamp=dead.timestamp,
        app_id=dead.app_id,
        delivery_mode=DeliveryMode.PERSISTENT,
    )
    await channel.default_exchange.publish(message, letter.queue, mandatory=True, timeout=PATIENCE_SECONDS)


def _kept_headers(message: AbstractIncomingMessage) -> HeadersType:
    return {name: value for name, value in message.headers.items() if not name.startswith(_OF_THE_BROKER)}


def _death(told: Mapping[str, Any]) -> Death:
    at = told.get("time")
    return Death(
        queue=str(told.get("queue", "")),
        reason=str(told.get("reason", "")),
        count=int(told.get("count", 1)),
        at=at if isinstance(at, datetime) else None,
    )
