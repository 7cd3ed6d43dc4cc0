"""Watches events as they are published, and before that what the history has; takes nothing from anyone."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Final, Literal

from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage, AbstractQueue

from shared.events.envelope import Envelope, parse
from shared.messaging.history import END_TYPE
from shared.messaging.topology import HISTORY_STREAM, ExchangeName, declare_exchanges

PREFETCH: Final = 100
WAITING: Final = 10_000
"""Most events that wait for a watcher who does not read, of those that are published now; then the oldest go."""
QUIET_SECONDS: Final = 1.0
"""After the newest event there was, the history is at its end when nothing has come for this long."""
EMPTY_SECONDS: Final = 3.0
"""A history that does not give its newest event within this has none."""
PATIENCE_SECONDS: Final = 60.0
"""Longest wait for the next event of a history that has one."""

Beginning = datetime | Literal["first"] | None
"""Where to begin: at a time, with the first event there is, or with what is published from now on."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which events are wanted.

    Parameters
    ----------
    types
        Patterns, of which one must match: ``lead.*`` is every type that begins so. All types when there is none.
    company
        The company whose data changed.
    since
        Only what happened at this time or later.
    """

    types: tuple[str, ...] = ()
    company: int | None = None
    since: datetime | None = None

    def takes(self, event: Envelope) -> bool:
        """Whether this event is wanted."""
        return (
            (not self.types or any(fnmatchcase(event.type, pattern.replace("#", "*")) for pattern in self.types))
            and self.company in {None, event.companyid}
            and (self.since is None or event.time >= self.since)
        )


@dataclass(frozen=True, slots=True)
class Seen:
    """An event that was published, and its body as it travelled; without the event when it cannot be read."""

    body: bytes
    event: Envelope | None


async def watch(
    connection: AbstractConnection, beginning: Beginning, *, follow: bool, ready: Callable[[], None]
) -> AsyncGenerator[Seen, None]:
    """Every event from ``beginning`` on.

    Parameters
    ----------
    follow
        Go on with what is published from now on; else end where the history does.
    ready
        Called once nothing that is published can be missed any more.

    Raises
    ------
    ConnectionError
        If the broker closes the channel.
    TimeoutError
        If it stops delivering a history.
    """
    began = datetime.now(UTC)
    channel = await connection.channel(publisher_confirms=False)
    await channel.set_qos(prefetch_count=PREFETCH)
    await declare_exchanges(channel)
    last_known = None if follow else await _last_known(connection, beginning)
    arrived: asyncio.Queue[AbstractIncomingMessage] = asyncio.Queue()
    if beginning is None:
        await (await _own_queue(channel)).consume(arrived.put)
    else:
        history = await channel.get_queue(HISTORY_STREAM, ensure=False)
        await history.consume(arrived.put, arguments={"x-stream-offset": beginning})
    ready()
    patience = None if follow else QUIET_SECONDS if last_known is None else PATIENCE_SECONDS
    while True:
        message = await _next(arrived, channel, patience)
        if message is None and patience == QUIET_SECONDS:
            return
        if message is None:
            raise TimeoutError(f"no event of the history came within {patience:.0f} s")
        if last_known is not None and _offset(message) >= last_known:
            patience = QUIET_SECONDS
        seen = Seen(message.body, _read(message))
        if not follow and seen.event is not None and seen.event.time > began:
            return  # it happened after the end that was asked for
        if message.type != END_TYPE:
            yield seen
        await message.ack()


async def _own_queue(channel: AbstractChannel) -> AbstractQueue:
    """A queue that goes with this connection, and has every event from now on."""
    queue = await channel.declare_queue(exclusive=True, auto_delete=True, arguments={"x-max-length": WAITING})
    await queue.bind(ExchangeName.EVENTS, "#")
    return queue


async def _last_known(connection: AbstractConnection, beginning: Beginning) -> int | None:
    """An offset near the end of the history that reading from ``beginning`` will come to; None when there may be none.

    The broker tells no client where a stream ends, only where the last of its chunks begins; after that it is
    `QUIET_SECONDS` that tell.
    """
    async with connection.channel() as channel:
        await channel.set_qos(prefetch_count=1)
        stream = await channel.get_queue(HISTORY_STREAM, ensure=False)
        found: asyncio.Queue[AbstractIncomingMessage] = asyncio.Queue()
        await stream.consume(found.put, arguments={"x-stream-offset": "last"})
        message = await _next(found, channel, EMPTY_SECONDS)
    if message is None:
        return None
    if isinstance(beginning, datetime):
        event = _read(message)
        if event is None or event.time < beginning:
            return None  # what is there may lie before the beginning
    return _offset(message)


async def _next(
    arrived: asyncio.Queue[AbstractIncomingMessage], channel: AbstractChannel, patience: float | None
) -> AbstractIncomingMessage | None:
    """What arrives next; None when nothing does in time."""
    closed = asyncio.ensure_future(channel.closed())
    first = asyncio.ensure_future(arrived.get())
    try:
        await asyncio.wait({first, closed}, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
        if first.done():
            return first.result()
        if closed.done():
            raise ConnectionError("the broker closed the channel")
        return None
    finally:
        first.cancel()
        closed.cancel()


def _offset(message: AbstractIncomingMessage) -> int:
    offset = message.headers["x-stream-offset"]
    if not isinstance(offset, int):
        raise TypeError(f"an offset of the history is {offset!r}")
    return offset


def _read(message: AbstractIncomingMessage) -> Envelope | None:
    try:
        return parse(message.body)
    except ValueError:  # not JSON, or not our envelope
        return None
