"""The servers a stack stands on: PostgreSQL, RabbitMQ and Redis, private, on loopback ports of their own."""

from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from deploy.local import binaries, postgres, rabbitmq
from deploy.local.binaries import Binaries
from deploy.local.child import Child
from deploy.local.postgres import Postgres
from deploy.local.rabbitmq import RabbitMQ
from deploy.local.redis_server import Redis
from deploy.local.state_directory import StateDirectory

ChildT = TypeVar("ChildT", bound=Child)
PORTS = ("postgres", "redis", *rabbitmq.PORTS)


class Servers:
    """The three servers of one state directory, for the stack and for tests alike.

    `postgres`, `rabbitmq` and `redis` can be stopped, killed and started one by one; their addresses stay the same.
    Data survives `stop`; `destroy` deletes it.
    """

    postgres: Postgres
    rabbitmq: RabbitMQ
    redis: Redis

    def __init__(self, state_dir: Path, *, programs: Binaries | None = None) -> None:
        self.state = StateDirectory(state_dir)
        self.children: list[Child] = []
        self._programs = programs

    @cached_property
    def programs(self) -> Binaries:
        """Where the server programs are (`ServersMissing` when they are not)."""
        return self._programs or binaries.find()

    def start(self) -> Self:
        """Start them all and make the services' databases.

        Raises
        ------
        StackError
            A program is missing (`ServersMissing`), the directory is in use (`AlreadyRunning`), a server does not start
            (`NotReady`), or the databases could not be made. Nothing is left running then.
        """
        programs = self.programs
        if not self.state.is_locked_here:
            self.state.lock()
        try:
            self.state.claim_ports(PORTS)
            # RabbitMQ takes longest: the others are made while it boots.
            port_mapper = self._add(rabbitmq.epmd(self.state, programs.epmd))
            port_mapper.wait_ready()
            self.rabbitmq = self._add(RabbitMQ(self.state, programs.rabbitmq))
            self.redis = self._add(Redis(self.state, programs.redis))
            self.postgres = self._add(Postgres(self.state, postgres.programs_for(self.state, programs.postgres)))
            for child in self.children:
                child.wait_ready()
            self.postgres.create_databases()
        except BaseException:
            self.stop()
            raise
        return self

    def _add(self, child: ChildT) -> ChildT:
        self.children.append(child)
        child.spawn()
        return child

    def stop(self) -> None:
        """Stop them in good order and give the state directory back."""
        self._stop_children()
        self.state.release()

    def destroy(self) -> None:
        """End them and delete all their data."""
        # At once: what they would save on their way is deleted anyway. PostgreSQL is stopped in good order, since its
        # segment of shared memory stays after a SIGKILL.
        for child in self.children:
            if child.name != "postgres":
                child.kill()
        self._stop_children()
        if self.state.is_locked_here:
            self.state.delete()
            self.state.release()
        else:
            self.state.reclaim(delete=True)

    def _stop_children(self) -> None:
        for child in reversed(self.children):
            child.begin_stop()
        for child in reversed(self.children):
            child.stop()
        self.children.clear()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
