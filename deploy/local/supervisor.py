"""The stack as a background process: started, watched and stopped from the command line."""

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import NoReturn

import psutil

from deploy.local import process_tree
from deploy.local import status as status_file
from deploy.local.errors import NotReady, StackError, tail
from deploy.local.stack import ROOT, Stack
from deploy.local.state_directory import StateDirectory
from deploy.local.status import Phase, Status, StatusFile

STOP_SECONDS = 90.0
FOLLOW_EVERY_S = 0.1
LOOK_EVERY_S = 2.0
LOG = "supervisor"

logger = logging.getLogger(__name__)


class _StopRequested(BaseException):
    """SIGTERM or SIGINT arrived; not an error, so that nothing that handles errors takes it for one."""


def supervise(state_dir: Path, gateway_port: int) -> int:
    """Run a stack until SIGTERM: the body of the background process. Returns its exit code."""
    signal.signal(signal.SIGTERM, _request_stop)
    signal.signal(signal.SIGINT, _request_stop)
    status = StatusFile(StateDirectory(state_dir))
    stack = Stack(state_dir, gateway_port=gateway_port, report=status.report)
    try:
        # Before the status file is written: it belongs to the process that has locked the directory.
        stack.state.lock()
    except StackError:
        logger.exception("the stack did not start")
        return 1
    try:
        status.enter(Phase.STARTING, gateway_url=stack.gateway_url)
        stack.start()
        status.enter(Phase.READY)
        logger.info("ready on %s", stack.gateway_url)
        while stack.state.is_whole():
            time.sleep(LOOK_EVERY_S)
        # Without it no command could find this stack to stop it.
        logger.error("%s was deleted: stopping", stack.state.path)
    except _StopRequested:
        logger.info("stop requested")
    except NotReady as error:
        logger.exception("the stack did not start")
        status.enter(Phase.FAILED, error=str(error), failed=error.name, log=str(error.log))
        return 1
    except (StackError, OSError) as error:
        logger.exception("the stack did not start")
        status.enter(Phase.FAILED, error=str(error))
        return 1
    status.enter(Phase.STOPPING)
    stack.stop()
    status.enter(Phase.STOPPED)
    return 0


def _request_stop(_number: int, _frame: FrameType | None) -> NoReturn:
    # Once is enough: a second signal must not interrupt the stop that the first one began.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise _StopRequested


def launch(state_dir: Path, gateway_port: int) -> subprocess.Popen[bytes]:
    """Start the background process; `follow` reports its progress."""
    state = StateDirectory(state_dir)
    state.logs.mkdir(mode=0o700, parents=True, exist_ok=True)
    environment = os.environ | {"LOCAL_STATE_DIR": str(state.path), "GATEWAY_PORT": str(gateway_port)}
    with state.log(LOG).open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "deploy.local", "supervise"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def follow(state: StateDirectory, supervisor: psutil.Process) -> Iterator[Status]:
    """Each new status of a supervisor, up to the one where it is ready or has failed.

    Raises
    ------
    StackError
        The supervisor ended without a word.
    """
    last: Status | None = None
    while True:
        alive = process_tree.lives(supervisor)
        now = status_file.read(state)
        if now is not None and now.supervisor == supervisor.pid and now != last:
            last = now
            yield now
            if now.phase in {Phase.READY, Phase.FAILED, Phase.STOPPED}:
                return
        if not alive:
            msg = f"the supervisor ended:\n{tail(state.log(LOG), 25)}"
            raise StackError(msg)
        time.sleep(FOLLOW_EVERY_S)


def running(state: StateDirectory) -> tuple[psutil.Process, Status] | None:
    """The supervisor that has locked this directory and its last status; None when there is none.

    Raises
    ------
    StackError
        The directory is locked, but not by a supervisor (by tests, for example).
    """
    if not state.is_locked():
        return None
    now = status_file.read(state)
    if now is not None:
        process = _process(now)
        if process is not None:
            return process, now
    msg = f"{state.path} is in use by another program"
    raise StackError(msg)


def shut_down(state: StateDirectory, supervisor: psutil.Process) -> None:
    """Have a supervisor stop its stack, and wait until it has; by force when it takes too long."""
    process_tree.send(supervisor, signal.SIGTERM)
    process_tree.kill(process_tree.survivors([supervisor], STOP_SECONDS))
    # After a stop in good order nothing is left, and nothing is done here.
    state.reclaim()


def _process(status: Status) -> psutil.Process | None:
    try:
        process = psutil.Process(status.supervisor)
        if abs(process.create_time() - status.created) > process_tree.SAME_START_S:
            return None
    except psutil.NoSuchProcess:
        return None
    return process
