"""``make soak``: mixed load with random kills of everything but the database, and then a look at what is there.

A stack of its own, five minutes of load by default. At the end the product runs until no work is left; then
the databases, the history of events and the responses of every client are compared. Exits with 1 when anything is
wrong.
"""

import asyncio
import json
import random
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Annotated, Final

import asyncpg
import httpx
import typer
from rich.console import Console
from rich.table import Table

from benchmarks.own_stack import own_stack
from deploy.local.stack import Stack
from shared.messaging.event_history import HistoryIncompleteError
from tests.soak.checker import Databases, Findings, check, has_open_work
from tests.soak.clients import Client, Promises

CLIENTS: Final = 4
LONGEST_SECONDS: Final = 3600
SETTLE_SECONDS: Final = 120.0
"""How long the product may take to finish its work after the last request and the last kill."""
BETWEEN_KILLS: Final = (3.0, 8.0)
SPARED: Final = {"postgres", "epmd"}
CAMPAIGN: Final = Path(__file__).parents[2] / "deploy" / "local" / "sample_campaign.json"


async def _kill(stack: Stack, chance: random.Random, until: float, kills: Counter[str]) -> None:
    """Kill one process after the other; each is started again by the stack."""
    names = [child.name for child in stack.parts if child.name not in SPARED]
    while True:
        pause = chance.uniform(*BETWEEN_KILLS)
        if time.monotonic() + pause > until:
            return
        await asyncio.sleep(pause)
        name = chance.choice(names)
        await asyncio.to_thread(stack.process(name).kill)
        kills[name] += 1


async def _final_findings(stack: Stack, databases: Databases, promises: Promises) -> Findings:
    """What is wrong once everything has come to rest, or when it should have."""
    until = time.monotonic() + SETTLE_SECONDS
    for part in stack.parts:
        await asyncio.to_thread(part.wait_ready)
    while await has_open_work(databases) and time.monotonic() < until:
        await asyncio.sleep(0.5)
    while True:
        findings = await check(databases, stack.servers.rabbitmq.url, promises)
        # What is merely on its way arrives; what is lost or doubled stays so.
        if not findings.wrong or time.monotonic() > until:
            return findings
        await asyncio.sleep(2)


async def soak(stack: Stack, seconds: float, seed: int) -> tuple[Promises, Counter[str], Findings]:
    """Load, kill, and look."""
    promises, kills = Promises(), Counter[str]()
    chance = random.Random(seed)
    companies = range(1, CLIENTS + 1)
    headers = {"Authorization": f"Bearer {stack.token(*companies)}"}
    urls = [stack.servers.postgres.database_url(name) for name in ("campaigns", "leads", "analytics")]
    databases = Databases(*[await asyncpg.connect(url) for url in urls])
    async with httpx.AsyncClient(base_url=stack.gateway_url, headers=headers, timeout=60, trust_env=False) as http:
        clients = [Client(http, company, promises) for company in companies]
        for client in clients:
            await client.prepare(json.loads(CAMPAIGN.read_text()))
        until = time.monotonic() + seconds
        await asyncio.gather(_kill(stack, chance, until, kills), *(client.work(until) for client in clients))
    return promises, kills, await _final_findings(stack, databases, promises)


def _tables(promises: Promises, kills: Counter[str], findings: Findings) -> list[Table]:
    responses = Table(title="Responses, by operation and status (0: no response)")
    responses.add_column("operation")
    responses.add_column("responses")
    for name in sorted({name for name, _ in promises.answers}):
        counts = sorted((status, count) for (of, status), count in promises.answers.items() if of == name)
        responses.add_row(name, ", ".join(f"{status}: {count:,}" for status, count in counts))
    unsure = len(promises.unsure_leads) + len(promises.unsure_calls) + len(promises.unsure_conversions)
    summary = Table(title="What it came to", show_header=False)
    for name, value in (
        ("confirmed to clients", f"{promises.confirmed:,} leads, calls and conversions"),
        ("neither confirmed nor refused", f"{unsure:,}, and {len(promises.unsure_imports):,} imports"),
        ("killed", ", ".join(f"{name} {count}" for name, count in sorted(kills.items())) or "nothing"),
        ("compared", ", ".join(f"{count:,} {name}" for name, count in findings.looked_at.items())),
        ("wrong", "\n".join(findings.wrong) or "nothing: nothing lost, nothing doubled, all projections equal"),
    ):
        summary.add_row(name, value)
    return [responses, summary]


def main(
    seconds: Annotated[float, typer.Option(min=5, max=LONGEST_SECONDS, help="Of load.")] = 300,
    seed: Annotated[int | None, typer.Option(help="Of what is killed when; else another each time.")] = None,
) -> None:
    """Soak a stack of its own."""
    console = Console(width=120)
    chosen = seed if seed is not None else random.SystemRandom().randrange(10**6)
    console.print(f"{seconds:.0f} s of load by {CLIENTS} clients, seed {chosen}")
    with own_stack() as stack:
        try:
            promises, kills, findings = asyncio.run(soak(stack, seconds, chosen))
        except HistoryIncompleteError as error:
            console.print(f"cannot be compared: {error}")
            sys.exit(2)
    for table in _tables(promises, kills, findings):
        console.print(table)
    sys.exit(1 if findings.wrong else 0)


if __name__ == "__main__":
    typer.run(main)
