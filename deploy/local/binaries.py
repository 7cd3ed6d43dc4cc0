"""The programs a stack and its tests run: found where systems keep them, installed where that is allowed."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from deploy.local.errors import ServersMissing

POSTGRES_AT_LEAST = 14
NODE_AT_LEAST = 18
# An ordinary user's PATH often lacks the directories where systems keep servers.
SYSTEM_PATH = os.pathsep.join(
    [os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"]
)
INSTALLER = Path(__file__).with_name("install_packages.sh")
INSTALL_SECONDS = 900


@dataclass(frozen=True, slots=True)
class Binaries:
    """Where the programs are; `postgres` is the directory of PostgreSQL's."""

    postgres: Path
    rabbitmq: Path
    epmd: Path
    redis: Path
    nginx: Path


def find_postgres(major: int | None = None) -> Path | None:
    """PostgreSQL's directory of programs: of version `major`, or the newest that is new enough."""
    versions: dict[int, Path] = {}
    on_path = shutil.which("postgres", path=SYSTEM_PATH)
    places = [Path(on_path).resolve().parent] if on_path else []
    for pattern in ("postgresql/*/bin", "postgresql*/bin"):
        places += Path("/usr/lib").glob(pattern)
    places += Path("/usr").glob("pgsql-*/bin")
    for place in places:
        if all((place / program).exists() for program in ("postgres", "initdb", "pg_isready", "psql")):
            versions.setdefault(_postgres_major(place), place)
    if major is not None:
        return versions.get(major)
    newest = max(versions, default=0)
    return versions[newest] if newest >= POSTGRES_AT_LEAST else None


def _postgres_major(directory: Path) -> int:
    answer = subprocess.run([directory / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    version = re.search(r"\d+", answer)
    return int(version.group()) if version else 0


def find_rabbitmq() -> Path | None:
    """RabbitMQ's own start script; Debian's wrapper of the same name insists on the system's node and account."""
    for place in Path("/usr/lib/rabbitmq").glob("**/bin/rabbitmq-server"):
        return place
    return _on_path("rabbitmq-server")


def _on_path(*names: str) -> Path | None:
    for name in names:
        found = shutil.which(name, path=SYSTEM_PATH)
        if found:
            return Path(found)
    return None


def find_node() -> Path | None:
    """Node.js, where it is new enough."""
    node = _on_path("node", "nodejs")
    if node is None:
        return None
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    version = re.match(r"v(\d+)\.", answer)
    return node if version and int(version[1]) >= NODE_AT_LEAST else None


Programs = dict[str, tuple[Callable[[], Path | None], str]]
"""Each program, how it is found, and the Debian package that has it."""

PROGRAMS: Programs = {
    "PostgreSQL": (find_postgres, "postgresql"),
    "RabbitMQ": (find_rabbitmq, "rabbitmq-server"),
    "epmd": (lambda: _on_path("epmd"), "rabbitmq-server"),
    "Redis": (lambda: _on_path("redis-server", "valkey-server"), "redis-server"),
    "nginx": (lambda: _on_path("nginx"), "nginx"),
}
"""What a stack runs."""

TEST_PROGRAMS: Programs = {"Node.js": (find_node, "nodejs"), "npm": (lambda: _on_path("npm"), "npm")}
"""What only tests run: those of the examples in JavaScript."""


def find() -> Binaries:
    """The programs of this machine.

    Raises
    ------
    ServersMissing
        With the names of those that are missing and the command that installs them.
    """
    return Binaries(*_find(PROGRAMS).values())


def find_or_install(report: Callable[[str], None]) -> Binaries:
    """The programs of this machine, after installing those it lacks where that is possible without a question.

    Raises
    ------
    ServersMissing
        They are missing, and installing them failed or is not allowed.
    """
    return Binaries(*find_or_install_all(PROGRAMS, report).values())


def find_or_install_all(programs: Programs, report: Callable[[str], None]) -> dict[str, Path]:
    """Where each of these programs is; see `find_or_install`."""
    missing = missing_programs(programs)
    if missing:
        packages = packages_of(missing)
        prefix = _as_root()
        if shutil.which("apt-get") is None or prefix is None:
            raise ServersMissing(_how_to_install(missing))
        report(f"Installing {', '.join(packages)} (system packages; their own services are not started)")
        done = subprocess.run(
            [*prefix, "/bin/sh", str(INSTALLER), *packages],
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=INSTALL_SECONDS,
        )
        if done.returncode != 0:
            end = "\n".join(done.stdout.splitlines()[-15:])
            msg = f"Installing {' '.join(packages)} failed:\n{end}\n\n{_how_to_install(missing)}"
            raise ServersMissing(msg)
    return _find(programs)


def _find(programs: Programs) -> dict[str, Path]:
    places = {name: locate() for name, (locate, _) in programs.items()}
    found = {name: place for name, place in places.items() if place is not None}
    missing = [name for name in programs if name not in found]
    if missing:
        raise ServersMissing(_how_to_install(missing))
    return found


def missing_programs(programs: Programs) -> list[str]:
    """Names of those programs that this machine lacks."""
    return [name for name, (locate, _) in programs.items() if locate() is None]


def packages_of(programs: list[str]) -> list[str]:
    """The packages that bring these programs, each once."""
    packages = {name: package for name, (_, package) in (*PROGRAMS.items(), *TEST_PROGRAMS.items())}
    return list(dict.fromkeys(packages[program] for program in programs))


def _as_root() -> list[str] | None:
    """Return the prefix that runs a command as root without a password; None if there is no such way."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") and subprocess.run(["sudo", "-n", "true"], check=False).returncode == 0:
        return ["sudo", "-n"]
    return None


def _how_to_install(missing: list[str]) -> str:
    packages = " ".join(packages_of(missing))
    if shutil.which("apt-get"):
        command = f"sudo apt-get update && sudo sh '{INSTALLER}' {packages}"
        return f"Not found on this machine: {', '.join(missing)}. Install with:\n  {command}"
    return (
        f"Not found on this machine: {', '.join(missing)}. Install PostgreSQL {POSTGRES_AT_LEAST} or newer, "
        "RabbitMQ 3.10 or newer, Redis and nginx with your system's package tool, or Docker with its compose plugin. "
        f"Tests also need Node.js {NODE_AT_LEAST} or newer and npm."
    )
