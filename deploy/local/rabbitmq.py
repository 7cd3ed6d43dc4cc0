"""RabbitMQ as a private node of one stack, with a port mapper (epmd) of its own."""

import subprocess
from pathlib import Path

from deploy.local.child import Child, Command, inherited_environment
from deploy.local.ports import LOOPBACK
from deploy.local.probes import http_ok
from deploy.local.state_directory import StateDirectory

USER = VHOST = "voice"
PORTS = ("rabbitmq", "rabbitmq-management", "rabbitmq-distribution", "epmd")
# The first user is made from this file when the node is new; there is no guest. Limits are those of a small machine:
# without them RabbitMQ takes up to 40 % of the memory, and 512 MB of write-ahead log.
CONFIGURATION = """\
listeners.tcp.local = {address}:{port}
management.tcp.ip = {address}
management.tcp.port = {management_port}
default_user = {user}
default_pass = {password}
default_vhost = {vhost}
default_user_tags.administrator = true
default_permissions.configure = .*
default_permissions.read = .*
default_permissions.write = .*
log.file = false
log.console = true
log.console.level = info
log.console.use_colors = off
vm_memory_high_watermark.absolute = 768MiB
disk_free_limit.absolute = 256MiB
raft.wal_max_size_bytes = 67108864
"""
# Only loopback for what nodes and tools speak among themselves; idle schedulers sleep instead of spinning.
ERLANG_ARGUMENTS = "-kernel inet_dist_use_interface {127,0,0,1} +sbwt none +sbwtdcpu none +sbwtdio none"


class RabbitMQ(Child):
    """The node. Stopping it leaves epmd, which is started before it."""

    def __init__(self, state: StateDirectory, start_script: Path) -> None:
        self._port = state.port("rabbitmq")
        self._management_port = state.port("rabbitmq-management")
        self._password = state.secret("rabbitmq")
        self._cookie = state.secret("erlang-cookie")
        home = state.short_path / "rabbitmq"
        for directory in (home, home / "data", home / "log", home / "conf.d"):
            directory.mkdir(mode=0o700, exist_ok=True)
        self._write_configuration(home)
        command = Command(
            name="rabbitmq",
            argv=(str(start_script),),
            env=_environment(state, home),
            cwd=home,
            stop_seconds=30,
            ready_seconds=120,
        )
        super().__init__(state, command, self._serves)

    @property
    def url(self) -> str:
        """The administrator's AMQP address, on the stack's virtual host."""
        return amqp_url(self._port, USER, self._password)

    @property
    def management_url(self) -> str:
        """The administrator's address of the management HTTP API."""
        return management_url(self._management_port, self._password)

    def _serves(self) -> bool:
        question = f"/api/health/checks/port-listener/{self._port}"
        return http_ok(self._management_port, question, user=USER, password=self._password)

    def _write_configuration(self, home: Path) -> None:
        configuration = CONFIGURATION.format(
            address=LOOPBACK,
            port=self._port,
            management_port=self._management_port,
            user=USER,
            password=self._password,
            vhost=VHOST,
        )
        StateDirectory.write_private(home / "rabbitmq.conf", configuration)
        StateDirectory.write_private(home / "enabled_plugins", "[rabbitmq_management].\n")
        StateDirectory.write_private(home / "rabbitmq-env.conf", "")
        # Whoever knows the cookie commands the node; Erlang would make one that can be guessed.
        StateDirectory.write_private(home / ".erlang.cookie", self._cookie)


def amqp_url(port: int, user: str, password: str) -> str:
    """A user's address on the stack's virtual host."""
    return f"amqp://{user}:{password}@{LOOPBACK}:{port}/{VHOST}"


def management_url(port: int, password: str) -> str:
    """The administrator's address of the management HTTP API."""
    return f"http://{USER}:{password}@{LOOPBACK}:{port}"


def epmd(state: StateDirectory, program: Path) -> Child:
    """Erlang's port mapper, only for this stack: without it the node would start one that outlives it."""
    port = state.port("epmd")
    argv = (str(program), "-address", LOOPBACK, "-port", str(port))
    question = (str(program), "-port", str(port), "-names")
    command = Command(name="epmd", argv=argv, env=inherited_environment(), cwd=state.short_dir, stop_seconds=5)
    return Child(state, command, lambda: _epmd_answers(question))


def _epmd_answers(question: tuple[str, ...]) -> bool:
    return subprocess.run(question, check=False, capture_output=True, env=inherited_environment()).returncode == 0


def _environment(state: StateDirectory, home: Path) -> dict[str, str]:
    """Everything the start script would otherwise take from the system's own node."""
    return inherited_environment() | {
        "HOME": str(home),
        "RABBITMQ_NODENAME": f"voice-{state.identity.id}@localhost",
        "RABBITMQ_MNESIA_BASE": str(home / "data"),
        "RABBITMQ_LOG_BASE": str(home / "log"),
        "RABBITMQ_CONFIG_FILE": str(home / "rabbitmq.conf"),
        "RABBITMQ_CONFIG_FILES": str(home / "conf.d"),
        "RABBITMQ_ADVANCED_CONFIG_FILE": str(home / "advanced.config"),
        "RABBITMQ_CONF_ENV_FILE": str(home / "rabbitmq-env.conf"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(home / "enabled_plugins"),
        "RABBITMQ_GENERATED_CONFIG_DIR": str(home / "data" / "config"),
        "RABBITMQ_PID_FILE": str(home / "pid"),
        "RABBITMQ_DIST_PORT": str(state.port("rabbitmq-distribution")),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": ERLANG_ARGUMENTS,
        "ERL_EPMD_PORT": str(state.port("epmd")),
        "ERL_EPMD_ADDRESS": LOOPBACK,
    }
