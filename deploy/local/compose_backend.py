"""The stack by docker compose, from the command line."""

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from rich.console import Console

from deploy.local import env_file, ports
from deploy.local.errors import PortTaken, StackError
from deploy.local.processes import DEAD_LETTERS, EVENTS, REBUILDS
from deploy.local.subscribers import Subscriber

ROOT = Path(__file__).parents[2]
DEFAULT_PORT = "8080"
VHOST = "voice"
# State, health and exit code of a container that serves, and of a migration that is done.
WELL = frozenset({"running healthy 0", "running  0", "exited  0"})


class ComposeBackend:
    """The stack of this checkout's docker-compose.yml."""

    def __init__(self, console: Console) -> None:
        self._console = console
        # First of all: docker compose refuses every command while a secret is missing.
        self._settings = env_file.ensure(ROOT / ".env", ROOT / ".env.example")

    def up(self) -> None:
        """Bring it up; see `Backend`."""
        port = int(self.gateway_url.rsplit(":", 1)[1])
        if not self._read("ps", "--quiet", "gateway") and not ports.is_free(port):
            raise PortTaken(port)
        if self._compose("up", "--detach", "--build", "--wait", "--remove-orphans") != 0:
            self._compose("ps", "--all")
            msg = (
                "docker compose could not bring the stack up; see above, and: make logs\n"
                "To run without Docker: STACK=local make up"
            )
            raise StackError(msg)
        self._console.print(f"Up: {self.gateway_url}")

    def down(self) -> None:
        """Stop it; see `Backend`."""
        self._check("down", "--remove-orphans")

    def status(self) -> bool:
        """Print what each container does; see `Backend`."""
        self._check("ps", "--all")
        template = "{{.State}} {{.Health}} {{.ExitCode}}"
        states = self._read("ps", "--all", "--format", template).splitlines()
        return bool(states) and all(state in WELL for state in states)

    def logs(self, names: Sequence[str], *, follow: bool) -> None:
        """Print the containers' output; see `Backend`."""
        self._check("logs", "--tail", "40", *(["--follow"] if follow else []), *names)

    def rebuild(self) -> None:
        """Rebuild totals and reports; see `Backend`."""
        for process, arguments in REBUILDS.items():
            self._check("exec", "-T", process, "python", *arguments)

    def events(self, arguments: Sequence[str]) -> None:
        """Show events; see `Backend`."""
        self._become(*EVENTS, arguments)

    def dead_letters(self, arguments: Sequence[str]) -> None:
        """Look after dead letters; see `Backend`."""
        self._become(*DEAD_LETTERS, arguments)

    def _become(self, process: str, command: Sequence[str], arguments: Sequence[str]) -> NoReturn:
        # With a terminal of its own Ctrl-C reaches the program in the container, else only the client here.
        terminal = [] if sys.stdin.isatty() and sys.stdout.isatty() else ["-T"]
        os.chdir(ROOT)
        os.execvp("docker", ["docker", "compose", "exec", *terminal, process, "python", *command, *arguments])  # noqa: S606

    def subscriber(self, name: str) -> str:
        """Make a broker account; see `Backend`."""
        subscriber = Subscriber(name)
        password = secrets.token_hex(24)
        # Its queues' limits first: it never has a queue without them.
        for policy in subscriber.policies:
            definition = json.dumps(policy.definition)
            self._rabbitmqctl(
                "set_policy", "--vhost", VHOST, "--apply-to", "queues", policy.name, policy.pattern, definition
            )
        users = json.loads(self._rabbitmqctl("list_users", "--formatter", "json"))
        known = any(user["user"] == name for user in users)
        self._rabbitmqctl("change_password" if known else "add_user", name, typed=password)
        rights = (subscriber.configure, subscriber.write, subscriber.read)
        self._rabbitmqctl("set_permissions", "--vhost", VHOST, name, *rights)
        self._rabbitmqctl("close_all_user_connections", name, "a new password was set")
        return f"amqp://{name}:{password}@rabbitmq:5672/{VHOST}"

    def clean(self) -> None:
        """Stop it; its volumes and their data stay; see `Backend`."""
        self.down()
        self._console.print("The volumes stay, and .env with their passwords.")
        self._console.print("To delete the data too: docker compose down --volumes")

    @property
    def gateway_url(self) -> str:
        """Where the API is; see `Backend`."""
        port = os.environ.get("GATEWAY_PORT") or self._settings.get("GATEWAY_PORT", DEFAULT_PORT)
        return f"http://127.0.0.1:{port}"

    @property
    def jwt_secret(self) -> str:
        """The key of its tokens; see `Backend`."""
        return os.environ.get("JWT_SECRET") or self._settings["JWT_SECRET"]

    def _check(self, *arguments: str) -> None:
        code = self._compose(*arguments)
        if code != 0:
            msg = f"docker compose {arguments[0]} failed (exit code {code}); see above"
            raise StackError(msg)

    def _rabbitmqctl(self, *arguments: str, typed: str = "") -> str:
        """Run a command of the broker's; a password is typed to it, because every `ps` shows a command line."""
        return self._read("exec", "-T", "rabbitmq", "rabbitmqctl", "--quiet", *arguments, typed=typed)

    def _read(self, *arguments: str, typed: str = "") -> str:
        command = ["docker", "compose", *arguments]
        done = subprocess.run(command, check=False, cwd=ROOT, input=typed, capture_output=True, text=True)
        if done.returncode != 0:
            msg = f"docker compose {arguments[0]} failed:\n{done.stderr}"
            raise StackError(msg)
        return done.stdout

    def _compose(self, *arguments: str) -> int:
        # Without an input there is nothing to wait for an answer from.
        command = ["docker", "compose", *arguments]
        return subprocess.run(command, check=False, cwd=ROOT, stdin=subprocess.DEVNULL).returncode
