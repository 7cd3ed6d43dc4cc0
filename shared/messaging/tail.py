"""Watches events as they are published, after those of the history; no other consumer loses any."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Final, Literal

from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage, AbstractQueue

from shared.events.envelope import Envelope, parse
from shared.messaging.event_history import END_TYPE
from shared.messaging.topology import HISTORY_STREAM, ExchangeName, declare_exchanges

PREFETCH: Final = 100
MAX_WAITING: Final = 10_000
"""Maximum number of new events that wait for a watcher who does not read; then the oldest are dropped."""
QUIET_SECONDS: Final = 1.0
"""After its newest event, the history is at its end when nothing has come for this long."""
EMPTY_SECONDS: Final = 3.0
"""A history that does not deliver its newest event within this time is empty."""
TIMEOUT_SECONDS: Final = 60.0
"""Timeout for the next event of a history that has one."""

Beginning = datetime | Literal["first"] | None
"""Where to begin: at a time, with the first event of the history, or (None) with new events."""


@dataclass(frozen=True, slots=True)
class Selection:
    """A filter of events.

    Parameters
    ----------
    types
        Patterns, of which one must match: ``lead.*`` is every type with that beginning. Empty for all types.
    company
        The company whose data changed.
    since
        Only events of this time or later.
    """

    types: tuple[str, ...] = ()
    company: int | None = None
    since: datetime | None = None

    def matches(self, event: Envelope) -> bool:
        """Return whether an event passes the filter."""
        return (
            (not self.types or any(fnmatchcase(event.type, pattern.replace("#", "*")) for pattern in self.types))
            and self.company in {None, event.companyid}
            and (self.since is None or event.time >= self.since)
        )


@dataclass(frozen=True, slots=True)
class Received:
    """An event and its body, byte for byte; without the event when it cannot be read."""

    body: bytes
    event: Envelope | None


async def watch(
    connection: AbstractConnection, beginning: Beginning, *, follow: bool, ready: Callable[[], None]
) -> AsyncGenerator[Received, None]:
    """Yield every event from ``beginning`` on.

    Parameters
    ----------
    follow
        Go on with new events; otherwise end with the history.
    ready
        Called once no event that is published can be missed any more.

    Raises
    ------
    ConnectionError
        If the broker closes the channel.
    TimeoutError
        If the broker stops delivering a history.
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
    seconds = None if follow else QUIET_SECONDS if last_known is None else TIMEOUT_SECONDS
    while True:
        message = await _next(arrived, channel, seconds)
        if message is None and seconds == QUIET_SECONDS:
            return
        if message is None:
            raise TimeoutError(f"no event of the history came within {seconds:.0f} s")
        if last_known is not None and _offset(message) >= last_known:
            seconds = QUIET_SECONDS
        received = Received(message.body, _read(message))
        if not follow and received.event is not None and received.event.time > began:
            return  # it happened after the requested end
        if message.type != END_TYPE:
            yield received
        await message.ack()


async def _own_queue(channel: AbstractChannel) -> AbstractQueue:
    """Declare a queue that is deleted with this connection, and receives every event from now on."""
    queue = await channel.declare_queue(exclusive=True, auto_delete=True, arguments={"x-max-length": MAX_WAITING})
    await queue.bind(ExchangeName.EVENTS, "#")
    return queue


async def _last_known(connection: AbstractConnection, beginning: Beginning) -> int | None:
    """Return an offset near the end of the history, if reading from ``beginning`` reaches it; else None.

    The broker does not report where a stream ends, only where the last of its chunks begins; after that,
    `QUIET_SECONDS` without an event are the end.
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
            return None  # the newest event may be before the beginning
    return _offset(message)


async def _next(
    arrived: asyncio.Queue[AbstractIncomingMessage], channel: AbstractChannel, seconds: float | None
) -> AbstractIncomingMessage | None:
    """Return the next message; None after the timeout."""
    closed = asyncio.ensure_future(channel.closed())
    first = asyncio.ensure_future(arrived.get())
    try:
        await asyncio.wait({first, closed}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
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
