"""Host name resolution without a cache, in threads that do not delay the end of the process."""

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Sequence

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Returns the addresses of a host, best first; raises ``OSError`` when it has none."""


async def resolve(host: str, port: int) -> Sequence[str]:
    """Resolve a host name with the system's resolver.

    A name server that does not respond blocks a thread until the system's resolver times out. The event loop's own
    threads are few and other work waits for them, so each lookup has a thread of its own, which does not keep the
    process alive.

    Raises
    ------
    OSError
        If the host has no address.
    """
    loop = asyncio.get_running_loop()
    addresses: asyncio.Future[Sequence[str]] = loop.create_future()

    def set_result(result: Sequence[str] | OSError) -> None:
        if addresses.done():
            return  # the caller was cancelled
        if isinstance(result, OSError):
            addresses.set_exception(result)
        else:
            addresses.set_result(result)

    def look_up() -> None:
        result: Sequence[str] | OSError
        try:
            entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            result = list(dict.fromkeys(str(entry[4][0]) for entry in entries))
        except OSError as error:
            result = error
        except UnicodeError:  # a label that is empty or too long
            result = socket.gaierror(socket.EAI_NONAME, "not a host name")
        try:
            loop.call_soon_threadsafe(set_result, result)
        except RuntimeError:
            return  # the loop has ended, and the caller with it

    threading.Thread(target=look_up, name=f"resolve {host}", daemon=True).start()
    return await addresses
