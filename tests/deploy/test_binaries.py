"""Finding the server programs, and installing those that are missing."""

import shutil
from pathlib import Path

import pytest

from deploy.local import binaries
from deploy.local.errors import ServersMissing


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine that lacks Redis, where an installer of our own may be put; a program is there once its file is."""
    redis = tmp_path / "redis-server"
    missing = binaries.PROGRAMS | {"Redis": (lambda: redis if redis.exists() else None, "redis-server")}
    monkeypatch.setattr(binaries, "PROGRAMS", missing)
    monkeypatch.setattr(binaries, "INSTALLER", tmp_path / "install.sh")
    monkeypatch.setattr(shutil, "which", lambda name, **_: f"/usr/bin/{name}")
    return tmp_path


def test_a_missing_program_is_installed_by_its_package(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "_as_root", list)
    (machine / "install.sh").write_text(f'echo "$@" >"{machine}/arguments" && touch "{machine}/redis-server"\n')
    messages: list[str] = []
    assert binaries.find_or_install(messages.append).redis == machine / "redis-server"
    assert (machine / "arguments").read_text() == "redis-server\n"
    assert "redis-server" in messages[0]


def test_a_failed_installation_is_reported_with_its_command(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "_as_root", list)
    (machine / "install.sh").write_text("echo 'E: no such package' >&2; exit 100\n")
    with pytest.raises(ServersMissing, match="E: no such package") as raised:
        binaries.find_or_install(print)
    assert f"sudo sh '{machine}/install.sh' redis-server" in str(raised.value)


def test_without_the_right_to_install_nothing_is_tried(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "_as_root", lambda: None)
    (machine / "install.sh").write_text(f'touch "{machine}/redis-server"\n')
    with pytest.raises(ServersMissing, match="Not found on this machine: Redis"):
        binaries.find_or_install(print)
    assert not (machine / "redis-server").exists()


def test_what_only_tests_run_is_installed_likewise(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "_as_root", list)
    node = machine / "node"
    programs = binaries.TEST_PROGRAMS | {"Node.js": (lambda: node if node.exists() else None, "nodejs")}
    (machine / "install.sh").write_text(f'echo "$@" >"{machine}/arguments" && touch "{node}"\n')
    assert binaries.find_or_install_all(programs, print)["Node.js"] == node
    assert (machine / "arguments").read_text() == "nodejs\n"


def test_a_node_that_is_too_old_is_not_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    node = tmp_path / "node"
    node.write_text("#!/bin/sh\necho v16.20.2\n")
    node.chmod(0o700)
    monkeypatch.setattr(binaries, "SYSTEM_PATH", str(tmp_path))
    assert binaries.find_node() is None
    node.write_text("#!/bin/sh\necho v18.0.0\n")
    assert binaries.find_node() == node


def test_a_version_of_postgresql_that_is_not_there_is_not_found() -> None:
    assert binaries.find_postgres(9) is None
