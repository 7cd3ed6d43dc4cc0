"""A process of the product that is killed at an exact point: ``python -m tests.faults.dying POINT TIME MODULE …``.

The points lie where the product meets its drivers, so that no line of the product knows of them. When the point is
reached for the given time (1 is the first), the process ends itself by SIGKILL before anything more is sent.
"""

import os
import runpy
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import Any, Final

import aio_pika
import asyncpg
from asyncpg.transaction import Transaction

BEFORE_OUTBOX_DELETE: Final = "outbox-delete"
"""The broker has confirmed a batch of the outbox; its rows are still there."""
BEFORE_ACKNOWLEDGEMENT: Final = "acknowledgement"
"""A consumer is about to acknowledge a message."""

AFTER_COMMIT: Final = "commit"
"""The database has committed a transaction; no response or event was sent."""


def _die_at(time: int) -> Callable[[], None]:
    reached = 0

    def reach() -> None:
        nonlocal reached
        reached += 1
        if reached == time:
            os.kill(os.getpid(), signal.SIGKILL)

    return reach


def _die_before_outbox_delete(reach: Callable[[], None]) -> None:
    execute: Callable[..., Awaitable[str]] = asyncpg.Connection.execute

    async def watched(self: object, query: str, *arguments: Any, **options: Any) -> str:
        if query.startswith("DELETE FROM outbox"):
            reach()
        return await execute(self, query, *arguments, **options)

    asyncpg.Connection.execute = watched


def _die_before_acknowledgement(reach: Callable[[], None]) -> None:
    ack = aio_pika.IncomingMessage.ack

    async def watched(self: aio_pika.IncomingMessage, multiple: bool = False) -> None:
        reach()
        await ack(self, multiple)

    aio_pika.IncomingMessage.ack = watched  # type: ignore[method-assign]


def _die_after_commit(reach: Callable[[], None]) -> None:
    commit: Callable[..., Awaitable[None]] = Transaction.commit

    async def watched(self: Transaction) -> None:
        await commit(self)
        reach()

    Transaction.commit = watched


POINTS: Final = {
    BEFORE_OUTBOX_DELETE: _die_before_outbox_delete,
    BEFORE_ACKNOWLEDGEMENT: _die_before_acknowledgement,
    AFTER_COMMIT: _die_after_commit,
}


def main() -> None:
    """Watch the point, and be the process."""
    _, point, time, module, *arguments = sys.argv
    POINTS[point](_die_at(int(time)))
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
