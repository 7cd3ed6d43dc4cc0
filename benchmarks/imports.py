"""The import against its floor, and against the usual way, in one run: ``make bench WHAT=imports``.

===============  ==========================================================================================
bare COPY        the same rows, already rendered, into the same table and indexes, committed: the floor
in process       parse, validate, take ids, COPY, write the events, commit
HTTP             through gateway, API, outbox, queue, worker and back, with every lead in the answer;
                 for 10,000 rows asynchronous: until the status of the job is completed
queue            part of the HTTP import: from the commit of the job to the start of the worker
usual way        csv, a pydantic model a row, ORM ``add_all``, commit
===============  ==========================================================================================

Each round does all of it once; figures are medians of the rounds, in milliseconds. What has no servers of the product
around it (floor, in process, usual way) runs in a database of its own, where no relay takes part.
"""

import asyncio
import io
import json
import os
import platform
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import httpx
import polars as pl
from rich.console import Console
from rich.table import Table

from benchmarks.lead_rows import lead_file
from benchmarks.own_stack import own_stack
from benchmarks.usual_way import import_usual_way
from deploy.local.stack import Stack
from services.lead_svc.app import MIGRATIONS
from services.lead_svc.imports.loading import copy
from services.lead_svc.imports.records import QueuedImport
from services.lead_svc.imports.service import MAX_SYNCHRONOUS_ROWS
from services.lead_svc.imports.validation.validator import validate_rows
from services.lead_svc.outbox import outbox
from services.lead_svc.spreadsheets.file_kind import FileKind
from services.lead_svc.spreadsheets.reader import read_sheet
from shared.database.engine import Database, driver_connection
from shared.database.migrations import upgrade
from shared.ids import CampaignId, CompanyId, ImportId

ROUNDS = 9
SETTLE_SECONDS = 0.5
"""Between rounds: what an import sets going (projections) must not run into the next measurement."""
SIZES = (1_000, 10_000)
CAMPAIGN = Path(__file__).parents[1] / "deploy" / "local" / "sample_campaign.json"
RESULTS = Path(__file__).parent / "results"
TARGETS = {
    (1_000, "in process"): 2.6,
    (10_000, "in process"): 2.0,
    (1_000, "HTTP"): 7.0,
}
"""Most times the bare COPY."""


@dataclass
class Times:
    """Milliseconds of every round, by what was measured."""

    samples: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    async def measure(self, name: str, work: Callable[[], Awaitable[object]]) -> None:
        """Do it once and note how long it took."""
        started = time.perf_counter()
        await work()
        self.samples[name].append((time.perf_counter() - started) * 1000)

    def median(self, name: str) -> float:
        """The median of one measurement."""
        return statistics.median(self.samples[name])


class InProcess:
    """What needs nothing but a database."""

    def __init__(self, database: Database, rows: int) -> None:
        self._database = database
        self.content = lead_file(rows)
        frame = validate_rows(read_sheet(self.content, FileKind.CSV), {}, row_limit=None).frame
        whole = frame.with_columns(
            pl.lit(1).alias("company_id"), pl.lit(1).alias("campaign_id"), pl.lit(1).alias("import_id")
        )
        rendered = io.BytesIO()
        whole.write_csv(rendered, include_header=False)
        self._rendered = rendered.getvalue()
        self._columns = whole.columns
        self._job = QueuedImport(
            id=ImportId(1),
            company_id=CompanyId(1),
            campaign_id=CampaignId(1),
            filename="leads.csv",
            kind=FileKind.CSV,
            content=self.content,
            default_values={},
            row_limit=None,
        )

    async def bare_copy(self) -> None:
        """The floor."""
        async with self._database.transaction() as connection:
            driver = await driver_connection(connection)
            rows = io.BytesIO(self._rendered)
            await driver.copy_to_table("leads", source=rows, columns=self._columns, format="csv")

    async def whole(self) -> None:
        """What the worker does, without its queue."""
        async with self._database.transaction() as connection:
            valid = validate_rows(read_sheet(self.content, FileKind.CSV), {}, row_limit=None)
            loaded = await copy.load_leads(connection, self._job, valid.frame, _no_report)
            await outbox.add(connection, self._job.company_id, *loaded.events)

    async def usual_way(self) -> None:
        """What others do."""
        async with self._database.transaction() as connection:
            await import_usual_way(connection, self.content, company_id=1, campaign_id=1)


async def _no_report(_done: int) -> None:
    return


class OverHttp:
    """What a client of the gateway sees."""

    def __init__(self, stack: Stack, client: httpx.AsyncClient, leads: "asyncpg.Connection[asyncpg.Record]") -> None:
        self._stack = stack
        self._client = client
        self._leads = leads
        self._committed: asyncio.Queue[datetime] = asyncio.Queue()
        self._campaign_id = 0

    async def prepare(self) -> None:
        """Make a campaign, and hear of every commit to the outbox."""
        example = json.loads(CAMPAIGN.read_text())
        made = await self._client.post("/api/voice-campaigns", json=example)
        self._campaign_id = made.raise_for_status().json()["data"]["id"]
        await self._leads.add_listener("outbox", lambda *_: self._committed.put_nowait(datetime.now(UTC)))

    async def synchronous(self, content: bytes, rows: int, times: Times) -> None:
        """Import and receive all leads; notes the whole time, and the queue's part of it."""
        while not self._committed.empty():
            self._committed.get_nowait()
        request = self._request(content, {})
        started = time.perf_counter()
        answer = await self._client.send(request)
        times.samples["HTTP"].append((time.perf_counter() - started) * 1000)
        if answer.status_code != httpx.codes.CREATED or answer.json()["imported_count"] != rows:
            raise RuntimeError(f"the import was answered {answer.status_code}: {answer.text[:300]}")
        committed = await self._committed.get()
        taken: datetime = await self._leads.fetchval("SELECT started_at FROM imports ORDER BY id DESC LIMIT 1")
        times.samples["queue"].append((taken - committed).total_seconds() * 1000)

    async def asynchronous(self, content: bytes) -> None:
        """Import and poll the job until it is completed."""
        answer = await self._client.send(self._request(content, {"Prefer": "respond-async"}))
        where = answer.raise_for_status().headers["Location"]
        async with asyncio.timeout(60):
            while (job := (await self._client.get(where)).raise_for_status().json())["status"] != "completed":
                if job["status"] in {"failed", "aborted"}:
                    raise RuntimeError(f"the import ended as {job}")
                await asyncio.sleep(0.005)

    def _request(self, content: bytes, headers: dict[str, str]) -> httpx.Request:
        """The import request, ready to be sent: putting a form together is the client's own cost."""
        form = self._client.build_request(
            "POST",
            "/api/company/voice-leads/company/1/import",
            files={"file": ("leads.csv", content, "text/csv")},
            data={"campaign_id": str(self._campaign_id), "default_values": '{"source": "bench"}'},
        )
        whole = {"Content-Type": form.headers["Content-Type"], **headers}
        return self._client.build_request("POST", form.url, headers=whole, content=form.read())


async def run(stack: Stack, rounds: int) -> dict[int, Times]:
    """Measure everything ``rounds`` times; returns the times by number of rows."""
    postgres = stack.servers.postgres
    admin = await asyncpg.connect(postgres.url)
    await admin.execute("CREATE DATABASE import_benchmark")
    url = postgres.url.rsplit("/", 1)[0] + "/import_benchmark"
    await asyncio.to_thread(upgrade, MIGRATIONS, url)
    database = Database(url, name="benchmark")
    leads = await asyncpg.connect(postgres.database_url("leads"))
    # Uncompressed, as curl requests it: gzip would measure zlib.
    headers = {"Authorization": f"Bearer {stack.token(1)}", "Accept-Encoding": "identity"}
    times = {rows: Times() for rows in SIZES}
    async with httpx.AsyncClient(base_url=stack.gateway_url, headers=headers, timeout=60) as client:
        http = OverHttp(stack, client, leads)
        await http.prepare()
        works = {rows: InProcess(database, rows) for rows in SIZES}
        for number in range(rounds + 1):
            for rows, in_process in works.items():
                # The first round warms caches, connections and code; it is not counted.
                await _round(Times() if number == 0 else times[rows], in_process, http, rows)
    await database.close()
    await leads.close()
    await admin.close()
    return times


async def _round(times: Times, in_process: InProcess, http: OverHttp, rows: int) -> None:
    await times.measure("bare COPY", in_process.bare_copy)
    await times.measure("in process", in_process.whole)
    if rows <= MAX_SYNCHRONOUS_ROWS:
        await http.synchronous(in_process.content, rows, times)
    else:
        await times.measure("HTTP", lambda: http.asynchronous(in_process.content))
    await times.measure("usual way", in_process.usual_way)
    await asyncio.sleep(SETTLE_SECONDS)


def report(times: dict[int, Times]) -> Table:
    """The table of medians, and their ratios to the floor."""
    table = Table(title="Import, medians")
    for heading in ("rows", "measured", "ms", "x bare COPY", "target"):
        table.add_column(heading, justify="left" if heading == "measured" else "right")
    for rows, measured in times.items():
        floor = measured.median("bare COPY")
        for name in measured.samples:
            median = measured.median(name)
            limit = TARGETS.get((rows, name))
            table.add_row(f"{rows:,}", name, f"{median:.1f}", f"{median / floor:.1f}", f"<= {limit}" if limit else "")
    return table


def main() -> None:
    """Bring up a stack of its own, measure, print the table and keep it in ``benchmarks/results``."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    with own_stack() as stack:
        times = asyncio.run(run(stack, rounds))
    console = Console(record=True, width=100)
    console.print(report(times))
    console.print(f"{rounds} rounds, Python {platform.python_version()}, {os.cpu_count()} cores")
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "import.txt").write_text(console.export_text())


if __name__ == "__main__":
    main()
