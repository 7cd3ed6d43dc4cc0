"""Seconds from a change to its effect in a report, while files are imported: ``make bench WHAT=freshness``.

A lead is created through the gateway; from its answer on, which leaves when the change is committed, a report of its
company is requested repeatedly, until it counts the lead. Meanwhile another company imports one file after
the other.
"""

import asyncio
import json
import os
import platform
import statistics
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx
from rich.console import Console
from rich.table import Table

from benchmarks.lead_rows import lead_file
from benchmarks.own_stack import own_stack
from deploy.local.stack import Stack

ROUNDS: Final = 60
TARGET: Final = 250
"""Milliseconds, the median."""
ROWS: Final = 1_000
ASKER, IMPORTER = 1, 2
"""Companies."""
CAMPAIGN: Final = Path(__file__).parents[1] / "deploy" / "local" / "sample_campaign.json"
RESULTS: Final = Path(__file__).parent / "results"
_SECONDS: Final = 30.0


@dataclass
class Seen:
    """Milliseconds from a change to its effect, and the imports that were done meanwhile."""

    quiet: list[float] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)
    imports: int = 0


async def _campaign(client: httpx.AsyncClient, company: int) -> int:
    body = json.loads(CAMPAIGN.read_text()) | {"company_id": company, "status": "active"}
    answer = await client.post("/api/voice-campaigns", json=body)
    number: int = answer.raise_for_status().json()["data"]["id"]
    return number


async def _counted(client: httpx.AsyncClient) -> int:
    answer = await client.get(f"/api/voice-leads/company/{ASKER}/assignment-stats")
    count: int = answer.raise_for_status().json()["assignment_summary"]["total_leads"]
    return count


async def _effect(client: httpx.AsyncClient, campaign: int, number: int) -> float:
    """Create a lead; milliseconds until a report counts it."""
    before = await _counted(client)
    body = {
        "campaign_id": campaign,
        "company_id": ASKER,
        "first_name": "Grace",
        "last_name": "Hopper",
        "phone": f"+1415{number:07}",
        "status": "pending",
    }
    (await client.post("/api/voice-leads", json=body)).raise_for_status()
    started = time.perf_counter()
    while await _counted(client) == before:
        if time.perf_counter() - started > _SECONDS:
            raise TimeoutError("the lead was never counted")
    return (time.perf_counter() - started) * 1000


async def _import_forever(client: httpx.AsyncClient, campaign: int, seen: Seen) -> None:
    content = lead_file(ROWS)
    while True:
        answer = await client.post(
            f"/api/company/voice-leads/company/{IMPORTER}/import",
            files={"file": ("leads.csv", content, "text/csv")},
            data={"campaign_id": str(campaign)},
        )
        answer.raise_for_status()
        seen.imports += 1


async def measure(stack: Stack, rounds: int) -> Seen:
    """Change and request, first alone and then beside imports."""
    token = stack.token(ASKER, IMPORTER)
    seen = Seen()
    async with httpx.AsyncClient(
        base_url=stack.gateway_url, headers={"Authorization": f"Bearer {token}"}, timeout=60
    ) as client:
        own, imported = await _campaign(client, ASKER), await _campaign(client, IMPORTER)
        await _effect(client, own, 0)
        for number in range(1, rounds + 1):
            seen.quiet.append(await _effect(client, own, number))
        importing = asyncio.create_task(_import_forever(client, imported, seen))
        try:
            while seen.imports < 3:
                await asyncio.sleep(0.05)
            for number in range(rounds + 1, 2 * rounds + 1):
                seen.busy.append(await _effect(client, own, number))
        finally:
            importing.cancel()
    return seen


def table_of(seen: Seen) -> Table:
    """The table of both."""
    table = Table(title="From a lead's commit to its effect in a report, milliseconds")
    for heading in ("meanwhile", "median", "p95", "target"):
        table.add_column(heading, justify="left" if heading == "meanwhile" else "right")
    for name, samples in (("nothing", seen.quiet), (f"{seen.imports} imports of {ROWS:,} rows", seen.busy)):
        p95 = statistics.quantiles(samples, n=20, method="inclusive")[-1]
        table.add_row(name, f"{statistics.median(samples):.0f}", f"{p95:.0f}", f"<= {TARGET}")
    return table


def main() -> None:
    """Bring up a stack of its own, measure, print the table and keep it in ``benchmarks/results``."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    console = Console(record=True, width=100)
    with own_stack() as stack:
        console.print(table_of(asyncio.run(measure(stack, rounds))))
    console.print(f"{rounds} rounds, Python {platform.python_version()}, {os.cpu_count()} cores")
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "freshness.txt").write_text(console.export_text())


if __name__ == "__main__":
    main()
