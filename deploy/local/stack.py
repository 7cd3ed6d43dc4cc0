"""The whole product on this machine: servers, migrations, processes and gateway, restarted when they die."""

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from deploy.local import ports
from deploy.local.child import Child, Command, inherited_environment
from deploy.local.errors import PortTaken
from deploy.local.gateway import gateway
from deploy.local.ports import LOOPBACK
from deploy.local.probes import http_ok
from deploy.local.processes import PRODUCT, ProcessSpec, Product
from deploy.local.servers import Servers
from deploy.local.tokens import make_token
from deploy.local.watch import Watch

ROOT = Path(__file__).parents[2]
MIGRATION_SECONDS = 120.0
_ADDRESSES = {"CAMPAIGN_SVC_URL": "campaign-api", "ANALYTICS_SVC_URL": "analytics-api"}
"""Settings that name another process's address."""
_WEBHOOKS = {"WEBHOOK_ALLOW_HTTP": "true", "WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8,::1/128"}
"""Receivers under development run on this machine too. Variables of the caller's environment take precedence."""
Report = Callable[[str, str], None]


def _ignore(_name: str, _state: str) -> None:
    """For callers who watch the result alone."""


class Stack:
    """One stack on one state directory.

    Parameters
    ----------
    state_dir : Path
        Where it keeps data, passwords, ports and logs.
    gateway_port : int, optional
        The loopback port of the gateway; a free one when not given.
    servers : Servers, optional
        Servers that run already, on the same state directory; they keep running when the stack stops.
    product : Product
        What to run on them.
    report : callable
        Called with the name of a part and its new state: "starting", "ready", "restarted", "stopping".
    """

    is_local = True

    def __init__(
        self,
        state_dir: Path,
        *,
        gateway_port: int | None = None,
        servers: Servers | None = None,
        product: Product = PRODUCT,
        report: Report = _ignore,
    ) -> None:
        self.servers = servers or Servers(state_dir)
        self._owns_servers = servers is None
        self.state = self.servers.state
        self._gateway_port = gateway_port
        self.product = product
        self._report = report
        self._children: dict[str, Child] = {}
        self._watch: Watch | None = None

    @property
    def gateway_port(self) -> int:
        """The gateway's port; known from the start when it was given, else once the stack runs."""
        return self._gateway_port or self.state.port("gateway")

    @property
    def gateway_url(self) -> str:
        """Where the API is."""
        return f"http://{LOOPBACK}:{self.gateway_port}"

    @property
    def jwt_secret(self) -> str:
        """The key of this stack's tokens."""
        return self.state.secret("jwt")

    def token(self, *companies: int, role: str = "user", subject: str = "local") -> str:
        """A token for these companies (company 1 when none is given), good for 24 hours."""
        return make_token(self.jwt_secret, companies or (1,), role=role, subject=subject)

    def process(self, name: str) -> Child:
        """A part by name: a process, a server or the gateway; `kill()` it and it is started again."""
        return self._children[name]

    @property
    def parts(self) -> Sequence[Child]:
        """Everything that runs: servers, processes and gateway."""
        return list(self._children.values())

    def url(self, name: str) -> str:
        """The address of one process itself, past the gateway."""
        return f"http://{LOOPBACK}:{self.state.port(name)}"

    def stop_process(self, name: str) -> None:
        """End a process; it stays down until `start_process`."""
        self.process(name).stop()

    def start_process(self, name: str) -> None:
        """Start a process that was stopped, and wait until it is ready."""
        self.process(name).start()

    def start(self) -> None:
        """Bring everything up and wait until every process is ready.

        Raises
        ------
        StackError
            `PortTaken`, before anything is started; `NotReady` with the process and its log; or what `Servers.start`
            raises. Nothing is left running then, but for servers that were given.
        """
        try:
            if not self.state.is_locked_here:
                self.state.lock()
            self._claim_gateway_port()
            self._start_servers()
            self.state.claim_ports(spec.name for spec in self.product.processes)
            self._migrate()
            for spec in self.product.processes:
                self._spawn(self._process(spec))
            self._spawn(self._gateway())
            for child in self._children.values():
                child.wait_ready()
                self._report(child.name, "ready")
            self._watch = Watch(list(self._children.values()), lambda child: self._report(child.name, "restarted"))
            self._watch.start()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End everything in reverse order: the gateway, the processes, then the servers if they are its own."""
        if self._watch is not None:
            self._watch.end()
            self._watch = None
        own = [child for child in reversed(self._children.values()) if child not in self.servers.children]
        for child in own:
            self._report(child.name, "stopping")
            child.begin_stop()
        for child in own:
            child.stop()
        self._children.clear()
        if self._owns_servers:
            self.servers.stop()

    def _claim_gateway_port(self) -> None:
        if self._gateway_port is None:
            self.state.claim_ports(["gateway"])
            self._gateway_port = self.state.port("gateway")
        if not ports.is_free(self.gateway_port):
            raise PortTaken(self.gateway_port)

    def _start_servers(self) -> None:
        if self._owns_servers:
            for name in ("postgres", "rabbitmq", "redis"):
                self._report(name, "starting")
            self.servers.start()
        for child in self.servers.children:
            self._children[child.name] = child
            self._report(child.name, "ready")

    def _migrate(self) -> None:
        """Upgrade the databases, side by side."""
        migrations = [self._migration(spec) for spec in self.product.migrations]
        try:
            for migration in migrations:
                self._report(migration.name, "starting")
                migration.spawn()
            for migration in migrations:
                migration.wait_done()
                self._report(migration.name, "ready")
        finally:
            for migration in migrations:
                migration.stop()

    def _spawn(self, child: Child) -> None:
        self._children[child.name] = child
        self._report(child.name, "starting")
        child.spawn()

    def _migration(self, spec: ProcessSpec) -> Child:
        argv = (sys.executable, *spec.arguments)
        environment = self._environment(spec)
        command = Command(name=spec.name, argv=argv, env=environment, cwd=ROOT, ready_seconds=MIGRATION_SECONDS)
        return Child(self.state, command, ready=lambda: False)

    def _process(self, spec: ProcessSpec) -> Child:
        port = self.state.port(spec.name)
        environment = self._environment(spec) | {"HOST": LOOPBACK, "PORT": str(port)}
        command = Command(name=spec.name, argv=(sys.executable, *spec.arguments), env=environment, cwd=ROOT)
        return Child(self.state, command, lambda: http_ok(port, "/readyz"))

    def _environment(self, spec: ProcessSpec) -> dict[str, str]:
        servers = self.servers
        settings = {"JWT_SECRET": self.jwt_secret}
        settings |= {name: os.environ.get(name, usual) for name, usual in _WEBHOOKS.items()}
        for name, process in _ADDRESSES.items():
            if process in self.state.identity.ports:
                settings[name] = self.url(process)
        return inherited_environment() | {
            "DATABASE_URL": servers.postgres.database_url(spec.database),
            "AMQP_URL": servers.rabbitmq.url,
            "REDIS_URL": servers.redis.url,
            "LOG_FORMAT": "json",
            "LOG_LEVEL": os.environ.get("LOG_LEVEL", "INFO"),
            "PYTHONUNBUFFERED": "1",
            **{name: settings[name] for name in spec.needs},
        }

    def _gateway(self) -> Child:
        upstreams = {
            name: f"{LOOPBACK}:{self.state.port(process)}" for name, process in self.product.gateway_upstreams.items()
        }
        return gateway(self.state, self.servers.programs.nginx, self.gateway_port, upstreams)
