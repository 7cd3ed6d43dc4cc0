"""Campaigns read, listed and created, beside their floor, in one run: ``make bench WHAT=campaigns``.

=======  ===============================================================================
floor    FastAPI and asyncpg alone, on the same rows (``benchmarks/campaign_floor.py``)
service  ``campaign-api`` itself
gateway  ``campaign-api`` through nginx
=======  ===============================================================================

There is a table of a thousand campaigns and one of a million. In each a large company owns all of them, and small ones
have 100 each in between; neither may notice how large the table is.

A round measures everything for an instant, so that a noisy machine is noisy to all alike. Figures are medians of the
rounds, ratios the medians of each round's ratio. CPU is the steadiest of them: of the processes that answer (at the
gateway nginx's workers too), and of their PostgreSQL backends.
"""

import itertools
import os
import platform
import random
import statistics
import sys
from collections.abc import Mapping
from pathlib import Path

import asyncpg
import uvloop
from rich.console import Console
from rich.table import Table

from benchmarks.campaign_requests import CREATE, GETS, LISTS, Case, Requests, prepare, require_same_answers
from benchmarks.campaign_servers import MILLION, SIZES, THOUSAND, CampaignStack, Server, Size, campaign_stack
from benchmarks.figures import ALONE, BUSY, Figures, Samples, cpu_seconds
from benchmarks.http_load import Client

ROUNDS = 40
RESULTS = Path(__file__).parent / "results"
INSTANT_SECONDS = 0.08
WARM_SECONDS = 0.5

Place = tuple[Case, str, Size, int]
"""A case, a server's name and size, how many connections."""


class Measurement:
    """Sends each server all requests of its size."""

    def __init__(
        self,
        superuser: "asyncpg.Connection[asyncpg.Record]",
        clients: Mapping[Server, Client],
        requests: Mapping[Size, Requests],
    ) -> None:
        self._superuser = superuser
        self._clients = clients
        self._pairs = [(case, server) for server in clients for case in requests[server.size]]
        self._requests = {
            (case, size): itertools.cycle(sent) for size, cases in requests.items() for case, sent in cases.items()
        }
        self.samples = Samples[Place]()

    async def warm(self) -> None:
        """Fill caches and pools, prepare statements."""
        for case, server in self._pairs:
            await self._load(case, server, BUSY, WARM_SECONDS)

    async def round(self, chance: random.Random) -> None:
        """Measure everything once. What is compared follows on each other, in an order that changes."""
        chance.shuffle(self._pairs)
        self._pairs.sort(key=lambda pair: (pair[0].operation, pair[0].owner))
        for connections in (BUSY, ALONE):
            for case, server in self._pairs:
                figures = await self._load(case, server, connections, INSTANT_SECONDS)
                self.samples.add((case, server.name, server.size, connections), figures)

    async def _load(self, case: Case, server: Server, connections: int, seconds: float) -> Figures:
        requests = self._requests[case, server.size]
        groups = server.pids, await self._backends(server)
        before = [cpu_seconds(pids) for pids in groups]
        load = await self._clients[server].load(requests, status=case.status, connections=connections, seconds=seconds)
        number = len(load.latencies)
        process, database = ((cpu_seconds(pids) - start) / number for pids, start in zip(groups, before, strict=True))
        return Figures(number / load.seconds, process, database, statistics.median(load.latencies))

    async def _backends(self, server: Server) -> list[int]:
        query = "SELECT pid FROM pg_stat_activity WHERE application_name = $1 AND datname = $2"
        return [row["pid"] for row in await self._superuser.fetch(query, server.application, server.size.database)]


async def run(stack: CampaignStack, rounds: int) -> Samples[Place]:
    """Fill the tables and measure everything ``rounds`` times."""
    for size in SIZES:
        await stack.fill(size)
    requests = {size: await prepare(stack, size) for size in SIZES}
    clients = {server: Client(server.port) for server in stack.start()}
    superuser = await asyncpg.connect(stack.superuser_url("postgres"))
    try:
        for size in SIZES:
            await require_same_answers(clients, size, requests[size])
        measurement = Measurement(superuser, clients, requests)
        await measurement.warm()
        chance = random.Random(rounds)
        for _ in range(rounds):
            await measurement.round(chance)
    finally:
        await superuser.close()
        for client in clients.values():
            client.close()
    return measurement.samples


def throughput(samples: Samples[Place]) -> Table:
    """Each server's figures on the larger table, and their ratios to the floor's."""
    table = Table(title="A million campaigns: each server, and the floor")
    table.add_column("request")
    table.add_column("company")
    table.add_column("server")
    for heading in ("req/s", "x floor", "target", "CPU µs", "x floor", "database µs", "ms alone"):
        table.add_column(heading, justify="right")
    for case in (*GETS, *LISTS, CREATE):
        for name in ("floor", "service", "gateway"):
            place, floor = (case, name, MILLION, BUSY), (case, "floor", MILLION, BUSY)
            table.add_row(
                case.operation,
                case.owner,
                name,
                f"{samples.median(place, lambda figures: figures.per_second):,.0f}",
                f"{samples.ratio(place, floor, lambda figures: figures.per_second):.2f}",
                f">= {case.target}" if case.target and name == "service" else "",
                f"{samples.median(place, lambda figures: figures.process) * 1e6:,.0f}",
                f"{samples.ratio(place, floor, lambda figures: figures.process):.2f}",
                f"{samples.median(place, lambda figures: figures.database) * 1e6:,.0f}",
                f"{samples.median((case, name, MILLION, ALONE), lambda figures: figures.latency) * 1e3:.2f}",
                end_section=name == "gateway",
            )
    return table


def growth(samples: Samples[Place]) -> Table:
    """What changes from the smaller table to the larger."""
    table = Table(title="A million campaigns : a thousand")
    table.add_column("request")
    table.add_column("company")
    table.add_column("server")
    for heading in ("req/s", "CPU", "database CPU", "ms alone"):
        table.add_column(heading, justify="right")
    for case in (*GETS, *LISTS):
        for name in ("floor", "service"):
            million, thousand = (case, name, MILLION, BUSY), (case, name, THOUSAND, BUSY)
            alone = (case, name, MILLION, ALONE), (case, name, THOUSAND, ALONE)
            table.add_row(
                case.operation,
                case.owner,
                name,
                f"{samples.ratio(million, thousand, lambda figures: figures.per_second):.2f}",
                f"{samples.ratio(million, thousand, lambda figures: figures.process):.2f}",
                f"{samples.ratio(million, thousand, lambda figures: figures.database):.2f}",
                f"{samples.ratio(*alone, lambda figures: figures.latency):.2f}",
            )
    return table


def main() -> None:
    """Bring up a stack of its own, measure, print the tables and keep them in ``benchmarks/results``."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    with campaign_stack() as stack:
        samples = uvloop.run(run(stack, rounds))
    console = Console(record=True, width=120)
    console.print(throughput(samples))
    console.print(growth(samples))
    console.print(f"{rounds} rounds, Python {platform.python_version()}, {os.cpu_count()} cores")
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "campaigns.txt").write_text(console.export_text())


if __name__ == "__main__":
    main()
