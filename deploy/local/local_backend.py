"""The stack without Docker, from the command line: a background supervisor and its status file."""

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import psutil
from rich.console import Console
from rich.table import Table

from deploy.local import binaries, broker_api, log_view, process_tree, rabbitmq, supervisor
from deploy.local.errors import StackError, tail
from deploy.local.probes import http_get
from deploy.local.process_tree import Record
from deploy.local.processes import DEAD_LETTERS, EVENTS, REBUILDS
from deploy.local.stack import ROOT
from deploy.local.state_directory import StateDirectory
from deploy.local.status import Phase, Status
from deploy.local.subscribers import Subscriber

LOG_LINES = 40


class LocalBackend:
    """The stack of one state directory."""

    def __init__(self, state_dir: Path, gateway_port: int, console: Console) -> None:
        self._state = StateDirectory(state_dir)
        self._gateway_port = gateway_port
        self._console = console

    def is_up(self) -> bool:
        """Whether a supervisor is at work."""
        return self._state.is_locked()

    def up(self) -> None:
        """Bring it up; see `Backend`."""
        binaries.find_or_install(self._console.print)
        running = supervisor.running(self._state)
        if running is not None and running[1].phase is Phase.STOPPING:
            self._console.print("The stack is being stopped; waiting for that first.")
            process_tree.survivors([running[0]], supervisor.STOP_SECONDS)
            running = None
        if running is not None and running[1].phase is Phase.READY:
            self._console.print(f"Already up: {running[1].gateway_url}")
            return
        process = running[0] if running else psutil.Process(supervisor.launch(self._state.path, self._gateway_port).pid)
        try:
            self._show_start(process)
        except KeyboardInterrupt:
            self._console.print("\nInterrupted: stopping what was started.")
            supervisor.shut_down(self._state, process)
            raise

    def down(self) -> None:
        """Stop it; see `Backend`."""
        running = supervisor.running(self._state)
        if running is not None:
            with self._console.status("Stopping"):
                supervisor.shut_down(self._state, running[0])
            self._console.print("Stopped.")
            return
        ended = self._state.reclaim()
        if ended:
            self._console.print(f"The supervisor was gone; stopped what it left: {', '.join(ended)}.")
        else:
            self._console.print("Not running.")

    def status(self) -> bool:
        """Print what each process does; see `Backend`."""
        running = supervisor.running(self._state)
        if running is None:
            left = [record.name for record in self._state.records() if process_tree.members(record)]
            leftovers = f" Left by a killed supervisor: {', '.join(left)}; make down ends them." if left else ""
            self._console.print(f"Not running.{leftovers}")
            return False
        now = running[1]
        self._console.print(f"{now.phase.capitalize()} on {now.gateway_url}, supervisor {now.supervisor}")
        table = Table("process", "state", "pid", "port", "restarts", "up for")
        identity = self._state.load_identity()
        ports = identity.ports if identity else {}
        well = now.phase is Phase.READY
        for record in self._state.records():
            port = int(now.gateway_url.rsplit(":", 1)[1]) if record.name == "gateway" else ports.get(record.name)
            state = _state_of(record, port)
            well = well and state in {"ready", "running"}
            color = "green" if state in {"ready", "running"} else "red"
            age = f"{time.time() - record.created:.0f} s"
            restarts = str(now.restarts.get(record.name, 0))
            table.add_row(record.name, f"[{color}]{state}[/]", str(record.pid), str(port), restarts, age)
        self._console.print(table)
        return well

    def logs(self, names: Sequence[str], *, follow: bool) -> None:
        """Print the processes' output; see `Backend`."""
        known = {file.stem: file for file in self._state.logs.glob("*.log")}
        unknown = [name for name in names if name not in known]
        if unknown:
            msg = f"no log of {', '.join(unknown)}; there are: {', '.join(sorted(known)) or 'none'}"
            raise StackError(msg)
        chosen = [known[name] for name in names] or list(known.values())
        log_view.show(chosen, follow=follow, lines=LOG_LINES)

    def rebuild(self) -> None:
        """Rebuild totals and reports; see `Backend`."""
        for process, arguments in REBUILDS.items():
            self._rebuild(process, arguments)

    def _rebuild(self, process: str, arguments: Sequence[str]) -> None:
        environment = self._settings_of(process)
        done = subprocess.run([sys.executable, *arguments], check=False, cwd=ROOT, env=environment)
        if done.returncode != 0:
            msg = f"the rebuild ended with exit code {done.returncode}; see above"
            raise StackError(msg)

    def _settings_of(self, process: str) -> dict[str, str]:
        """What the stack gave a running process: passwords and ports are written nowhere else."""
        knows = next((record for record in self._state.records() if record.name == process), None)
        leaders = [] if knows is None else [each for each in process_tree.members(knows) if each.pid == knows.pid]
        if not leaders:
            msg = f"{process} is not running: make up"
            raise StackError(msg)
        return leaders[0].environ()

    def events(self, arguments: Sequence[str]) -> None:
        """Show events; see `Backend`."""
        self._become(*EVENTS, arguments)

    def dead_letters(self, arguments: Sequence[str]) -> None:
        """Look after dead letters; see `Backend`."""
        self._become(*DEAD_LETTERS, arguments)

    def _become(self, process: str, command: Sequence[str], arguments: Sequence[str]) -> NoReturn:
        environment = self._settings_of(process)
        os.chdir(ROOT)
        # In this process's place: Ctrl-C then has one program to end.
        os.execve(sys.executable, [sys.executable, *command, *arguments], environment)  # noqa: S606

    def subscriber(self, name: str) -> str:
        """Make a broker account; see `Backend`."""
        subscriber = Subscriber(name)
        identity = self._state.load_identity()
        if identity is None or not self.is_up():
            msg = "The stack is not running: make up"
            raise StackError(msg)
        password = secrets.token_hex(24)
        management = rabbitmq.management_url(identity.ports["rabbitmq-management"], identity.secrets["rabbitmq"])
        broker_api.put_subscriber(management, rabbitmq.VHOST, subscriber, password)
        return rabbitmq.amqp_url(identity.ports["rabbitmq"], name, password)

    def clean(self) -> None:
        """Stop it and delete all its data; see `Backend`."""
        self.down()
        self._state.reclaim(delete=True)

    @property
    def gateway_url(self) -> str:
        """Where the API is; see `Backend`."""
        running = supervisor.running(self._state)
        if running is None:
            msg = "The stack is not running: make up"
            raise StackError(msg)
        return running[1].gateway_url

    @property
    def jwt_secret(self) -> str:
        """The key of its tokens; see `Backend`."""
        identity = self._state.load_identity()
        if identity is None:
            msg = "There is no stack yet: make up"
            raise StackError(msg)
        return identity.secrets["jwt"]

    def _show_start(self, process: psutil.Process) -> None:
        """Follow a start to its end; raise `StackError` with the failing process's last words."""
        began = time.monotonic()
        ready: set[str] = set()
        with self._console.status("Starting") as waiting:
            for now in supervisor.follow(self._state, process):
                for name, part in now.parts.items():
                    if part == "ready" and name not in ready:
                        ready.add(name)
                        self._console.print(f"  [green]✓[/] {name:<18} {time.monotonic() - began:5.1f} s")
                open_parts = [name for name, part in now.parts.items() if part == "starting"]
                waiting.update(f"Waiting for {', '.join(open_parts)}" if open_parts else "Starting")
        if now.phase is Phase.READY:
            self._console.print(f"Up: {now.gateway_url}")
            return
        raise StackError(_failure(now))


def _failure(now: Status) -> str:
    if now.phase is Phase.STOPPED:
        return "The stack was stopped while it started."
    if not now.log:
        return now.error
    end = tail(Path(now.log), LOG_LINES)
    return f"Not ready: {now.error}\n--- the end of {now.log}\n{end}\n---\nWhat was started is stopped again."


def _state_of(record: Record, port: int | None) -> str:
    """What a process is doing, in a word or two."""
    if not any(member.pid == record.pid for member in process_tree.members(record)):
        return "down"
    if record.name in {"postgres", "rabbitmq", "redis", "epmd"} or port is None:
        return "running"
    answer = http_get(port, "/healthz" if record.name == "gateway" else "/readyz")
    if answer is None:
        return "no answer"
    if answer.status == 200:
        return "ready"
    try:
        checks = json.loads(answer.body).get("checks", {})
    except ValueError:
        return f"answers {answer.status}"
    return "not ready: " + ", ".join(name for name, result in checks.items() if result != "ok")
