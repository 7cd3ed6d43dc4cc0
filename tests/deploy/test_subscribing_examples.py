"""The examples of subscribers, as they stand in the project, with the account of a subscriber on a real broker."""

import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deploy.local.binaries import TEST_PROGRAMS, find_or_install_all
from deploy.local.stack import ROOT
from shared.events.envelope import Outgoing, compose
from shared.events.leads import LeadCreated, LeadUpdated
from tests.fixtures.events import lead
from tests.fixtures.programs import Program, program
from tests.fixtures.servers import ServerUrls
from tests.fixtures.subscribing import Account, account_on
from tests.fixtures.waiting import eventually

EXAMPLES = ROOT / "examples" / "subscribe"
INSTALL_SECONDS = 180
Command = list[str | Path]


@pytest.fixture(scope="module")
def javascript(tmp_path_factory: pytest.TempPathFactory) -> Command:
    """The example in JavaScript, with its library from the registry beside it."""
    found = find_or_install_all(TEST_PROGRAMS, print)
    directory = tmp_path_factory.mktemp("javascript") / "subscribe"
    shutil.copytree(EXAMPLES / "javascript", directory, ignore=shutil.ignore_patterns("node_modules"))
    install: Command = [found["npm"], "install", "--no-audit", "--no-fund", "--ignore-scripts"]
    done = subprocess.run(
        install,
        check=False,
        cwd=directory,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=INSTALL_SECONDS,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return [found["Node.js"], directory / "subscribe.js"]


@pytest.fixture(params=["python", "javascript"])
def example(request: pytest.FixtureRequest) -> Command:
    """How the example is started."""
    if request.param == "python":
        return [sys.executable, EXAMPLES / "python" / "subscribe.py"]
    command: Command = request.getfixturevalue("javascript")
    return command


@pytest.fixture
async def account(servers: ServerUrls) -> AsyncIterator[Account]:
    """An account for one test."""
    async with account_on(servers) as account:
        yield account


def created(lead_id: int) -> Outgoing:
    """An event that a lead was created."""
    return compose(LeadCreated(leads=[lead(lead_id)]), source="/test", company_id=1)


def expected(event: Outgoing, lead_id: int) -> str:
    """The line of such an event."""
    return f"{event.id} lead.created.v1 company 1: {lead_id} +14155552671"


async def publish(account: Account, *events: Outgoing) -> None:
    """Publish events in order."""
    for event in events:
        await account.broker.publish(event.body, routing_key=event.type)


async def cut(account: Account, running: Program) -> None:
    """Close the program's connection as an operator does, until it has noticed."""

    async def noticed() -> bool:
        await account.cut()
        return any("connecting again" in line for line in running.errors)

    await eventually(noticed)


async def test_an_example_follows_events_through_what_may_happen(example: Command, account: Account) -> None:
    queue, dead = f"{account.name}.new-leads", f"{account.name}.dead"
    one, two, three, away = created(1), created(2), created(3), created(4)
    other = compose(LeadUpdated(leads=[lead(9)]), source="/test", company_id=1)
    arguments = [*example, queue, "lead.created.v1", "lead.updated.*"]
    async with program(arguments, cwd=ROOT, env={"AMQP_URL": account.url}) as running:
        await running.logged(f"consuming {queue}")
        # The same event again, and one that the example does not handle: neither is work.
        await publish(account, one, one, other, two)
        assert await running.wrote(2) == [expected(one, 1), expected(two, 2)]

        for unreadable in (b"not JSON", b'{"type": "lead.created.v1"}', b'{"id": "1", "type": "lead.created.v1"}'):
            await account.broker.publish(unreadable, routing_key="lead.created.v1")
            assert [message.body for message in await account.broker.take(dead)] == [unreadable]

        await cut(account, running)
        await running.logged(f"consuming {queue}", times=2)
        # What was done before is remembered, and nothing was left unacknowledged.
        await publish(account, two, three)
        assert await running.wrote(3) == [expected(one, 1), expected(two, 2), expected(three, 3)]

        assert await running.ended(by=signal.SIGTERM) == 0, running.errors
        assert len(running.lines) == 3
    assert await account.broker.count(queue) == 0

    await publish(account, away)
    async with program(arguments, cwd=ROOT, env={"AMQP_URL": account.url}) as running:
        assert await running.wrote(1) == [expected(away, 4)]


async def test_an_example_that_may_not_read_a_queue_logs_it(example: Command, account: Account) -> None:
    async with program([*example, "lead.campaigns", "lead.#"], cwd=ROOT, env={"AMQP_URL": account.url}) as running:
        await running.logged("ACCESS_REFUSED")
        assert await running.ended(by=signal.SIGTERM) == 0


async def test_an_example_waits_for_a_broker_that_is_away(example: Command) -> None:
    argv = [*example, "crm.leads", "lead.#"]
    async with program(argv, cwd=ROOT, env={"AMQP_URL": "amqp://crm:x@127.0.0.1:1/voice"}) as running:
        await running.logged("connecting again", times=2)
        assert await running.ended(by=signal.SIGTERM) == 0


async def test_an_example_without_bindings_prints_its_usage(example: Command) -> None:
    async with program([*example, "crm.leads"], cwd=ROOT, env={"AMQP_URL": "amqp://localhost"}) as running:
        assert await running.ended() == 1
        assert "usage: AMQP_URL=" in running.errors[0]
