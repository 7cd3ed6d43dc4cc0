"""The state of a stack between runs: its identity, ports, passwords, and the processes that it started."""

import fcntl
import json
import os
import secrets
import shutil
import stat
import tempfile
import threading
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from deploy.local import ports, process_tree
from deploy.local.errors import AlreadyRunning, StackError
from deploy.local.process_tree import Record

SECRETS = ("postgres", "campaigns", "leads", "analytics", "webhooks", "rabbitmq", "erlang-cookie", "redis", "jwt")

IDENTITY = "identity.json"


@dataclass(slots=True)
class Identity:
    """What a stack is, the same from run to run.

    Attributes
    ----------
    id : str
        Distinguishes this stack from others on the machine.
    home : str
        The state directory it was made for; a copied or moved directory becomes a stack of its own.
    short_dir : str
        A private directory with a short path without spaces, for sockets and for programs that cannot take any other.
    postgres_dir : str
        Where PostgreSQL keeps its data.
    secrets, ports : dict
        Passwords and loopback ports by name.
    """

    id: str
    home: str
    short_dir: str
    postgres_dir: str = ""
    secrets: dict[str, str] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)


class StateDirectory:
    """The directory of one stack. `lock` it before anything is started; only one process can."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._lock_file: int | None = None
        self._records: dict[str, Record] = {}
        self._guard = threading.RLock()

    def lock(self) -> None:
        """Take the directory, end what a supervisor that was killed left running, and load or make the identity.

        Raises
        ------
        AlreadyRunning
            Another process has locked it.
        """
        # Not listable by others, but PostgreSQL's own user must be able to pass through.
        self.path.mkdir(mode=0o711, parents=True, exist_ok=True)
        self.path.chmod(0o711)
        self.logs.mkdir(mode=0o700, exist_ok=True)
        self._take_lock(patience_s=1.0)
        try:
            self._end_leftovers()
            self.identity = self._load_or_make()
            self._make_short_dir()
            self._save_identity()
        except BaseException:
            self._give_lock_back()
            raise

    def release(self) -> None:
        """Give the directory back; its short directory goes, since nothing uses it any more."""
        if self.is_locked_here:
            shutil.rmtree(self.short_dir, ignore_errors=True)
            self._give_lock_back()

    @property
    def is_locked_here(self) -> bool:
        """Whether this object has locked the directory."""
        return self._lock_file is not None

    def is_locked(self) -> bool:
        """Whether some process (this one or another) has locked the directory."""
        if self.is_locked_here:
            return True
        if not (self.path / "lock").exists():
            return False
        try:
            self._take_lock()
        except AlreadyRunning:
            return True
        self._give_lock_back()
        return False

    def _give_lock_back(self) -> None:
        if self._lock_file is not None:
            os.close(self._lock_file)
            self._lock_file = None

    def _take_lock(self, patience_s: float = 0.0) -> None:
        # `is_locked` of another process takes the lock for an instant: hence the patience.
        deadline = time.monotonic() + patience_s
        descriptor = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        while True:
            try:
                # The kernel gives the lock back when its holder dies, however it dies; children do not inherit it.
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() < deadline:
                    time.sleep(0.05)
                    continue
                os.close(descriptor)
                msg = f"a stack is already running on {self.path}"
                raise AlreadyRunning(msg) from None
            self._lock_file = descriptor
            return

    def delete(self) -> None:
        """Remove all data of the stack, PostgreSQL's included. It must be locked here, with nothing running."""
        shutil.rmtree(self.short_dir, ignore_errors=True)
        if self.identity.postgres_dir:
            # With the directory that was made around it, where that is elsewhere.
            shutil.rmtree(Path(self.identity.postgres_dir).parent, ignore_errors=True)
        # First its identity: without one, no other process takes the rest of it for a stack.
        (self.path / IDENTITY).unlink()
        shutil.rmtree(self.path)

    @property
    def logs(self) -> Path:
        """Where each process writes its own file."""
        return self.path / "logs"

    def log(self, name: str) -> Path:
        """The log file of a process."""
        return self.logs / f"{name}.log"

    @property
    def short_dir(self) -> Path:
        """A private directory with a short path, for sockets."""
        return Path(self.identity.short_dir)

    @property
    def short_path(self) -> Path:
        """This directory by a path that is short, has no spaces, and stays the same when the directory is moved.

        RabbitMQ's scripts need the first two, and its quorum queues remember the path of their data.
        """
        return self.short_dir / "state"

    def secret(self, name: str) -> str:
        """A password that only this stack knows: hexadecimal, so that it needs no escaping anywhere."""
        return self.identity.secrets[name]

    def claim_ports(self, names: Iterable[str]) -> None:
        """Have a port for each name: the one it had before, unless another program took it meanwhile."""
        for name in names:
            port = self.identity.ports.get(name)
            if port is None or not ports.is_free(port):
                self.identity.ports[name] = ports.pick(avoid=self.identity.ports.values())
        self._save_identity()

    def port(self, name: str) -> int:
        """The port that was claimed for `name`."""
        return self.identity.ports[name]

    def set_postgres_dir(self, directory: Path) -> None:
        """Remember where PostgreSQL keeps its data."""
        self.identity.postgres_dir = str(directory)
        self._save_identity()

    def load_identity(self) -> Identity | None:
        """The identity as it is stored, or None when this stack never ran."""
        try:
            return Identity(**json.loads((self.path / IDENTITY).read_text()))
        except FileNotFoundError:
            return None

    def _load_or_make(self) -> Identity:
        identity = self.load_identity() or Identity(id=secrets.token_hex(4), home=str(self.path), short_dir="")
        if identity.home != str(self.path):
            self._adapt(identity)
        for name in SECRETS:
            identity.secrets.setdefault(name, secrets.token_hex(32))
        return identity

    def _adapt(self, identity: Identity) -> None:
        """Make an identity fit the place it was moved or copied to."""
        is_copy = (Path(identity.home) / IDENTITY).exists()
        has_data_inside = Path(identity.postgres_dir).is_relative_to(identity.home)
        if is_copy and identity.postgres_dir and not has_data_inside:
            msg = (
                f"{self.path} is a copy of {identity.home}, whose PostgreSQL data is in {identity.postgres_dir}. "
                f"Delete {self.path} to start afresh."
            )
            raise StackError(msg)
        if has_data_inside:
            identity.postgres_dir = str(self.path / Path(identity.postgres_dir).relative_to(identity.home))
        if is_copy:
            # Both may run at the same time.
            identity.id, identity.short_dir = secrets.token_hex(4), ""
            identity.ports.clear()
        identity.home = str(self.path)

    def _make_short_dir(self) -> None:
        if not self.identity.short_dir:
            # Not TMPDIR, which may be as long as the path this replaces: a socket's path has room for 107 bytes.
            parent = "/tmp" if os.access("/tmp", os.W_OK) else None  # noqa: S108 - mkdtemp makes it private
            self.identity.short_dir = tempfile.mkdtemp(prefix="voice-", dir=parent)
        try:
            self.short_dir.mkdir(mode=0o711)
        except FileExistsError:
            found = self.short_dir.lstat()
            if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
                msg = f"{self.short_dir} is not this stack's own directory; remove it"
                raise StackError(msg) from None
            self.short_dir.chmod(0o711)
        self.short_path.unlink(missing_ok=True)
        self.short_path.symlink_to(self.path, target_is_directory=True)

    def _save_identity(self) -> None:
        self.write(IDENTITY, asdict(self.identity))

    def note(self, record: Record) -> None:
        """Remember a process that was just started; a later run ends it, should this one be killed."""
        with self._guard:
            self._records[record.name] = record
            self._save_records()

    def forget(self, name: str) -> None:
        """A process was ended."""
        with self._guard:
            self._records.pop(name, None)
            self._save_records()

    def records(self) -> list[Record]:
        """The processes of this stack, in the order they were started, as they are stored."""
        path = self.path / "processes.json"
        return [Record(**entry) for entry in json.loads(path.read_text())] if path.exists() else []

    def reclaim(self, *, delete: bool = False) -> list[str] | None:
        """End what a killed supervisor left running, and with `delete` remove all its data.

        Returns
        -------
        list of str or None
            Names of the processes that were still running; None when the directory is in use, or is no stack's.
        """
        identity = self.load_identity()
        if identity is None:
            return None
        try:
            self._take_lock()
        except (AlreadyRunning, FileNotFoundError):
            return None
        try:
            self.identity = identity
            ended = self._end_leftovers()
            if delete:
                self.delete()
            return ended
        finally:
            self.release()

    def _end_leftovers(self) -> list[str]:
        ended = process_tree.end(self.records())
        self._records.clear()
        self._save_records()
        return ended

    def _save_records(self) -> None:
        self.write("processes.json", [asdict(record) for record in self._records.values()])

    def is_whole(self) -> bool:
        """Whether the directory is still there; someone may delete it under a running stack."""
        return (self.path / "lock").exists()

    def write(self, name: str, content: object) -> None:
        """Replace one of the stack's JSON files; no effect in a deleted directory, so that all can still stop."""
        if self.is_whole():
            self.write_private(self.path / name, json.dumps(content, indent=1))

    @staticmethod
    def write_private(path: Path, text: str) -> None:
        """Replace a file in one step, readable by its owner alone."""
        new = path.with_name(path.name + ".new")
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
        new.replace(path)
