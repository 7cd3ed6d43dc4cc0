"""Work that goes on beside requests for as long as the process lives."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Protocol

import structlog

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 3.0
"""Seconds between two tries at a server that is away; short, because whoever waits for an import waits for this."""
FINISH_SECONDS = 6.0
"""How long what is under way may take to end when the process stops; it fits into the time a process has for that."""
QUIET_AFTER = 30.0
"""A try that held this many seconds was a good one: the next pause is the first again."""

logger = structlog.get_logger(__name__)


class PanicError(Exception):
    """A library raised what is no ``Exception``, as those written in Rust do when they panic."""


@contextmanager
def panics_as_errors() -> Iterator[None]:
    """Turn what is neither an ``Exception`` nor an end of the task or process into one.

    Else it would pass by everyone who handles errors, and end for good the work that it came up in.
    """
    try:
        yield
    except (Exception, asyncio.CancelledError, KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:
        raise PanicError(repr(error)) from error


class Work(Protocol):
    """Something that runs until it is cancelled, and raises when it lost a server it stands on."""

    name: str
    ready: bool

    async def run(self) -> None:
        """Connect, declare what is needed, set ``ready``, and work."""


async def keep_running(work: Work) -> None:
    """Run ``work`` again and again, with growing pauses while it fails; its ``ready`` is false between runs."""
    pause = FIRST_PAUSE
    while True:
        started = time.monotonic()
        try:
            with panics_as_errors():
                await work.run()
        except Exception as error:  # noqa: BLE001 - the one place where work is restarted, whatever ended it
            if time.monotonic() - started > QUIET_AFTER:
                pause = FIRST_PAUSE
            logger.warning("work_interrupted", work=work.name, error=repr(error), retry_in=round(pause, 1))
        else:
            logger.warning("work_ended", work=work.name, retry_in=round(pause, 1))
        finally:
            work.ready = False
        await asyncio.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311 - jitter, not a secret
        pause = min(pause * 2, LONGEST_PAUSE)


async def finish(work: Awaitable[None], *, within: float = FINISH_SECONDS) -> None:
    """Await ``work``; a cancellation meanwhile takes effect after it, or when it takes that many seconds more."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task}, timeout=within)
        task.cancel()
        raise


async def wait_for_event(event: asyncio.Event, *, at_latest: float) -> None:
    """Wait until an event is set, or for so many seconds.

    Not ``asyncio.wait_for``: before Python 3.12 it loses a cancellation that comes just as the event is set, and work
    that should stop would go on until it is killed in the middle.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(at_latest):
            await event.wait()


@asynccontextmanager
async def running(works: Sequence[Work], *, stop_seconds: float) -> AsyncIterator[None]:
    """Run all ``works`` while the block lasts.

    At its end they are cancelled together and given ``stop_seconds`` to finish what is under way.
    """
    tasks = [asyncio.create_task(keep_running(work), name=work.name) for work in works]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        if tasks:
            _done, late = await asyncio.wait(tasks, timeout=stop_seconds)
            for task in late:
                logger.error("work_did_not_stop", work=task.get_name())
