"""An answer whose body is pushed by whoever makes it, piece by piece, for as long as its client stays."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Final

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

STALL_SECONDS: Final = 60.0
"""How long a client may take nothing. The gateway waits half as long; this is for clients without one."""

Write = Callable[[bytes], Awaitable[None]]
"""Sends a piece of the body; returns when the client has room for the next."""


class Download(Response):
    """A file that is made while it is sent, or before.

    The headers leave with the first piece: whatever is raised before it is answered as any error is. What is raised
    later breaks the connection off, and so tells the client that the rest is missing.

    Parameters
    ----------
    make
        Writes the whole body. Cancelled when the client goes away.
    """

    def __init__(
        self,
        make: Callable[[Write], Awaitable[None]],
        *,
        media_type: str,
        headers: Mapping[str, str],
        stall_seconds: float = STALL_SECONDS,
    ) -> None:
        self._make = make
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
            If the client went away, or took nothing for too long.
        """
        making = asyncio.create_task(self._send_all(send))
        leaving = asyncio.create_task(_left(receive))
        try:
            await asyncio.wait({making, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            gone = not making.done()
            for task in (making, leaving):
                task.cancel()
            # Until the maker has let go of what it holds, above all of its connection to the database.
            await asyncio.gather(making, leaving, return_exceptions=True)
        if gone:
            raise ClientDisconnect
        await making

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

        await self._make(partial(push, more=True))
        await push(b"", more=False)


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
