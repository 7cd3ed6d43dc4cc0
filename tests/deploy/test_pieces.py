"""Small parts of the local stack that need no server."""

import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import jwt
import psutil
import pytest

from deploy.local import env_file, ports, process_tree
from deploy.local.binaries import PROGRAMS, packages_of
from deploy.local.child import Child, Command, inherited_environment
from deploy.local.cli import event_options, gateway_port
from deploy.local.errors import AlreadyRunning, NotReady, StackError, tail
from deploy.local.process_tree import Record
from deploy.local.state_directory import StateDirectory
from deploy.local.tokens import make_token
from deploy.local.watch import LOG_BYTES, delay_after, trim
from tests.fixtures.run_directory import RunDirectory
from tests.fixtures.workers import group_of

EXAMPLE = "# a comment\nPOSTGRES_PASSWORD=\nGATEWAY_PORT=8080\n#JWT_JWKS_URL=https://id.example\n"


@pytest.fixture
def state(run_directory: RunDirectory) -> Iterator[StateDirectory]:
    private = run_directory.new_state("-private")
    private.mkdir()
    state = StateDirectory(private / "a state")
    yield state
    state.release()


def scripted(state: StateDirectory, script: str) -> Child:
    """A child that runs a Python script, and counts as ready once it has written something."""
    log = state.log("scripted")
    argv = (sys.executable, "-uc", script)
    command = Command(name="scripted", argv=argv, env=inherited_environment(), cwd=state.path, stop_seconds=0.3)
    return Child(state, command, lambda: log.stat().st_size > 0)


def test_secrets_without_a_value_are_filled_in_and_the_rest_stays() -> None:
    made = env_file.complete(EXAMPLE, EXAMPLE)
    settings = env_file.parse(made)
    assert len(settings["POSTGRES_PASSWORD"]) == 64
    assert settings["GATEWAY_PORT"] == "8080"
    assert "# a comment\n" in made
    assert "JWT_JWKS_URL" not in settings


def test_an_env_file_keeps_its_secrets_and_gets_what_it_lacks(tmp_path: Path) -> None:
    path, example = tmp_path / ".env", tmp_path / ".env.example"
    example.write_text(EXAMPLE + "REDIS_PASSWORD=\n")
    path.write_text("POSTGRES_PASSWORD=stored\n")
    settings = env_file.ensure(path, example)
    assert settings["POSTGRES_PASSWORD"] == "stored"
    assert settings["GATEWAY_PORT"] == "8080"
    assert settings["REDIS_PASSWORD"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert env_file.ensure(path, example) == settings


def test_a_token_has_the_claims_that_services_require() -> None:
    claims = jwt.decode(make_token("s" * 32, [1, 2], role="admin", subject="x"), "s" * 32, algorithms=["HS256"])
    assert (claims["sub"], claims["companies"], claims["role"]) == ("x", [1, 2], "admin")
    assert claims["exp"] - claims["iat"] == 24 * 3600


@pytest.mark.parametrize("wish", ["http", "0", "65536", "-1", "8080 "])
def test_a_gateway_port_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, wish: str) -> None:
    monkeypatch.setenv("GATEWAY_PORT", wish)
    with pytest.raises(StackError, match="GATEWAY_PORT"):
        gateway_port()


@pytest.mark.parametrize(
    ("variables", "options"),
    [
        ({}, []),
        ({"TYPE": "lead.*", "COMPANY": "1", "SINCE": "1h"}, ["--type", "lead.*", "--company", "1", "--since", "1h"]),
        ({"FROM_START": "1", "JSON": "1", "FOLLOW": "0"}, ["--from-start", "--json", "--no-follow"]),
        ({"TYPE": "", "FROM_START": "", "FOLLOW": "1"}, []),
    ],
)
def test_variables_of_make_events_become_options(variables: dict[str, str], options: list[str]) -> None:
    assert event_options(variables) == options


def test_tests_of_the_stack_are_one_group_and_other_files_one_each() -> None:
    """Fails when a second worker would start the stack, or module fixtures would be made twice."""
    assert group_of("tests/e2e/test_access.py::test_a") == group_of("tests/faults/test_api.py::test_b[1]")
    assert group_of("tests/unit/shared/test_auth.py::test_a[x::y]") == "tests/unit/shared/test_auth.py"


def test_a_port_with_a_listener_is_not_free_and_its_program_is_named() -> None:
    with socket.create_server((ports.LOOPBACK, 0)) as listener:
        port = listener.getsockname()[1]
        assert not ports.is_free(port)
        assert f"pid {psutil.Process().pid}" in ports.holder(port)
    assert ports.is_free(port)


def test_picked_ports_are_not_ports_of_outgoing_connections() -> None:
    first, _ = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()
    assert all(ports.pick(avoid=[]) < int(first) for _ in range(20))


def test_a_package_is_listed_once() -> None:
    assert packages_of(list(PROGRAMS)) == ["postgresql", "rabbitmq-server", "redis-server", "nginx"]


def test_restarts_are_quick_at_first_and_then_rarer() -> None:
    assert [delay_after(deaths) for deaths in (1, 2, 3, 20)] == [0.2, 0.4, 0.8, 15.0]


def test_a_log_that_has_grown_large_is_moved_aside(tmp_path: Path) -> None:
    log = tmp_path / "service.log"
    with log.open("ab") as writer:
        writer.write(b"x" * (LOG_BYTES + 1))
        writer.flush()
        trim(log)
        writer.write(b"the next line\n")
    assert log.read_bytes() == b"the next line\n"
    assert log.with_suffix(".log.1").stat().st_size == LOG_BYTES + 1


def test_the_tail_of_a_log_is_its_last_lines(tmp_path: Path) -> None:
    log = tmp_path / "service.log"
    assert tail(log, 2) == ""
    log.write_text("one\ntwo\nthree\n")
    assert tail(log, 2) == "two\nthree"


def test_only_one_can_lock_a_state_directory(state: StateDirectory) -> None:
    state.lock()
    with pytest.raises(AlreadyRunning):
        StateDirectory(state.path).lock()
    state.release()
    state.lock()


def test_a_state_directory_keeps_its_secrets_to_itself(state: StateDirectory) -> None:
    state.lock()
    secret, short_dir = state.secret("jwt"), state.short_dir
    assert len(str(short_dir)) < 40
    assert stat.S_IMODE((state.path / "identity.json").stat().st_mode) == 0o600
    state.release()
    assert not short_dir.exists()
    state.lock()
    assert state.secret("jwt") == secret


def test_a_process_is_stopped_though_the_state_directory_was_deleted(state: StateDirectory) -> None:
    state.lock()
    child = scripted(state, "import time; print('up'); time.sleep(600)")
    child.start()
    assert child.pid is not None
    process = psutil.Process(child.pid)
    shutil.rmtree(state.path)
    child.stop()
    assert not process_tree.lives(process)


def test_a_copied_state_directory_gets_ports_of_its_own(state: StateDirectory) -> None:
    state.lock()
    state.claim_ports(["redis"])
    copy = StateDirectory(state.path.with_name("copy"))
    subprocess.run(["cp", "-r", state.path, copy.path], check=True)
    copy.lock()
    copy.claim_ports(["redis"])
    assert copy.identity.id != state.identity.id
    assert copy.short_dir != state.short_dir
    assert copy.port("redis") != state.port("redis")
    copy.release()


def test_a_moved_state_directory_stays_the_same_stack(state: StateDirectory) -> None:
    state.lock()
    state.claim_ports(["redis"])
    state.set_postgres_dir(state.path / "postgres" / "data")
    state.release()
    moved = StateDirectory(state.path.rename(state.path.with_name("moved")))
    moved.lock()
    assert (moved.identity.id, moved.identity.ports) == (state.identity.id, state.identity.ports)
    assert moved.short_path == state.short_path
    assert moved.identity.postgres_dir == str(moved.path / "postgres" / "data")
    moved.release()


def test_a_port_that_was_taken_meanwhile_is_replaced(state: StateDirectory) -> None:
    state.lock()
    state.claim_ports(["redis", "postgres"])
    taken, other = state.port("redis"), state.port("postgres")
    with socket.create_server((ports.LOOPBACK, taken)):
        state.claim_ports(["redis", "postgres"])
        assert state.port("redis") != taken
    assert state.port("postgres") == other


def test_a_process_that_ignores_the_request_to_end_is_killed_with_its_children(state: StateDirectory) -> None:
    state.lock()
    script = (
        "import signal, subprocess, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "child = subprocess.Popen(['sleep', '600'], start_new_session=True); print('up'); time.sleep(600)"
    )
    child = scripted(state, script)
    child.start()
    assert child.pid is not None
    tree = process_tree.members(state.records()[0])
    assert len(tree) == 2
    child.stop()
    assert not any(process_tree.lives(process) for process in tree)
    assert state.records() == []
    state.release()


def test_a_process_that_ends_at_once_is_reported_with_its_last_words(state: StateDirectory) -> None:
    state.lock()
    argv = (sys.executable, "-c", "import sys; sys.exit('no such setting')")
    command = Command(name="broken", argv=argv, env=inherited_environment(), cwd=state.path)
    child = Child(state, command, ready=lambda: False)
    with pytest.raises(NotReady, match=r"exit code 1") as raised:
        child.start()
    assert raised.value.log_tail() == "no such setting"
    child.stop()


def test_leftovers_of_a_killed_supervisor_are_ended_and_others_left_alone(state: StateDirectory) -> None:
    state.lock()
    ours = subprocess.Popen(["sleep", "600"], start_new_session=True)
    other = subprocess.Popen(["sleep", "600"], start_new_session=True)
    created = psutil.Process(ours.pid).create_time()
    state.note(Record("ours", ours.pid, created, signal.SIGTERM, 5))
    # The same id as a living process, but started at another time: an id that was given out again.
    state.note(Record("ended", other.pid, created - 3600, signal.SIGTERM, 5))
    state.release()
    try:
        began = time.monotonic()
        assert StateDirectory(state.path).reclaim() == ["ours"]
        assert time.monotonic() - began < 5
        assert ours.wait(5) == -signal.SIGTERM or ours.returncode == 0
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()
