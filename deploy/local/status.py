"""The status file of a running stack, in its state directory, for other processes to read."""

import json
import os
import threading
from dataclasses import asdict, dataclass, field
from enum import StrEnum

import psutil

from deploy.local.state_directory import StateDirectory

FILE = "status.json"


class Phase(StrEnum):
    """Where a stack is in its life."""

    STARTING = "starting"
    READY = "ready"
    STOPPING = "stopping"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(slots=True)
class Status:
    """A stack as its supervisor sees it.

    Attributes
    ----------
    supervisor : int
        The supervisor's process id.
    created : float
        When the supervisor started, seconds since 1970.
    parts : dict
        The last that was reported of each part: "starting", "ready", "restarted", "stopping".
    restarts : dict
        How often each part was started again.
    error, failed, log : str
        Why the stack did not start, which part is to blame, and where its output is.
    """

    supervisor: int
    created: float
    phase: Phase = Phase.STARTING
    gateway_url: str = ""
    parts: dict[str, str] = field(default_factory=dict)
    restarts: dict[str, int] = field(default_factory=dict)
    error: str = ""
    failed: str = ""
    log: str = ""


class StatusFile:
    """Keeps the status of this process's stack, and writes it at each change."""

    def __init__(self, state: StateDirectory) -> None:
        self._state = state
        self._guard = threading.Lock()
        self._status = Status(supervisor=os.getpid(), created=psutil.Process().create_time())

    def report(self, name: str, part_state: str) -> None:
        """Note what became of a part."""
        with self._guard:
            self._status.parts[name] = part_state
            if part_state == "restarted":
                self._status.restarts[name] = self._status.restarts.get(name, 0) + 1
            self._write()

    def enter(self, phase: Phase, *, gateway_url: str = "", error: str = "", failed: str = "", log: str = "") -> None:
        """Note a new phase."""
        with self._guard:
            status = self._status
            status.phase = phase
            status.gateway_url = gateway_url or status.gateway_url
            status.error, status.failed, status.log = error, failed, log
            self._write()

    def _write(self) -> None:
        self._state.write(FILE, asdict(self._status))


def read(state: StateDirectory) -> Status | None:
    """The last status that was written for this directory, whoever wrote it; None before the first."""
    path = state.path / FILE
    if not path.exists():
        return None
    content = json.loads(path.read_text())
    return Status(**content | {"phase": Phase(content["phase"])})
