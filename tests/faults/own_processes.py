"""Processes of the product that a test runs itself, beside those of the stack, and that nothing restarts."""

import asyncio
import os
import secrets
import signal
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families

from deploy.local import ports
from deploy.local.stack import Stack
from tests.fixtures.waiting import eventually

START_SECONDS = 60.0
"""On a busy machine."""
END_SECONDS = 60.0
STOPPING = "Waiting for application shutdown"
"""What a process logs just before it stops its work."""


@dataclass(frozen=True, slots=True)
class OwnProcess:
    """A process that runs until the test, or the point it is to die at, ends it."""

    url: str
    log: Path
    process: asyncio.subprocess.Process

    async def ended(self) -> int:
        """Its exit code, once it has ended by itself; less than 0 is the signal that ended it."""
        return await asyncio.wait_for(self.process.wait(), END_SECONDS)

    async def begin_to_stop(self) -> None:
        """Send SIGTERM, and wait until the process acts on it."""
        self.process.send_signal(signal.SIGTERM)
        await eventually(self._stops)

    async def _stops(self) -> bool:
        return STOPPING in self.log.read_text()

    async def stopped(self) -> float:
        """Send SIGTERM, and wait until it has ended in good order; returns the seconds that took."""
        started = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        code = await self.ended()
        assert code in (0, -signal.SIGTERM), self.log.read_text()
        return time.monotonic() - started

    async def is_ready(self) -> bool:
        """Whether its `/readyz` succeeds."""
        try:
            async with httpx.AsyncClient(trust_env=False) as http:
                return (await http.get(f"{self.url}/readyz")).is_success
        except httpx.TransportError:
            return False


@asynccontextmanager
async def own_process(
    stack: Stack, name: str, *, dies_at: tuple[str, int] | None = None, **changed: str
) -> AsyncIterator[OwnProcess]:
    """Run a process as the stack does; it is killed at the end of the block if it still runs.

    Parameters
    ----------
    name
        Which of the stack's.
    dies_at
        Point of ``tests.faults.dying``, and for which time it is reached.
    changed
        Settings that are different, by the names of their variables.
    """
    command = stack.process(name).command
    port = ports.pick(())
    log = stack.state.log(f"{name}-{secrets.token_hex(2)}")
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *_arguments(command.argv, dies_at),
            cwd=command.cwd,
            env={**command.env, **changed, "PORT": str(port)},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        yield OwnProcess(f"http://{ports.LOOPBACK}:{port}", log, process)
    finally:
        if process.returncode is None:
            os.kill(process.pid, signal.SIGKILL)
            await process.wait()


def _arguments(argv: Sequence[str], dies_at: tuple[str, int] | None) -> Sequence[str]:
    _python, module_flag, *module = argv
    if dies_at is None:
        return (module_flag, *module)
    point, at = dies_at
    return ("-m", "tests.faults.dying", point, str(at), *module)


async def ready(process: OwnProcess) -> None:
    """Wait until a process is ready."""
    await eventually(process.is_ready, deadline=START_SECONDS)


async def metric(url: str, name: str, **labels: str) -> float:
    """A figure of a process's ``/metrics``; 0 when it has not come up yet."""
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.get(f"{url}/metrics")
    return sum(
        sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )
