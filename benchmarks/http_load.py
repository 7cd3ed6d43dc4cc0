"""Load over HTTP/1.1 from a client that costs little: requests rendered beforehand, answers cut at their end alone.

Closed loop: each connection stays open and has one request under way. A client such as httpx would measure itself.
"""

import asyncio
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from deploy.local.ports import LOOPBACK

_HEAD_END = b"\r\n\r\n"
_LENGTH = b"content-length:"
_LAST_CHUNK = b"\r\n0\r\n\r\n"
_MOST_REQUESTS = 200
"""On a connection, before another takes its place: nginx closes one after 1,000, with a request under way or not."""


def rendered(method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> bytes:
    """A request as it goes over the wire; a body is JSON."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", *(f"{name}: {value}" for name, value in headers.items())]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join((*lines, "", "")).encode() + body


@dataclass(frozen=True, slots=True)
class Load:
    """What a span of load came to."""

    seconds: float
    """From the first request to the last answer."""
    latencies: list[float]
    """Seconds, one for each request."""


@dataclass(slots=True)
class _Run:
    """One request after the other on one connection, until a moment of ``time.perf_counter``."""

    requests: Iterator[bytes]
    status: int
    until: float
    latencies: list[float]
    last_body: "asyncio.Future[bytes]"


class _Connection(asyncio.Protocol):
    def __init__(self) -> None:
        self.is_open = True
        self.requests = 0
        self._run: _Run | None = None
        self._received = bytearray()
        self._body_start = 0
        self._end: int | None = 0
        """Length of the answer that is arriving; 0 until its head is there, None when it comes in chunks."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's is one in all but its class.
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_open = False
        if self._run is not None:
            self._run.last_body.set_exception(exc or ConnectionError("the server closed the connection"))

    def close(self) -> None:
        self.is_open = False
        self._transport.close()

    def start(self, requests: Iterator[bytes], status: int, until: float) -> _Run:
        self._run = _Run(requests, status, until, [], asyncio.get_running_loop().create_future())
        self._send(self._run)
        return self._run

    def _send(self, run: _Run) -> None:
        request = next(run.requests)
        self.requests += 1
        self._sent = time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        if self._end == 0:
            head_end = self._received.find(_HEAD_END)
            if head_end < 0:
                return
            self._body_start = head_end + len(_HEAD_END)
            length = _content_length(self._received[: head_end + 2])
            self._end = None if length is None else self._body_start + length
        if self._received.endswith(_LAST_CHUNK) if self._end is None else len(self._received) >= self._end:
            self._answered(time.perf_counter())

    def _answered(self, now: float) -> None:
        run, received, in_chunks = self._run, self._received, self._end is None
        assert run is not None
        self._received, self._end = bytearray(), 0
        run.latencies.append(now - self._sent)
        if int(received[9:12]) != run.status:
            self._run = None
            run.last_body.set_exception(RuntimeError(f"answered not {run.status}: {bytes(received[:500])!r}"))
        elif now < run.until:
            self._send(run)
        else:
            self._run = None
            body = bytes(received[self._body_start :])
            run.last_body.set_result(_joined(body) if in_chunks else body)


def _content_length(head: bytearray) -> int | None:
    """None when the answer comes in chunks."""
    start = head.lower().find(_LENGTH)
    if start < 0:
        return None
    start += len(_LENGTH)
    return int(head[start : head.index(b"\r\n", start)])


def _joined(chunks: bytes) -> bytes:
    parts, at = [], 0
    while size := int(chunks[at : (start := chunks.index(b"\r\n", at) + 2)], 16):
        parts.append(chunks[start : start + size])
        at = start + size + 2
    return b"".join(parts)


class Client:
    """Connections to one server on this machine, which stay open."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._connections: list[_Connection] = []

    async def body(self, request: bytes, *, status: int) -> bytes:
        """What one request is answered."""
        (connection,) = await self._connected(1)
        return await connection.start(iter([request]), status, until=0).last_body

    async def load(self, requests: Iterator[bytes], *, status: int, connections: int, seconds: float) -> Load:
        """Keep so many connections busy for so long.

        Raises
        ------
        RuntimeError
            If an answer has another status.
        """
        connected = await self._connected(connections)
        started = time.perf_counter()
        runs = [connection.start(requests, status, started + seconds) for connection in connected]
        for run in runs:
            await run.last_body
        return Load(time.perf_counter() - started, [latency for run in runs for latency in run.latencies])

    async def _connected(self, number: int) -> list[_Connection]:
        for connection in self._connections:
            if connection.requests > _MOST_REQUESTS:
                connection.close()
        self._connections = [connection for connection in self._connections if connection.is_open]
        while len(self._connections) < number:
            _, connection = await asyncio.get_running_loop().create_connection(_Connection, LOOPBACK, self._port)
            self._connections.append(connection)
        return self._connections[:number]

    def close(self) -> None:
        """Close them."""
        for connection in self._connections:
            connection.close()
