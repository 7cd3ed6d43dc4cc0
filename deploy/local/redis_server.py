"""Redis as a private server of one stack."""

from pathlib import Path

from deploy.local.child import Child, Command, inherited_environment
from deploy.local.ports import LOOPBACK
from deploy.local.probes import redis_answers
from deploy.local.state_directory import StateDirectory

CONFIGURATION = """\
bind {address}
port {port}
requirepass {password}
protected-mode yes
daemonize no
appendonly yes
save ""
"""


class Redis(Child):
    """The server."""

    def __init__(self, state: StateDirectory, program: Path) -> None:
        self._port = state.port("redis")
        self._password = state.secret("redis")
        home = state.short_path / "redis"
        home.mkdir(mode=0o700, exist_ok=True)
        configuration = CONFIGURATION.format(address=LOOPBACK, port=self._port, password=self._password)
        StateDirectory.write_private(home / "redis.conf", configuration)
        # Its data goes to the directory it is started in.
        command = Command(
            name="redis", argv=(str(program), str(home / "redis.conf")), env=inherited_environment(), cwd=home
        )
        super().__init__(state, command, lambda: redis_answers(self._port, self._password))

    @property
    def url(self) -> str:
        """Its address, password included."""
        return f"redis://:{self._password}@{LOOPBACK}:{self._port}/0"
