"""Processes known by id and start time, and everything they started: found and ended without ever going by a name."""

import os
import signal
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import psutil

# A start time moves a little when the machine's clock is set; an id is not given out again that soon.
SAME_START_S = 2.0
KILL_WAIT_S = 10.0
POLL_S = 0.02


@dataclass(frozen=True, slots=True)
class Record:
    """A process that was started here.

    Attributes
    ----------
    name : str
        What it is called in this stack.
    pid : int
        Its id, which is also the id of the session it leads.
    created : float
        When it started, seconds since 1970; with `pid` this names one process for ever.
    stop_signal : int
        The signal that stops it in good order.
    stop_seconds : float
        How long that may take.
    """

    name: str
    pid: int
    created: float
    stop_signal: int
    stop_seconds: float


def members(record: Record) -> list[psutil.Process]:
    """The recorded process if it lives, its descendants, and whoever is left of its session."""
    found = {process.pid: process for process in psutil.process_iter() if _session(process.pid) == record.pid}
    try:
        process = psutil.Process(record.pid)
        # While a session has members its number is not given to a new process: with another start time, the session
        # is gone too.
        if abs(process.create_time() - record.created) > SAME_START_S:
            return []
        found |= {child.pid: child for child in process.children(recursive=True)}
    except psutil.NoSuchProcess:
        pass  # the leader has ended; what is left of its session is still ours
    return [process for process in found.values() if lives(process)]


def _session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except (ProcessLookupError, PermissionError):
        return None


def lives(process: psutil.Process) -> bool:
    """Whether a process runs; a zombie does not, nor one whose id belongs to another by now."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def send(process: psutil.Process, number: int) -> None:
    """Signal a process; a process that has already ended is no error."""
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return


def kill(processes: Iterable[psutil.Process]) -> None:
    """End processes at once and wait until they are gone."""
    doomed = list(processes)
    for process in doomed:
        send(process, signal.SIGKILL)
    survivors(doomed, KILL_WAIT_S)


def survivors(processes: Iterable[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Wait until processes have ended, and return those that still run after a time.

    A zombie counts as ended: its parent, in a container perhaps none, has to collect it.
    """
    deadline = time.monotonic() + seconds
    while alive := [process for process in processes if lives(process)]:
        if time.monotonic() > deadline:
            break
        time.sleep(POLL_S)
        processes = alive
    return alive


def end(records: Sequence[Record]) -> list[str]:
    """End recorded processes, the last one first, with all they started; kill what does not go in time.

    Returns
    -------
    list of str
        Names of those that were still running.
    """
    trees = {record: members(record) for record in reversed(records)}
    for record, tree in trees.items():
        leaders = [process for process in tree if process.pid == record.pid]
        for process in leaders or tree:
            send(process, record.stop_signal)
    everyone = [process for tree in trees.values() for process in tree]
    alive = survivors(everyone, max((record.stop_seconds for record in records), default=0))
    kill([*alive, *(process for record in records for process in members(record))])
    return [record.name for record, tree in trees.items() if tree]
