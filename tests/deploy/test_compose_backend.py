"""The compose stack's accounts and events, with a `docker` that needs no engine."""

import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import aio_pika
import pytest
from rich.console import Console

from deploy.local import env_file, rabbitmq
from deploy.local.binaries import find_rabbitmq
from deploy.local.compose_backend import ComposeBackend
from deploy.local.errors import StackError
from deploy.local.servers import Servers
from deploy.local.stack import ROOT
from deploy.local.subscribers import Subscriber
from tests.fixtures.servers import management_api

EVENTS = """
from rich.console import Console
from deploy.local import env_file
from deploy.local.compose_backend import ComposeBackend
env_file.ensure = lambda *_: {}
ComposeBackend(Console()).events(["--type", "lead.*", "--json"])
"""


@pytest.fixture
def compose(local_servers: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ComposeBackend:
    """The compose stack, with a `docker` that runs the broker's own commands on the private broker."""
    state = local_servers.state
    server = find_rabbitmq()
    assert server is not None
    environment = rabbitmq._environment(state, state.short_path / "rabbitmq")
    settings = "\n".join(f"export {name}='{value}'" for name, value in environment.items())
    docker = tmp_path / "docker"
    docker.write_text(
        f'#!/bin/sh\n{settings}\n[ "$1 $2 $3 $4 $5" = "compose exec -T rabbitmq rabbitmqctl" ] || exit 64\nshift 5\n'
        f"exec '{server.with_name('rabbitmqctl')}' \"$@\"\n"
    )
    docker.chmod(0o700)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/sbin:/usr/bin:/sbin:/bin")
    monkeypatch.setattr(env_file, "ensure", lambda *_: {})
    return ComposeBackend(Console())


async def test_the_compose_stack_makes_the_same_account(compose: ComposeBackend, local_servers: Servers) -> None:
    management = local_servers.rabbitmq.management_url
    name = "crm-compose"
    port = urlsplit(local_servers.rabbitmq.url).port
    try:
        first, second = compose.subscriber(name), compose.subscriber(name)
        assert urlsplit(first).hostname == "rabbitmq"
        assert first != second
        here = urlsplit(second)._replace(netloc=f"{urlsplit(second).netloc.partition('@')[0]}@127.0.0.1:{port}")
        async with await aio_pika.connect(here.geturl()) as connection, connection.channel() as channel:
            queue = await channel.declare_queue(f"{name}.leads", durable=True)
            await queue.delete(if_unused=False, if_empty=False)
        made = Subscriber(name)
        async with management_api(management) as api:
            rights = (await api.get(f"/api/permissions/voice/{name}")).json()
            policies = {policy["name"]: policy for policy in (await api.get("/api/policies/voice")).json()}
        assert (rights["configure"], rights["write"], rights["read"]) == (made.configure, made.write, made.read)
        for policy in made.policies:
            there = policies[policy.name]
            assert (there["pattern"], there["definition"]) == (policy.pattern, policy.definition)
    finally:
        async with management_api(management) as api:
            for policy in Subscriber(name).policies:
                await api.delete(f"/api/policies/voice/{policy.name}")
            await api.delete(f"/api/users/{name}")


def test_a_compose_stack_that_is_not_up_is_reported(compose: ComposeBackend, tmp_path: Path) -> None:
    (tmp_path / "docker").write_text("#!/bin/sh\necho 'service \"rabbitmq\" is not running' >&2; exit 1\n")
    with pytest.raises(StackError, match="is not running"):
        compose.subscriber("crm")


@pytest.mark.usefixtures("compose")
def test_events_are_printed_by_a_process_in_its_container(tmp_path: Path) -> None:
    (tmp_path / "docker").write_text('#!/bin/sh\necho "$@"\n')
    done = subprocess.run(
        [sys.executable, "-c", EVENTS], check=True, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    assert done.stdout == "compose exec -T lead-events python -m operations events --type lead.* --json\n"
