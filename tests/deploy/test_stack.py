"""The stack with stand-ins for the services: start, restart, stop and what a failing start leaves."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from deploy.local import process_tree
from deploy.local.errors import AlreadyRunning, NotReady, PortTaken
from deploy.local.servers import Servers
from deploy.local.stack import Stack
from deploy.local.status import StatusFile
from tests.deploy.stub_product import BROKEN_PRODUCT, STUB_PRODUCT
from tests.fixtures.run_directory import RunDirectory
from tests.fixtures.servers import temporary_state


@pytest.fixture(scope="module")
def stub_stack(run_directory: RunDirectory) -> Iterator[Stack]:
    """A stack in a directory whose long name has spaces, beside the other tests' servers."""
    with temporary_state(run_directory, " a long name with spaces" * 6) as path:
        servers = Servers(path)
        stack = Stack(path, servers=servers.start(), product=STUB_PRODUCT)
        try:
            stack.start()
            yield stack
        finally:
            stack.stop()
            servers.destroy()


def test_two_stacks_run_side_by_side(stub_stack: Stack, local_servers: Servers) -> None:
    answer = httpx.get(f"{stub_stack.gateway_url}/api/voice-leads/1", trust_env=False)
    assert answer.json()["service"] == "lead-api"
    assert all(child.is_ready() for child in [*stub_stack.servers.children, *local_servers.children])
    assert not set(stub_stack.state.identity.ports.values()) & set(local_servers.state.identity.ports.values())


def test_everything_listens_on_the_loopback_interface_alone(stub_stack: Stack) -> None:
    pids = {member.pid for record in stub_stack.state.records() for member in process_tree.members(record)}
    listening = [
        str(connection.laddr)
        for connection in psutil.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN and connection.pid in pids
    ]
    assert len(listening) >= 8
    assert all("ip='127.0.0.1'" in address or "ip='::1'" in address for address in listening), listening


def test_a_directory_has_one_stack(stub_stack: Stack) -> None:
    other = Stack(stub_stack.state.path, product=STUB_PRODUCT)
    with pytest.raises(AlreadyRunning):
        other.start()
    assert stub_stack.process("lead-api").is_ready()


@pytest.mark.parametrize("name", ["lead-api", "gateway", "redis"])
def test_what_is_killed_comes_back(stub_stack: Stack, name: str) -> None:
    child = stub_stack.process(name)
    killed = child.pid
    child.kill()
    child.wait_ready(20)
    assert child.pid not in {None, killed}
    assert httpx.get(f"{stub_stack.gateway_url}/api/voice-leads/1", trust_env=False).status_code == 200


def test_what_is_stopped_stays_down_until_it_is_started(stub_stack: Stack) -> None:
    stub_stack.stop_process("lead-api")
    assert httpx.get(f"{stub_stack.gateway_url}/api/voice-leads/1", trust_env=False).status_code == 502
    # Had it been taken for dead, it would be back before another process that was killed after it.
    other = stub_stack.process("campaign-api")
    other.kill()
    other.wait_ready(20)
    assert stub_stack.process("lead-api").pid is None
    stub_stack.start_process("lead-api")
    assert httpx.get(f"{stub_stack.gateway_url}/api/voice-leads/1", trust_env=False).status_code == 200


def test_a_taken_gateway_port_is_refused_before_anything_starts(stub_stack: Stack, tmp_path: Path) -> None:
    other = Stack(tmp_path / "other", gateway_port=stub_stack.gateway_port, product=STUB_PRODUCT)
    try:
        with pytest.raises(PortTaken, match=rf"Port {stub_stack.gateway_port} .* used by nginx .*GATEWAY_PORT="):
            other.start()
    finally:
        other.stop()
    assert other.state.records() == []
    assert list(other.state.logs.iterdir()) == []
    assert not other.state.is_locked()


def test_a_process_that_cannot_start_is_named_and_all_is_stopped_again(run_directory: RunDirectory) -> None:
    with temporary_state(run_directory) as path:
        stack = Stack(path, product=BROKEN_PRODUCT)
        with pytest.raises(NotReady, match="broken") as raised:
            stack.start()
        assert raised.value.log_tail().endswith("cannot start: the reason stands in the log")
        assert stack.state.records() == []


def test_the_status_counts_restarts(stub_stack: Stack) -> None:
    status = StatusFile(stub_stack.state)
    status.report("lead-api", "ready")
    status.report("lead-api", "restarted")
    assert '"lead-api": 1' in (stub_stack.state.path / "status.json").read_text()
