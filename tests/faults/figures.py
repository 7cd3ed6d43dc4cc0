"""Events that were emitted and received, and the figures that result."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage

from deploy.local.stack import Stack
from services.lead_svc.outbox import outbox
from shared.database.engine import Database
from shared.events.envelope import Envelope, EventData, parse
from shared.events.leads import LeadCreated
from shared.messaging.topology import ExchangeName
from tests.fixtures.events import lead
from tests.fixtures.gateway import Caller, phone_number
from tests.fixtures.waiting import eventually

SETTLED_SECONDS = 90.0
"""How long thousands of events may take to be in every figure, on a busy machine, after servers came back."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Leads and calls of a company, by the two projections: the totals of its campaigns, and its reports."""

    leads: int
    calls: int = 0
    successful_calls: int = 0


async def totals(caller: Caller) -> Figures:
    """By the list of the company's campaigns."""
    response = await _get(caller, f"/api/voice-campaigns/company/{caller.company_id}", limit=100)
    names = ("total_leads", "completed_calls", "successful_calls")
    return Figures(*(sum(campaign[name] for campaign in response["data"]) for name in names))


async def reported(caller: Caller) -> Figures:
    """By the company's statistics."""
    response = await _get(caller, f"/api/voice-campaigns/company/{caller.company_id}/stats")
    return Figures(*(response[name] for name in ("total_leads", "total_calls", "successful_calls")))


async def _get(caller: Caller, path: str, **parameters: int) -> dict[str, Any]:
    answer = await caller.get(path, **parameters)
    assert answer.status_code == 200, answer.text
    response: dict[str, Any] = answer.json()
    return response


async def come_to(caller: Caller, expected: Figures, *, deadline: float = SETTLED_SECONDS) -> None:
    """Wait until both projections have come to exactly these figures."""

    found: tuple[Figures, ...] = ()

    async def have_come() -> bool:
        nonlocal found
        found = await totals(caller), await reported(caller)
        assert all(each.leads <= expected.leads and each.calls <= expected.calls for each in found), found
        return found == (expected, expected)

    try:
        await eventually(have_come, deadline=deadline)
    except AssertionError as error:
        raise AssertionError(f"came to {found}, not to {expected}") from error


def one_by_one(caller: Caller, campaign_id: int, count: int, *, first: int = 0) -> list[EventData]:
    """An event for each of so many new leads of a campaign."""
    first_id = caller.company_id * 1_000_000 + first
    return [
        LeadCreated(leads=[lead(first_id + number, company_id=caller.company_id, campaign_id=campaign_id)])
        for number in range(count)
    ]


async def emit(stack: Stack, company_id: int, events: Iterable[EventData], *, at_once: int = 500) -> None:
    """Leave events in the lead service's outbox, some in a transaction, as its own changes do."""
    database = Database(stack.servers.postgres.database_url("leads"), name="tests")
    waiting = list(events)
    try:
        for start in range(0, len(waiting), at_once):
            async with database.transaction() as connection:
                await outbox.add(connection, company_id, *waiting[start : start + at_once])
    finally:
        await database.close()


async def waiting_in_outbox(stack: Stack, company_id: int) -> int:
    """How many of a company's messages the lead service's relay has not got rid of."""
    connection = await asyncpg.connect(stack.servers.postgres.database_url("leads"))
    try:
        count: int = await connection.fetchval("SELECT count(*) FROM outbox WHERE company_id = $1", company_id)
        return count
    finally:
        await connection.close()


@dataclass(frozen=True, slots=True)
class Received:
    """The events of a company's leads, as they are published from some moment on."""

    events: list[Envelope]

    @property
    def ids(self) -> Sequence[str]:
        """Their ids, in the order they came, each as often as it came."""
        return [str(event.id) for event in self.events]

    @property
    def each_once(self) -> Sequence[Envelope]:
        """The events in the order in which they came first."""
        return list({event.id: event for event in self.events}.values())

    async def come(self, number: int, *, deadline: float = 15) -> None:
        """Wait until so many have come."""

        async def have_come() -> bool:
            return len(self.events) >= number

        await eventually(have_come, deadline=deadline)


@asynccontextmanager
async def listening(channel: AbstractChannel, company_id: int) -> AsyncIterator[Received]:
    """Hear what is published while the block lasts."""
    received = Received([])
    queue = await channel.declare_queue(exclusive=True)
    await queue.bind(ExchangeName.EVENTS, "lead.#")

    async def hear(message: AbstractIncomingMessage) -> None:
        if message.headers["company_id"] == company_id:
            received.events.append(parse(message.body))

    tag = await queue.consume(hear, no_ack=True)
    try:
        yield received
    finally:
        await queue.cancel(tag)


async def create_leads(caller: Caller, campaign_id: int, count: int, *, first: int = 0) -> list[int]:
    """Create leads one by one over HTTP, with numbers of their own; returns their ids."""
    return await asyncio.gather(*(_create_lead(caller, campaign_id, first + number) for number in range(count)))


async def _create_lead(caller: Caller, campaign_id: int, number: int) -> int:
    response = await caller.gateway.http.post(
        "/api/voice-leads", json=lead_body(caller, campaign_id, number), headers=caller.headers
    )
    assert response.status_code == 201, response.text
    lead_id: int = response.json()["data"]["id"]
    return lead_id


def lead_body(caller: Caller, campaign_id: int, number: int) -> dict[str, object]:
    """A lead, distinguished from the others by its number."""
    return {
        "campaign_id": campaign_id,
        "company_id": caller.company_id,
        "first_name": f"Lead {number}",
        "last_name": "Doe",
        "phone": phone_number(number),
        "status": "pending",
    }
