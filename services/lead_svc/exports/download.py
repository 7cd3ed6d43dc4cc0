"""A response whose producer writes the body piece by piece, until the client disconnects."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Final

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

STALL_SECONDS: Final = 60.0
"""How long a client may read nothing. The gateway waits half as long; this is for clients that bypass it."""

Write = Callable[[bytes], Awaitable[None]]
"""Sends a piece of the body; returns when the client is ready for the next one."""


class Download(Response):
    """A file that is produced while it is sent, or before.

    The headers are sent with the first piece: an error that is raised before it becomes an ordinary error response. A
    later error breaks off the connection, so that the client notices the missing rest.

    Parameters
    ----------
    produce
        Writes the whole body. Cancelled when the client disconnects.
    stall_seconds
        How long the client may read nothing. Defaults to 60 seconds.
    """

    def __init__(
        self,
        produce: Callable[[Write], Awaitable[None]],
        *,
        media_type: str,
        headers: Mapping[str, str],
        stall_seconds: float = STALL_SECONDS,
    ) -> None:
        self._produce = produce
        self._stall_seconds = stall_seconds
        self.status_code = 200
        self.media_type = media_type
        self.background = None
        self.init_headers(headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's signature
        """Send the file.

        Raises
        ------
        ClientDisconnect
            If the client disconnected, or read nothing for too long.
        """
        producing = asyncio.create_task(self._send_all(send))
        disconnecting = asyncio.create_task(_wait_for_disconnect(receive))
        try:
            await asyncio.wait({producing, disconnecting}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            disconnected = not producing.done()
            for task in (producing, disconnecting):
                task.cancel()
            # Until the producer has released its resources, above all its database connection.
            await asyncio.gather(producing, disconnecting, return_exceptions=True)
        if disconnected:
            raise ClientDisconnect
        await producing

    async def _send_all(self, send: Send) -> None:
        started = False

        async def push(piece: bytes, *, more: bool) -> None:
            nonlocal started
            try:
                async with asyncio.timeout(self._stall_seconds):
                    if not started:
                        started = True
                        await send(
                            {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
                        )
                    await send({"type": "http.response.body", "body": piece, "more_body": more})
            except TimeoutError as error:
                raise ClientDisconnect from error

        await self._produce(partial(push, more=True))
        await push(b"", more=False)


async def _wait_for_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
