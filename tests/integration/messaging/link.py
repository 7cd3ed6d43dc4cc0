"""A link to a server that a test can cut or block, as a network does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit


class Link:
    """Passes bytes between its port and a server; a test can interrupt it."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        assert parts.hostname is not None
        self._parts = parts
        self._server = (parts.hostname, parts.port)
        self._connections: set[asyncio.Task[None]] = set()
        self._closed = False
        self._responses = asyncio.Event()
        self._responses.set()
        self.port = 0

    @property
    def url(self) -> str:
        """The server's URL, by way of this link."""
        rights, _, _ = self._parts.netloc.rpartition("@")
        return self._parts._replace(netloc=f"{rights}@127.0.0.1:{self.port}").geturl()

    async def cut(self) -> None:
        """Break every connection; new ones go through."""
        for connection in list(self._connections):
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def close(self) -> None:
        """Break every connection and accept no new one."""
        self._closed = True
        await self.cut()

    def open(self) -> None:
        """Let new connections through again."""
        self._closed = False

    def delay_responses(self) -> None:
        """Delay the bytes of the server until ``pass_responses``; those to the server pass."""
        self._responses.clear()

    def pass_responses(self) -> None:
        """Pass the bytes of the server again, and those that were delayed."""
        self._responses.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Handle one connection."""
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            if not self._closed:
                await self._forward(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass  # so is one that is cut, or that the server does not take
        finally:
            self._connections.discard(task)
            writer.transport.abort()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_connection(*self._server)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(_copy(reader, server_writer))
                both.create_task(_copy(server_reader, writer, self._responses))
        except* OSError:
            pass  # a broken connection is what a link is for
        finally:
            server_writer.transport.abort()


async def _copy(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, may_pass: asyncio.Event | None = None
) -> None:
    while data := await reader.read(65536):
        if may_pass is not None:
            await may_pass.wait()
        writer.write(data)
        await writer.drain()
    with suppress(OSError):
        writer.write_eof()


@asynccontextmanager
async def link_to(url: str) -> AsyncIterator[Link]:
    """A link to the server of ``url``, on a port of its own."""
    link = Link(url)
    server = await asyncio.start_server(link.serve, "127.0.0.1", 0)
    link.port = server.sockets[0].getsockname()[1]
    try:
        yield link
    finally:
        server.close()
        await link.close()
