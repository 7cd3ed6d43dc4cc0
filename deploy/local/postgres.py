"""PostgreSQL as a private server of one stack."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from deploy.local import binaries
from deploy.local.child import Child, Command, inherited_environment
from deploy.local.errors import StackError
from deploy.local.ports import LOOPBACK
from deploy.local.state_directory import StateDirectory

DATABASES = ("campaigns", "leads", "analytics", "webhooks")
SUPERUSER = "postgres"
# The account that the system's package makes; PostgreSQL refuses to run as root.
ACCOUNT = "postgres"
INIT_SCRIPT = Path(__file__).parents[1] / "postgres" / "init-databases.sh"
# Durability stays as in production (fsync, synchronous_commit): what is measured here is real.
SETTINGS = {
    "listen_addresses": LOOPBACK,
    "max_connections": "200",
    "shared_buffers": "128MB",
    # No head has to travel to the next page: else leads of a company are looked for among those of all.
    "random_page_cost": "1.1",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "log_lock_waits": "on",
}


class Postgres(Child):
    """The server, with what only its owner may do."""

    def __init__(self, state: StateDirectory, programs: Path) -> None:
        self._programs = programs
        self._port = state.port("postgres")
        self._password = state.secret("postgres")
        self._passwords = {name: state.secret(name) for name in DATABASES}
        account = ACCOUNT if os.geteuid() == 0 else None
        data = _prepare_data(state, programs, account)
        sockets = state.short_dir / "postgres"
        sockets.mkdir(mode=0o700, exist_ok=True)
        _give(sockets, account)
        settings = SETTINGS | {"port": str(self._port), "unix_socket_directories": str(sockets)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        command = Command(
            name="postgres",
            argv=(str(programs / "postgres"), "-D", str(data), *options),
            env=inherited_environment(),
            cwd=sockets,
            user=account,
            # A fast shutdown: open connections are ended, nothing that was committed is lost.
            stop_signal=signal.SIGINT,
        )
        super().__init__(state, command, self._accepts_connections)

    @property
    def url(self) -> str:
        """The superuser's address."""
        return f"postgresql://{SUPERUSER}:{self._password}@{LOOPBACK}:{self._port}/postgres"

    def database_url(self, name: str) -> str:
        """The address of a service's database, as its owner."""
        return f"postgresql://{name}:{self._passwords[name]}@{LOOPBACK}:{self._port}/{name}"

    def create_databases(self) -> None:
        """Make the services' roles and databases where they are missing.

        Raises
        ------
        StackError
            With the output of psql.
        """
        environment = inherited_environment()
        environment |= {f"{name.upper()}_DB_PASSWORD": password for name, password in self._passwords.items()}
        environment |= {
            "PATH": f"{self._programs}{os.pathsep}{environment.get('PATH', os.defpath)}",
            "DATABASES_SQL": str(INIT_SCRIPT.with_name("databases.sql")),
            "PGHOST": LOOPBACK,
            "PGPORT": str(self._port),
            "PGPASSWORD": self._password,
        }
        done = subprocess.run(
            ["bash", str(INIT_SCRIPT)], check=False, env=environment, capture_output=True, text=True, timeout=60
        )
        if done.returncode != 0:
            msg = f"the databases could not be made:\n{done.stderr}"
            raise StackError(msg)

    def _accepts_connections(self) -> bool:
        question = [str(self._programs / "pg_isready"), "-q", "-h", LOOPBACK, "-p", str(self._port), "-t", "2"]
        return subprocess.run(question, check=False, env=inherited_environment()).returncode == 0


def programs_for(state: StateDirectory, newest: Path) -> Path:
    """The programs that can read the data this stack has: those that made it, else the newest.

    Raises
    ------
    StackError
        The data was made by a version that is no longer installed.
    """
    identity = state.load_identity()
    version = Path(identity.postgres_dir, "PG_VERSION") if identity and identity.postgres_dir else None
    if version is None or not version.exists():
        return newest
    made_by = int(version.read_text())
    programs = binaries.find_postgres(made_by)
    if programs is None:
        msg = (
            f"The data in {version.parent} was made by PostgreSQL {made_by}, which is not installed any more. "
            "`make clean` starts afresh."
        )
        raise StackError(msg)
    return programs


def _prepare_data(state: StateDirectory, programs: Path, account: str | None) -> Path:
    """The data directory, initialised when it is new."""
    data = Path(state.identity.postgres_dir) if state.identity.postgres_dir else _choose_directory(state, account)
    state.set_postgres_dir(data)
    if not (data / "PG_VERSION").exists():
        _initialise(data, programs, account, state.secret("postgres"))
    return data


def _choose_directory(state: StateDirectory, account: str | None) -> Path:
    """In the state directory, unless PostgreSQL's account cannot get there (a checkout below /root)."""
    inside = state.path / "postgres" / "data"
    if account is None or inside.exists():
        return inside
    question = ["test", "-x", str(state.path)]
    reachable = subprocess.run(question, check=False, user=account, group=account, extra_groups=[], cwd="/")
    if reachable.returncode == 0:
        return inside
    return Path(tempfile.mkdtemp(prefix="voice-campaigns-", dir="/var/lib")) / "data"


def _initialise(data: Path, programs: Path, account: str | None, password: str) -> None:
    # Made beside its place and moved there when whole: an interrupted start leaves nothing that looks like a database.
    draft = data.with_name("data.new")
    shutil.rmtree(draft, ignore_errors=True)
    data.parent.mkdir(mode=0o700, exist_ok=True)
    data.parent.chmod(0o700)
    _give(data.parent, account)
    password_file = data.with_name("password")
    StateDirectory.write_private(password_file, password)
    _give(password_file, account)
    options = [
        f"--pgdata={draft}",
        f"--username={SUPERUSER}",
        f"--pwfile={password_file}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        f"--locale={_locale()}",
    ]
    done = subprocess.run(
        [str(programs / "initdb"), *options],
        check=False,
        env=inherited_environment(),
        cwd="/",
        capture_output=True,
        text=True,
        user=account,
        group=account,
        extra_groups=[] if account else None,
    )
    password_file.unlink()
    if done.returncode != 0:
        msg = f"initdb failed:\n{done.stderr}"
        raise StackError(msg)
    draft.rename(data)


def _locale() -> str:
    """A UTF-8 locale of this machine, so that upper and lower case are known beyond ASCII."""
    listed = subprocess.run(["locale", "-a"], check=False, capture_output=True, text=True).stdout.split()
    return next((name for name in listed if name.lower().replace("-", "") in {"c.utf8", "en_us.utf8"}), "C")


def _give(path: Path, account: str | None) -> None:
    if account is not None:
        entry = pwd.getpwnam(account)
        os.chown(path, entry.pw_uid, entry.pw_gid)
