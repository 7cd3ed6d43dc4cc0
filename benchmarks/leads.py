"""Leads created, listed and changed in bulk, beside their floors, in one run: ``make bench WHAT=leads``.

===========  ==================================================================================================
create       the contract's example, in many companies in turn. Floor: FastAPI and asyncpg alone, which insert the
             lead and its event in one statement (``benchmarks/lead_floor.py``)
list         every lead of a company that has 1,000. Floor: FastAPI and asyncpg alone, which pass on what PostgreSQL
             makes
bulk update  1,000 leads get values that they do not have. Floor: the UPDATE of as many rows with the same values
             alone, committed, without HTTP and without events
===========  ==================================================================================================

Everything but the bare UPDATE goes through one and the same gateway. A round measures all of it for an instant, so
that a noisy machine is noisy to all alike. Figures are medians of the rounds, ratios the medians of each round's ratio.
CPU is of the processes that answer, nginx's workers among them, and of their PostgreSQL backends.
"""

import itertools
import json
import os
import platform
import random
import statistics
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import asyncpg
import psutil
import uvloop
from rich.console import Console
from rich.table import Table

from benchmarks import lead_floor
from benchmarks.figures import ALONE, BUSY, Figures, Samples, cpu_seconds
from benchmarks.http_load import Client, rendered
from benchmarks.lead_rows import load_leads
from benchmarks.own_stack import own_stack
from deploy.local.processes import PRODUCT, ProcessSpec, Product
from deploy.local.stack import Stack
from services.lead_svc.leads.schemas import EXAMPLE

ROUNDS: Final = 40
RESULTS = Path(__file__).parent / "results"
INSTANT_SECONDS: Final = 0.15
WARM_SECONDS: Final = 0.3
LEADS: Final = 1_000
UPDATES: Final = 4
"""In bulk a round, of floor and service alike: the first after a VACUUM find room beside their rows, later ones not."""
LISTED, CHANGED, CHANGED_BARE = 1, 2, 3
"""Companies, each with so many leads."""
CREATING: Final = range(10, 60)
"""Companies that leads are created in, each with a campaign of its number."""

_API: Final = "lead-api"
_FLOOR: Final = "lead-floor"
_PRODUCT: Final = Product(
    migrations=tuple(spec for spec in PRODUCT.migrations if spec.database == "leads"),
    processes=(
        ProcessSpec(_FLOOR, ("-m", "benchmarks.lead_floor"), "leads"),
        *(spec for spec in PRODUCT.processes if spec.name == _API),
    ),
    gateway_upstreams=dict.fromkeys(PRODUCT.gateway_upstreams, _API) | {"CAMPAIGN_API": _FLOOR},
)
"""Floor, lead API and gateway alone: any other process would take its part of the machine's cores."""


@dataclass(frozen=True, slots=True)
class Case:
    """A kind of request."""

    operation: str
    status: int
    method: str
    path: str
    connections: Sequence[int] = (BUSY, ALONE)
    target: float | None = None
    """Most times the floor's latency."""


CREATE: Final = Case("create", 201, "POST", "")
LIST: Final = Case(f"list of {LEADS:,}", 200, "GET", f"/company/{LISTED}")
_BULK_PATH: Final = f"/api/company/voice-leads/company/{CHANGED}/bulk-update"
BULK_TWO: Final = Case("bulk update, 2 fields", 200, "PATCH", _BULK_PATH, (ALONE,), target=2.0)
BULK_FOUR: Final = Case("bulk update, 4 fields", 200, "PATCH", _BULK_PATH, (ALONE,), target=2.0)
"""Status, agent and the rest have events of their own: six messages, where priority and notes alone are two."""
BULKS: Final[Mapping[Case, Sequence[Mapping[str, str | int]]]] = {
    BULK_TWO: ({"priority": 1, "notes": "Called before"}, {"priority": 2, "notes": "Bulk update notes"}),
    BULK_FOUR: (
        {"status": "pending", "priority": 1, "assigned_to": 7, "notes": "Called before"},
        {"status": "in_progress", "priority": 2, "assigned_to": 123, "notes": "Bulk update notes"},
    ),
}
"""Values in turn, so that every one of them is new."""
CASES: Final = (CREATE, LIST, *BULKS)


@dataclass(frozen=True, slots=True)
class Server:
    """A server that is measured, behind the gateway."""

    name: str
    prefix: str
    pids: tuple[int, ...]
    application: str
    """Its name in PostgreSQL."""


Place = tuple[Case, str, int]
"""A case, a server's name, how many connections."""


class BareUpdate:
    """The floor of bulk updates."""

    def __init__(self, connection: "asyncpg.Connection[asyncpg.Record]", ids: Sequence[int]) -> None:
        self._connection = connection
        self._ids = ids
        self._values = {case: itertools.cycle(values) for case, values in BULKS.items()}

    async def load(self, case: Case) -> Figures:
        """Change the leads again and again."""
        pids = (self._connection.get_server_pid(),)
        before, started = cpu_seconds(pids), time.perf_counter()
        latencies: list[float] = []
        for _ in range(UPDATES):
            sent = time.perf_counter()
            values = next(self._values[case])
            sets = ", ".join(f"{name} = ${at}" for at, name in enumerate(values, start=3))
            done = await self._connection.execute(
                f"UPDATE leads SET {sets}, version = version + 1, updated_at = now() "
                "WHERE company_id = $1 AND id = any($2)",
                CHANGED_BARE,
                self._ids,
                *values.values(),
            )
            latencies.append(time.perf_counter() - sent)
            if done != f"UPDATE {LEADS}":
                raise RuntimeError(done)
        number = len(latencies)
        database = (cpu_seconds(pids) - before) / number
        return Figures(number / (time.perf_counter() - started), 0, database, statistics.median(latencies))


class Measurement:
    """Sends all requests to floor and service."""

    def __init__(self, stack: Stack, superuser: "asyncpg.Connection[asyncpg.Record]", bare: BareUpdate) -> None:
        self._superuser = superuser
        self._bare = bare
        self._client = Client(stack.gateway_port)
        workers = tuple(worker.pid for worker in psutil.Process(_pid(stack, "gateway")).children())
        self._floor = Server("floor", lead_floor.PREFIX, (*workers, _pid(stack, _FLOOR)), lead_floor.NAME)
        self._service = Server("service", "/api/voice-leads", (*workers, _pid(stack, _API)), _API)
        self._requests: dict[tuple[Case, Server], Iterator[bytes]] = {}
        self._token = stack.token(LISTED, CHANGED, *CREATING)
        self.samples = Samples[Place]()

    async def prepare(self, changed: Sequence[int]) -> None:
        """Render the requests, and raise unless floor and service respond alike."""
        bodies: dict[Case, list[dict[str, Any]]] = {
            CREATE: [EXAMPLE | {"company_id": company, "campaign_id": company} for company in CREATING],
            **{case: [{"lead_ids": changed, "updates": updates} for updates in BULKS[case]] for case in BULKS},
        }
        for case in CASES:
            for server in self._servers(case):
                path = case.path if case in BULKS else server.prefix + case.path
                headers = {"Authorization": f"Bearer {self._token}"}
                sent = [
                    rendered(case.method, path, headers, json.dumps(body).encode() if body else b"")
                    for body in bodies.get(case, [{}])
                ]
                self._requests[case, server] = itertools.cycle(sent)
        for case in (CREATE, LIST):
            floor, service = [_comparable(await self._answer(case, server)) for server in self._servers(case)]
            if floor != service:
                raise RuntimeError(f"{case.operation}: answers differ: {floor!r:.2000} {service!r:.2000}")
        for case in BULKS:
            answer = await self._answer(case, self._service)
            if answer["updated_count"] != LEADS:
                raise RuntimeError(f"{case.operation}: {answer}")

    def _servers(self, case: Case) -> tuple[Server, ...]:
        return (self._service,) if case in BULKS else (self._floor, self._service)

    async def _answer(self, case: Case, server: Server) -> Any:  # noqa: ANN401 - JSON
        return json.loads(await self._client.body(next(self._requests[case, server]), status=case.status))

    async def round(self, chance: random.Random, seconds: float) -> None:
        """Measure everything once. What is compared follows on each other, in an order that changes."""
        # What the updates left, and the outbox, which no relay empties here: both would grow with every round.
        await self._superuser.execute("TRUNCATE outbox")
        await self._superuser.execute("VACUUM leads")
        for case in chance.sample(CASES, len(CASES)):
            for connections in case.connections:
                names = ["floor", "service"]
                chance.shuffle(names)
                for name in names:
                    self.samples.add((case, name, connections), await self._load(case, name, connections, seconds))

    async def _load(self, case: Case, name: str, connections: int, seconds: float) -> Figures:
        if case in BULKS and name == "floor":
            return await self._bare.load(case)
        server = self._floor if name == "floor" else self._service
        groups = server.pids, await self._backends(server)
        before = [cpu_seconds(pids) for pids in groups]
        requests = self._requests[case, server]
        times, instant = (UPDATES, 0.0) if case in BULKS else (1, seconds)
        loads = [
            await self._client.load(requests, status=case.status, connections=connections, seconds=instant)
            for _ in range(times)
        ]
        latencies = [latency for load in loads for latency in load.latencies]
        number = len(latencies)
        process, database = ((cpu_seconds(pids) - start) / number for pids, start in zip(groups, before, strict=True))
        return Figures(number / sum(load.seconds for load in loads), process, database, statistics.median(latencies))

    async def _backends(self, server: Server) -> list[int]:
        query = "SELECT pid FROM pg_stat_activity WHERE application_name = $1 AND datname = 'leads'"
        return [row["pid"] for row in await self._superuser.fetch(query, server.application)]

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def _pid(stack: Stack, name: str) -> int:
    pid = stack.process(name).pid
    assert pid is not None
    return pid


def _comparable(answer: Any) -> Any:  # noqa: ANN401 - JSON
    """The answer without what differs between two leads that were created alike."""
    if isinstance(answer, list):
        return answer
    differ = {"id", "company_id", "campaign_id", "created_at", "updated_at"}
    return {name: value for name, value in answer["data"].items() if name not in differ}


async def fill(url: str) -> None:
    """Load the leads, and the campaigns as the service knows them."""
    for company in (LISTED, CHANGED, CHANGED_BARE):
        await load_leads(url, company_id=company, rows=LEADS)
    driver = await asyncpg.connect(url)
    await driver.executemany(
        "INSERT INTO campaigns (id, company_id, status, version) VALUES ($1, $1, 'active', 1)",
        [(company,) for company in (LISTED, CHANGED, CHANGED_BARE, *CREATING)],
    )
    # The rounds do it themselves, at the same moment for all.
    await driver.execute("ALTER TABLE leads SET (autovacuum_enabled = off)")
    await driver.execute("ALTER TABLE outbox SET (autovacuum_enabled = off)")
    await driver.execute("ANALYZE leads")
    await driver.close()


async def run(stack: Stack, rounds: int) -> Samples[Place]:
    """Measure everything ``rounds`` times."""
    postgres = stack.servers.postgres
    await fill(postgres.database_url("leads"))
    superuser = await asyncpg.connect(f"{postgres.url.rsplit('/', 1)[0]}/leads")
    driver = await asyncpg.connect(postgres.database_url("leads"), server_settings={"jit": "off"})
    ids = {company: await _ids(superuser, company) for company in (CHANGED, CHANGED_BARE)}
    measurement = Measurement(stack, superuser, BareUpdate(driver, ids[CHANGED_BARE]))
    try:
        await measurement.prepare(ids[CHANGED])
        chance = random.Random(rounds)
        await measurement.round(chance, WARM_SECONDS)
        measurement.samples = Samples()
        for _ in range(rounds):
            await measurement.round(chance, INSTANT_SECONDS)
    finally:
        measurement.close()
        await driver.close()
        await superuser.close()
    return measurement.samples


async def _ids(connection: "asyncpg.Connection[asyncpg.Record]", company_id: int) -> list[int]:
    query = "SELECT id FROM leads WHERE company_id = $1 ORDER BY id"
    return [row["id"] for row in await connection.fetch(query, company_id)]


def report(samples: Samples[Place]) -> Table:
    """Floor and service, and their ratios."""
    table = Table(title="Leads: the service, and the floor")
    table.add_column("request")
    table.add_column("server")
    for heading in ("req/s", "x floor", "CPU µs", "database µs", "x floor", "ms alone", "x floor", "target"):
        table.add_column(heading, justify="right")
    for case in CASES:
        at_once = case.connections[0]
        for name in ("floor", "service"):
            place, floor = (case, name, at_once), (case, "floor", at_once)
            alone, floor_alone = (case, name, ALONE), (case, "floor", ALONE)
            process = samples.median(place, lambda figures: figures.process)
            table.add_row(
                case.operation,
                name,
                f"{samples.median(place, lambda figures: figures.per_second):,.0f}",
                f"{samples.ratio(place, floor, lambda figures: figures.per_second):.2f}",
                f"{process * 1e6:,.0f}" if process else "",
                f"{samples.median(place, lambda figures: figures.database) * 1e6:,.0f}",
                f"{samples.ratio(place, floor, lambda figures: figures.database):.2f}",
                f"{samples.median(alone, lambda figures: figures.latency) * 1e3:.2f}",
                f"{samples.ratio(alone, floor_alone, lambda figures: figures.latency):.2f}",
                f"<= {case.target}" if case.target and name == "service" else "",
                end_section=name == "service",
            )
    return table


def main() -> None:
    """Bring up a stack of its own, measure, print the table and keep it in ``benchmarks/results``."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    with own_stack(_PRODUCT) as stack:
        samples = uvloop.run(run(stack, rounds))
    console = Console(record=True, width=120)
    console.print(report(samples))
    console.print(f"{rounds} rounds, Python {platform.python_version()}, {os.cpu_count()} cores")
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "leads.txt").write_text(console.export_text())


if __name__ == "__main__":
    main()
