"""Tests that wait to be interrupted, with servers and processes running: for test_interruption.py alone."""

import subprocess
import sys
import threading
import time

import pytest

from deploy.local.servers import Servers
from tests.fixtures.run_directory import RunDirectory
from tests.fixtures.waiting import eventually

NEVER_SECONDS = 600.0


@pytest.fixture(scope="session")
def starting(run_directory: RunDirectory) -> None:
    """Report when the broker has been spawned, which is long before it is ready."""

    def watch() -> None:
        while not any(path for path in run_directory.path.glob("*/logs/rabbitmq.log")):
            time.sleep(0.02)
        (run_directory.path / "starting").touch()

    threading.Thread(target=watch, daemon=True).start()


@pytest.mark.usefixtures("starting")
async def test_servers_and_processes(local_servers: Servers, run_directory: RunDirectory) -> None:
    """Run a process that ignores SIGTERM beside the servers, as the fault tests do, and wait."""
    assert local_servers.postgres.is_ready()
    stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
    subprocess.Popen([sys.executable, "-c", stubborn], start_new_session=True)  # noqa: ASYNC220 - it is never waited for
    (run_directory.path / "amid").touch()

    async def never() -> bool:
        return False

    await eventually(never, deadline=NEVER_SECONDS)
