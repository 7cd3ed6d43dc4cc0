"""Looks names up, each time anew and in threads that nobody waits for at the end."""

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Sequence

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a host, best first; raises ``OSError`` when it has none."""


async def resolve(host: str, port: int) -> Sequence[str]:
    """Ask the system's resolver.

    A name server that does not answer holds a thread for as long as the system's resolver is patient. The event loop's
    own threads are few and other work waits for them, so each look-up has one of its own; it does not keep the process
    from ending.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[Sequence[str]] = loop.create_future()

    def settle(found: Sequence[str] | OSError) -> None:
        if answer.done():
            return  # whoever asked has gone
        if isinstance(found, OSError):
            answer.set_exception(found)
        else:
            answer.set_result(found)

    def look_up() -> None:
        found: Sequence[str] | OSError
        try:
            entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found = list(dict.fromkeys(str(entry[4][0]) for entry in entries))
        except OSError as error:
            found = error
        except UnicodeError:  # a label that is empty or too long
            found = socket.gaierror(socket.EAI_NONAME, "not a host name")
        try:
            loop.call_soon_threadsafe(settle, found)
        except RuntimeError:
            return  # the loop has ended meanwhile, and with it whoever asked

    threading.Thread(target=look_up, name=f"resolve {host}", daemon=True).start()
    return await answer
