"""`python -m deploy.local`: the real product in the background, through what may happen to it."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import jwt
import psutil
import pytest

from deploy.local import ports, process_tree, status
from deploy.local.stack import ROOT
from deploy.local.state_directory import StateDirectory
from tests.fixtures.run_directory import RunDirectory

COMMAND_SECONDS = 180
DEFAULT_PORTS = (5432, 5672, 6379, 4369, 15672, 25672)


class CommandLine:
    """The commands, on a state directory of their own."""

    def __init__(self, state_dir: Path) -> None:
        self.state = StateDirectory(state_dir)
        self.port = ports.pick(avoid=[])

    def __call__(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run one command to its end."""
        settings = {"LOCAL_STATE_DIR": str(self.state.path), "GATEWAY_PORT": str(self.port), "STACK": "local"}
        return subprocess.run(
            [sys.executable, "-m", "deploy.local", *arguments],
            check=False,
            cwd=ROOT,
            env=os.environ | settings | variables,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
        )

    def processes(self) -> list[psutil.Process]:
        """Everything that runs of this stack, the supervisor apart."""
        return [member for record in self.state.records() for member in process_tree.members(record)]


@pytest.fixture(scope="module")
def command(run_directory: RunDirectory) -> Iterator[CommandLine]:
    # Below a directory that only its owner may enter, where root keeps PostgreSQL's data elsewhere.
    private = run_directory.new_state("-private")
    private.mkdir(mode=0o700)
    command = CommandLine(private / "state with spaces")
    try:
        yield command
    finally:
        command("clean")


@pytest.fixture(scope="module", autouse=True)
def default_ports_taken() -> Iterator[None]:
    """Other programs listen on the default ports of the servers."""
    with ExitStack() as listeners:
        for port in DEFAULT_PORTS:
            if ports.is_free(port):
                listeners.enter_context(socket.create_server((ports.LOOPBACK, port)))
        yield


def test_the_stack_comes_up_survives_its_supervisor_and_leaves_nothing_behind(command: CommandLine) -> None:
    up = command("up")
    assert up.returncode == 0, up.stdout + up.stderr
    url = f"http://127.0.0.1:{command.port}"
    assert f"Up: {url}" in up.stdout
    assert httpx.get(f"{url}/healthz", trust_env=False).json() == {"status": "alive"}

    again = command("up")
    assert (again.returncode, again.stdout.strip()) == (0, f"Already up: {url}")

    result = command("status")
    assert result.returncode == 0, result.stdout
    assert "import-worker" in result.stdout

    token = command("token", "--company", "1,2", "--role", "admin", "--sub", "me").stdout
    assert token.count("\n") == 1
    claims = jwt.decode(token.strip(), options={"verify_signature": False})
    assert (claims["companies"], claims["role"], claims["sub"]) == ([1, 2], "admin", "me")
    statistics = f"{url}/api/voice-campaigns/company/1/stats"
    answer = httpx.get(statistics, headers={"Authorization": f"Bearer {token.strip()}"}, trust_env=False)
    assert answer.status_code == 200

    rebuilt = command("rebuild")
    assert rebuilt.returncode == 0, rebuilt.stdout + rebuilt.stderr
    assert "Totals rebuilt from 0 events" in rebuilt.stdout
    assert "Facts rebuilt from 0 events" in rebuilt.stdout

    made = command("subscriber", "crm")
    assert made.stdout.startswith("amqp://crm:")
    assert made.stdout.count("\n") == 1
    reserved = command("subscriber", "voice")
    assert (reserved.returncode, "uses itself" in reserved.stderr) == (1, True)
    watched = command("events", "--from-start", "--no-follow", "--type", "lead.*")
    assert (watched.returncode, watched.stdout) == (0, ""), watched.stderr

    letters = command("dlq")
    assert letters.returncode == 0, letters.stdout + letters.stderr
    assert [line.split() for line in letters.stdout.splitlines() if line.startswith("lead.imports")] == [
        ["lead.imports", "0"]
    ]

    result = command("logs", "lead-api")
    assert "lead-api |" in result.stdout

    known = status.read(command.state)
    assert known is not None
    os.kill(known.supervisor, signal.SIGKILL)
    left = command.processes()
    assert len(left) > 10
    down = command("down")
    assert down.returncode == 0, down.stdout + down.stderr
    assert "stopped what it left" in down.stdout
    assert not any(process_tree.lives(process) for process in left)
    assert command("down").stdout.strip() == "Not running."
    assert command("status").returncode == 1
    for arguments in (("rebuild",), ("events",), ("subscriber", "crm")):
        refused = command(*arguments)
        assert (refused.returncode, "make up" in refused.stderr) == (1, True)


def test_a_taken_port_is_reported_with_the_variable_to_set(command: CommandLine) -> None:
    with socket.create_server((ports.LOOPBACK, 0)) as other:
        port = other.getsockname()[1]
        up = command("up", GATEWAY_PORT=str(port))
    assert up.returncode == 1
    assert f"Port {port} on 127.0.0.1 is already used by" in up.stderr
    assert "GATEWAY_PORT=" in up.stderr
    assert command.processes() == []


def test_a_stack_starts_after_a_crash_and_stops_in_good_order(command: CommandLine) -> None:
    up = command("up")
    assert up.returncode == 0, up.stdout + up.stderr
    running = command.processes()
    known = status.read(command.state)
    assert known is not None
    supervisor = psutil.Process(known.supervisor)
    down = command("down")
    assert (down.returncode, down.stdout.strip()) == (0, "Stopped.")
    assert not any(process_tree.lives(process) for process in [*running, supervisor])
    assert command.state.records() == []


def test_clean_deletes_everything(command: CommandLine) -> None:
    identity = command.state.load_identity()
    assert identity is not None
    assert Path(identity.postgres_dir).exists()
    assert command("clean").returncode == 0
    assert not command.state.path.exists()
    assert not Path(identity.postgres_dir).parent.exists()
