"""A process of the stack: started in a session of its own, watched for readiness, stopped with all it started."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from deploy.local import process_tree
from deploy.local.errors import NotReady
from deploy.local.process_tree import Record
from deploy.local.state_directory import StateDirectory

POLL_S = 0.05
OWNER = "LOCAL_STACK_OWNER"
"""Variable that every process of a stack inherits: whoever sets it finds all of them again, even orphans."""


@dataclass(frozen=True, slots=True)
class Command:
    """What to run, how to stop it and how long to wait for it.

    Attributes
    ----------
    user : str, optional
        The account to run as; only root may name one.
    stop_signal : signal.Signals
        What makes it end in good order.
    stop_seconds, ready_seconds : float
        How long that may take; how long it may take to become ready.
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: Path
    user: str | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 15.0
    ready_seconds: float = 60.0


class Child:
    """A running command. Everything it started ends with it."""

    def __init__(self, state: StateDirectory, command: Command, ready: Callable[[], bool]) -> None:
        self.command = command
        self.name = command.name
        self.log = state.log(command.name)
        self.should_run = False
        self.is_watched = False
        self._state = state
        self._ready = ready
        self._process: subprocess.Popen[bytes] | None = None
        self._record: Record | None = None
        self._family: list[psutil.Process] = []
        self._guard = threading.RLock()

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    @property
    def died(self) -> bool:
        """Whether it should be running and is not."""
        return self.should_run and self.pid is None

    def is_ready(self) -> bool:
        """Whether it runs and answers."""
        return self.pid is not None and self._ready()

    def spawn(self) -> None:
        """Start it without waiting; no effect while it runs."""
        with self._guard:
            self.should_run = True
            if self.pid is not None:
                return
            self._end_tree()
            command = self.command
            with self.log.open("ab") as output:
                self._process = subprocess.Popen(
                    command.argv,
                    cwd=command.cwd,
                    env=dict(command.env),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    user=command.user,
                    group=command.user,
                    extra_groups=[] if command.user else None,
                )
            pid = self._process.pid
            created = psutil.Process(pid).create_time()
            self._record = Record(self.name, pid, created, command.stop_signal, command.stop_seconds)
            self._state.note(self._record)

    def revive(self) -> None:
        """Start it again if it should be running and is not."""
        with self._guard:
            if self.died:
                self.spawn()

    def wait_ready(self, seconds: float | None = None) -> None:
        """Wait until it answers.

        Raises
        ------
        NotReady
            It ended and is not watched, or it did not answer in `seconds` (default: its command's own limit).
        """
        limit = self.command.ready_seconds if seconds is None else seconds
        deadline = time.monotonic() + limit
        while not self.is_ready():
            if self.pid is None and not (self.is_watched and self.should_run):
                code = self._process.returncode if self._process else None
                raise NotReady(self.name, f"ended (exit code {code}) before it was ready", self.log)
            if time.monotonic() > deadline:
                raise NotReady(self.name, f"was not ready within {limit:.0f} s", self.log)
            time.sleep(POLL_S)

    def wait_done(self) -> None:
        """Wait until a one-shot command has ended well, for as long as it may take to be ready.

        Raises
        ------
        NotReady
            It failed, or did not end in time.
        """
        deadline = time.monotonic() + self.command.ready_seconds
        while self.pid is not None:
            if time.monotonic() > deadline:
                raise NotReady(self.name, f"did not end within {self.command.ready_seconds:.0f} s", self.log)
            time.sleep(POLL_S)
        if self._process is None or self._process.returncode != 0:
            code = self._process.returncode if self._process else None
            raise NotReady(self.name, f"failed (exit code {code})", self.log)

    def start(self) -> None:
        """Start it and wait until it is ready."""
        self.spawn()
        self.wait_ready()

    def begin_stop(self) -> None:
        """Send the stop signal without waiting; the watch does not start it again."""
        with self._guard:
            self.should_run = False
            if self._process is not None and self._process.poll() is None:
                # Once it has ended, what it started in other sessions can no longer be found.
                self._family = process_tree.members(self._record) if self._record else []
                self._process.send_signal(self.command.stop_signal)

    def stop(self) -> None:
        """End it in good order, by force when that takes too long; it stays down until it is started again."""
        self.begin_stop()
        with self._guard:
            deadline = time.monotonic() + self.command.stop_seconds
            while self.pid is not None and time.monotonic() < deadline:
                time.sleep(POLL_S)
            self._end_tree()
            self._state.forget(self.name)

    def kill(self) -> None:
        """SIGKILL, to it and all it started, as in a crash: if it is watched it comes back, else it stays down."""
        with self._guard:
            self._end_tree()

    def _end_tree(self) -> None:
        """Leave nothing behind of the process that ran, and collect its exit code."""
        if self._record is None or self._process is None:
            return
        tree = [*self._family, *process_tree.members(self._record)]
        self._family = []
        for member in tree:
            process_tree.send(member, signal.SIGKILL)
        self._process.wait()
        process_tree.kill(member for member in tree if member.pid != self._process.pid)


def inherited_environment() -> dict[str, str]:
    """The few variables of the caller's environment that a child needs; settings of other programs stay out."""
    names = ("PATH", "HOME", "TZ", "TMPDIR", "SSL_CERT_FILE", "LD_LIBRARY_PATH", OWNER)
    environment = {name: os.environ[name] for name in names if name in os.environ}
    return environment | {"LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
