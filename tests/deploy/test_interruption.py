"""A test run that is interrupted leaves no process, no state directory and no short directory behind."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from deploy.local import process_tree
from deploy.local.child import OWNER
from deploy.local.state_directory import IDENTITY, StateDirectory
from tests.fixtures.run_directory import ROOT
from tests.fixtures.waiting import eventually

CASES = Path(__file__).with_name("interrupted_cases.py")
START_SECONDS = 120.0
END_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Run:
    """A small test run in a process of its own, with its own directory of runs."""

    process: subprocess.Popen[bytes]
    runs: Path

    @property
    def states(self) -> list[Path]:
        """The state directories of the run that exist now."""
        return [identity.parent for identity in self.runs.glob(f"*/*/{IDENTITY}")]

    def processes(self) -> set[psutil.Process]:
        """Everything that the run has started: its descendants, the members of its stacks and whoever has its mark."""
        found = {psutil.Process(self.process.pid), *psutil.Process(self.process.pid).children(recursive=True)}
        for state in self.states:
            for record in StateDirectory(state).records():
                found.update(process_tree.members(record))
        return found | set(_marked(self.runs))

    async def reached(self, point: str, workers: int) -> None:
        """Wait until a test of each worker has reached a point."""

        async def there() -> bool:
            assert self.process.poll() is None, "the run ended by itself"
            return len(list(self.runs.glob(f"*/{point}"))) >= workers

        await eventually(there, deadline=START_SECONDS)


def _marked(runs: Path) -> Iterator[psutil.Process]:
    marks = {path.name for path in runs.iterdir()}
    for process in psutil.process_iter():
        try:
            if process.environ().get(OWNER) in marks:
                yield process
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Run]]:
    """Start a test run by its command line; what is left of it is killed afterwards."""
    runs = tmp_path / "runs"
    runs.mkdir()
    started: list[Run] = []

    def start(*argv: str | Path) -> Run:
        with (tmp_path / "output").open("wb") as output:
            process = subprocess.Popen(
                argv,
                cwd=ROOT,
                env=os.environ | {"TEST_RUNS_DIR": str(runs)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        started.append(Run(process, runs))
        return started[-1]

    yield start
    for run in started:
        process_tree.kill(_marked(run.runs))
        if run.process.poll() is None:
            os.killpg(run.process.pid, signal.SIGKILL)
            run.process.wait()


def pytest_of(case: str, *options: str) -> list[str | Path]:
    """The command line of pytest for one of the cases."""
    return [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options, f"{CASES}::{case}"]


def make_test_of(case: str, workers: int) -> list[str | Path]:
    """The command line of make for one of the cases."""
    arguments = f"-p no:cacheprovider --numprocesses {workers} {CASES.relative_to(ROOT)}::{case}"
    return ["make", "test", f"PYTEST_ARGS={arguments}"]


async def assert_nothing_is_left(run: Run, processes: set[psutil.Process], outside: list[Path]) -> None:
    """Wait until the processes have ended and the directories are deleted."""

    def left() -> list[str]:
        living = [f"{process.pid} {process.name()}" for process in processes if process_tree.lives(process)]
        marked = [f"{process.pid} {process.name()}" for process in _marked(run.runs)]
        directories = [str(path) for path in [*run.runs.iterdir(), *outside] if path.exists()]
        return living + marked + directories

    async def gone() -> bool:
        return run.process.poll() is not None and not left()

    try:
        await eventually(gone, deadline=END_SECONDS)
    except AssertionError as error:
        raise AssertionError(f"left: {left()}") from error


def outside(run: Run) -> list[Path]:
    """Directories of the run's stacks that are elsewhere: for sockets, and for data when PostgreSQL needs it."""
    identities = [json.loads((state / IDENTITY).read_text()) for state in run.states]
    return [Path(one[name]) for one in identities for name in ("short_dir", "postgres_dir") if one[name]]


INTERRUPTIONS: dict[str, tuple[Callable[[str], list[str | Path]], int, str, Callable[[int], None]]] = {
    "Ctrl-C in make, two workers, amid tests": (
        lambda case: make_test_of(case, 2),
        1,
        "amid",
        lambda group: os.killpg(group, signal.SIGINT),
    ),
    "SIGTERM to make, two workers, amid tests": (
        lambda case: make_test_of(case, 2),
        1,
        "amid",
        lambda pid: os.kill(pid, signal.SIGTERM),
    ),
    "SIGKILL to pytest amid a test": (
        lambda case: pytest_of(case, "-n0"),
        1,
        "amid",
        lambda pid: os.kill(pid, signal.SIGKILL),
    ),
    "SIGTERM to pytest while servers start": (
        lambda case: pytest_of(case, "-n0"),
        1,
        "starting",
        lambda pid: os.kill(pid, signal.SIGTERM),
    ),
}


@pytest.mark.parametrize("interruption", INTERRUPTIONS)
async def test_an_interrupted_run_leaves_nothing_behind(start: Callable[..., Run], interruption: str) -> None:
    """Fails when a signal ends pytest before its fixtures, or when no process outlives a killed pytest."""
    command, workers, point, interrupt = INTERRUPTIONS[interruption]
    run = start(*command("test_servers_and_processes"))
    await run.reached(point, workers)
    processes, directories = run.processes(), outside(run)
    assert len(processes) > 3
    assert directories
    interrupt(run.process.pid)
    await assert_nothing_is_left(run, processes, directories)
