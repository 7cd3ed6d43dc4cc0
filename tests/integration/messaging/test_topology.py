"""Exchanges and queues on a real broker."""

from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from shared.messaging.topology import HISTORY_STREAM, ExchangeName, QueueSpec
from tests.fixtures.servers import ServerUrls
from tests.fixtures.waiting import eventually
from tests.integration.messaging.broker import Broker

PLAIN = QueueSpec(name="plain", exchange=ExchangeName.EVENTS, bindings=("lead.*.v1", "campaign.*.v1"))
ORDERED = QueueSpec(name="ordered", exchange=ExchangeName.EVENTS, bindings=("lead.*.v1",), ordered=True)
COMMANDS = QueueSpec(name="commands", exchange=ExchangeName.COMMANDS, bindings=("do.it.v1",))


async def arguments(servers: ServerUrls, broker: Broker, queue: str) -> dict[str, Any]:
    """The arguments a queue has on the broker."""
    vhost = urlsplit(broker.url).path[1:]
    async with httpx.AsyncClient(base_url=servers.management, trust_env=False) as api:

        async def listed() -> dict[str, Any]:
            answer = await api.get(f"/api/queues/{vhost}/{queue}")
            return dict(answer.json()) if answer.is_success else {}

        return dict((await eventually(listed))["arguments"])


async def test_declaring_again_changes_nothing(broker: Broker) -> None:
    await broker.declare(PLAIN, ORDERED, COMMANDS)
    await broker.publish(b"stored", routing_key="lead.created.v1")
    await broker.declare(PLAIN, ORDERED, COMMANDS)
    assert [message.body for message in await broker.take(PLAIN.name)] == [b"stored"]


async def test_an_event_reaches_the_queues_whose_bindings_match(broker: Broker) -> None:
    await broker.declare(PLAIN, ORDERED, COMMANDS)
    for key in ("lead.created.v1", "campaign.status_changed.v1", "lead.created.v2", "import.completed.v1"):
        await broker.publish(key.encode(), routing_key=key)
    assert [message.body for message in await broker.take(PLAIN.name, 2)] == [
        b"lead.created.v1",
        b"campaign.status_changed.v1",
    ]
    assert [await broker.count(queue.name) for queue in (PLAIN, ORDERED, COMMANDS)] == [0, 1, 0]
    assert len(await broker.replay(HISTORY_STREAM, 4)) == 4


async def test_a_command_reaches_its_queue_alone(broker: Broker) -> None:
    await broker.declare(PLAIN, COMMANDS)
    await broker.publish(b"command", routing_key="do.it.v1", exchange=ExchangeName.COMMANDS)
    assert [message.body for message in await broker.take(COMMANDS.name)] == [b"command"]
    assert await broker.count(PLAIN.name) == 0


@pytest.mark.parametrize("spec", [PLAIN, ORDERED, COMMANDS], ids=lambda spec: spec.name)
async def test_queues_survive_a_broker_and_give_up_in_the_end(
    servers: ServerUrls, broker: Broker, spec: QueueSpec
) -> None:
    await broker.declare(spec)
    on_broker = await arguments(servers, broker, spec.name)
    assert on_broker["x-queue-type"] == "quorum"
    assert on_broker["x-delivery-limit"] == spec.delivery_limit
    assert on_broker["x-dead-letter-strategy"] == "at-least-once"
    assert on_broker.get("x-single-active-consumer", False) is spec.ordered
    assert (await arguments(servers, broker, spec.dead_letters))["x-queue-type"] == "quorum"
