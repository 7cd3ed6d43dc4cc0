"""How fast ``analytics-events`` applies waiting events: leads in batches, as imports emit them, and single events."""

import asyncio
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

import aio_pika
import asyncpg
from rich.table import Table

from deploy.local.child import Child
from deploy.local.probes import http_ok
from deploy.local.stack import Stack
from services.analytics_svc.queues import PROJECTIONS
from shared.events.envelope import EventData, compose
from shared.events.leads import (
    LEADS_PER_EVENT,
    CallAttempt,
    Lead,
    LeadCallAttempted,
    LeadCreated,
    LeadStatusChanged,
    StatusChange,
)
from shared.messaging.topology import ExchangeName, declare_exchanges, declare_queue

LEADS: Final = 200_000
SINGLE_EVENTS: Final = 20_000
TARGETS: Final = {"leads": 10_000, "single events": 1_500}
"""Least a second."""
_COMPANY: Final = 7
_CAMPAIGNS: Final = 50
_START: Final = datetime(2024, 3, 1, 9, tzinfo=UTC)
_NAME: Final = "analytics-events"
_SECONDS: Final = 180.0


def _lead(number: int, version: int = 1, status: str = "pending") -> Lead:
    return Lead.model_validate(
        {
            "id": number,
            "version": version,
            "campaign_id": 1 + number // 1000 % _CAMPAIGNS,
            "company_id": _COMPANY,
            "first_name": "Grace",
            "last_name": "Hopper",
            "phone": "+14155552671",
            "email": "grace@example.com",
            "status": status,
            "priority": 3,
            "source": "Website",
            "lead_score": number % 101,
            "interest_level": "high",
            "assigned_to": 1 + number % 20,
            "created_at": _START,
            "updated_at": _START,
        }
    )


def _batches() -> list[EventData]:
    return [
        LeadCreated(leads=[_lead(number) for number in range(start, start + LEADS_PER_EVENT)])
        for start in range(1, LEADS, LEADS_PER_EVENT)
    ]


def _singles() -> list[EventData]:
    """Calls as ``lead_svc`` emits them: the call, and what its lead became."""
    drawn = random.Random(1)
    events: list[EventData] = []
    for number in range(1, SINGLE_EVENTS // 2 + 1):
        lead = _lead(drawn.randint(1, LEADS), version=1 + number, status="in_progress")
        attempt = CallAttempt.model_validate(
            {
                "id": number,
                "lead_id": lead.id,
                "campaign_id": lead.campaign_id,
                "company_id": _COMPANY,
                "started_at": _START + timedelta(seconds=number),
                "duration": 120,
                "successful": number % 3 == 0,
                "disposition": None,
                "agent_id": lead.assigned_to,
                "cost": 0.4,
                "notes": "Interested in pricing and features, wants to consider it",
                "quality": {"accuracy": 95, "clarity": 88, "engagement": 92, "adherence_to_script": 96},
            }
        )
        events.append(LeadCallAttempted(call_attempts=[attempt]))
        events.append(LeadStatusChanged(leads=[StatusChange(**lead.model_dump(), previous_status="pending")]))
    return events


async def _publish(amqp_url: str, events: Sequence[EventData]) -> None:
    connection = await aio_pika.connect(amqp_url)
    async with connection:
        channel = await connection.channel(publisher_confirms=True)
        exchange = (await declare_exchanges(channel))[ExchangeName.EVENTS]
        await declare_queue(channel, PROJECTIONS)
        for start in range(0, len(events), 200):
            messages = [
                (aio_pika.Message(compose(event, source="/benchmark", company_id=_COMPANY).body), event.event_type)
                for event in events[start : start + 200]
            ]
            await asyncio.gather(*(exchange.publish(message, key) for message, key in messages))


async def _rate(stack: Stack, events: Sequence[EventData]) -> float:
    """Events applied a second, from the first commit to the last, by a process that finds them all waiting."""
    await _publish(stack.servers.rabbitmq.url, events)
    driver = await asyncpg.connect(stack.servers.postgres.database_url("analytics"))
    before: int = await driver.fetchval("SELECT count(*) FROM inbox")
    own = stack.process("analytics-api").command
    stack.state.claim_ports([_NAME])
    port = stack.state.port(_NAME)
    arguments = (sys.executable, "-m", "services.analytics_svc", "events")
    command = replace(own, name=_NAME, argv=arguments, env={**own.env, "PORT": str(port)})
    child = Child(stack.state, command, lambda: http_ok(port, "/readyz"))
    child.start()
    try:
        first, started = 0, 0.0
        deadline = time.monotonic() + _SECONDS
        while time.monotonic() < deadline:
            done: int = await driver.fetchval("SELECT count(*) FROM inbox") - before
            if done and not first:
                first, started = done, time.perf_counter()
            if done == len(events):
                return (done - first) / (time.perf_counter() - started)
            await asyncio.sleep(0.01)
        raise TimeoutError(f"{done} of {len(events)} events were applied")
    finally:
        child.stop()
        await driver.close()


async def measure_projection(stack: Stack) -> Table:
    """Have everything projected; returns the table."""
    table = Table(title="Projection by analytics-events, of what waits in its queue")
    for heading in ("emitted by", "a second", "target"):
        table.add_column(heading, justify="left" if heading == "emitted by" else "right")
    leads = await _rate(stack, _batches()) * LEADS_PER_EVENT
    singles = await _rate(stack, _singles())
    for name, rate in (("leads", leads), ("single events", singles)):
        table.add_row(name, f"{rate:,.0f}", f">= {TARGETS[name]:,}")
    return table
