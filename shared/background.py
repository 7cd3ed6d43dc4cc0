"""Workers: what runs in the background for as long as the process lives."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Protocol

import structlog

FIRST_PAUSE = 0.2
MAX_PAUSE = 3.0
"""Seconds between two attempts while a server is unavailable; short, because a caller who waits for an import waits for
this too."""
FINISH_SECONDS = 6.0
"""How long the operation in progress may take to end when the process stops; it fits into the time a process has."""
HEALTHY_SECONDS = 30.0
"""A run of this many seconds was a healthy one: the next pause is the first again."""

logger = structlog.get_logger(__name__)


class PanicError(Exception):
    """A library raised an exception that is not an ``Exception``, as those written in Rust do when they panic."""


@contextmanager
def panics_as_errors() -> Iterator[None]:
    """Turn a ``BaseException`` that is not the end of the task or process into a ``PanicError``.

    Otherwise it would pass every handler of errors, and end for good the worker in which it was raised.
    """
    try:
        yield
    except (Exception, asyncio.CancelledError, KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:
        raise PanicError(repr(error)) from error


class Worker(Protocol):
    """Runs until it is cancelled, and raises when it lost a server that it needs."""

    name: str
    ready: bool

    async def run(self) -> None:
        """Connect, declare what is needed, set ``ready``, and work."""


async def supervise(worker: Worker) -> None:
    """Run a worker again and again, with growing pauses while it fails; it is not ``ready`` between two runs."""
    pause = FIRST_PAUSE
    while True:
        started = time.monotonic()
        try:
            with panics_as_errors():
                await worker.run()
        except Exception as error:  # noqa: BLE001 - the one place where a worker is restarted, whatever ended it
            if time.monotonic() - started > HEALTHY_SECONDS:
                pause = FIRST_PAUSE
            logger.warning("worker_interrupted", worker=worker.name, error=repr(error), retry_in=round(pause, 1))
        else:
            logger.warning("worker_ended", worker=worker.name, retry_in=round(pause, 1))
        finally:
            worker.ready = False
        await asyncio.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311 - jitter, not a secret
        pause = min(pause * 2, MAX_PAUSE)


async def finish_before_cancel(operation: Awaitable[None], *, timeout: float = FINISH_SECONDS) -> None:  # noqa: ASYNC109
    """Await an operation; a cancellation takes effect after its end, or after ``timeout`` seconds more."""
    task = asyncio.ensure_future(operation)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task}, timeout=timeout)
        task.cancel()
        raise


async def wait_for_event(event: asyncio.Event, *, at_latest: float) -> None:
    """Wait until an event is set, or for so many seconds.

    Not ``asyncio.wait_for``: before Python 3.12 it loses a cancellation that comes just as the event is set, and a
    worker that should stop would go on until it is killed in the middle.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(at_latest):
            await event.wait()


@asynccontextmanager
async def run_workers(workers: Sequence[Worker], *, stop_seconds: float) -> AsyncIterator[None]:
    """Run all ``workers`` while the block lasts.

    At its end they are cancelled together, and have ``stop_seconds`` to finish the operation in progress.
    """
    tasks = [asyncio.create_task(supervise(worker), name=worker.name) for worker in workers]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        if tasks:
            _done, late = await asyncio.wait(tasks, timeout=stop_seconds)
            for task in late:
                logger.error("worker_did_not_stop", worker=task.get_name())
