r"""The export against its floors, in one run: ``make bench WHAT=export``.

==============  ====================================================================================================
``\copy``       psql's, of the same leads and columns as they are: no formula is escaped
CSV             through ``lead-api``, formulas escaped
CSV, gateway    the same, through the gateway
xlsxwriter      a bare loop over the same rows, as texts and numbers, with ``constant_memory``
XLSX            through ``lead-api``
==============  ====================================================================================================

Each round does all of it once; figures are medians of the rounds, in milliseconds. Memory is what the process of
``lead-api`` uses (resident): when it has started, when it has answered one request, and the most of it while it
exports a hundred thousand leads and then a million, each format in a process of its own.
"""

import asyncio
import csv
import http.client
import os
import platform
import statistics
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import asyncpg
import psutil
import xlsxwriter
from rich.console import Console
from rich.table import Table

from benchmarks.lead_rows import load_leads
from benchmarks.own_stack import own_stack
from deploy.local.processes import PRODUCT, Product
from deploy.local.stack import Stack
from services.lead_svc.exports.file_format import COLUMNS, is_number
from services.lead_svc.tables import leads

ROUNDS: Final = 7
LEADS: Final = 100_000
MILLION: Final = 1_000_000
ORDINARY, LARGE = 1, 2
"""Companies with so many leads."""
PIECE_BYTES: Final = 1024 * 1024
MEGABYTE: Final = 1024 * 1024
RESULTS = Path(__file__).parent / "results"
FLOORS: Final = {"CSV": "\\copy", "CSV, gateway": "\\copy", "XLSX": "xlsxwriter"}
TARGETS: Final = {"CSV": 1.6, "XLSX": 1.2}
"""Most times the floor."""
MEMORY_TARGET: Final = 100
"""Megabytes, while a million leads are exported."""

_API: Final = "lead-api"
_PRODUCT: Final = Product(
    migrations=PRODUCT.migrations,
    processes=tuple(spec for spec in PRODUCT.processes if spec.name == _API),
    gateway_upstreams=dict.fromkeys(PRODUCT.gateway_upstreams, _API),
)
"""The lead API and the gateway alone: any other process would take its part of the machine's cores."""
_AS_THEY_ARE: Final = ", ".join(
    {"tags": "custom_fields -> 'tags' AS tags", "custom_fields": "custom_fields - 'tags' AS custom_fields"}.get(
        column.name, column.name
    )
    for column in COLUMNS
)


@dataclass
class Times:
    """Milliseconds of every round, by what was measured."""

    samples: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def measure(self, name: str, work: Callable[[], object]) -> None:
        """Do it once and note how long it took."""
        started = time.perf_counter()
        work()
        self.samples[name].append((time.perf_counter() - started) * 1000)

    def median(self, name: str) -> float:
        """The median of one measurement."""
        return statistics.median(self.samples[name])


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident bytes of a process."""

    started: int
    after_first: int
    ordinary: int
    """The most of it while it exported `LEADS`."""
    large: int
    """And then a `MILLION`."""


class Exports:
    """Every way in which the leads become a file."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._psql = stack.servers.programs.postgres / "psql"
        self._file = stack.state.path / "leads.csv"
        self._url = stack.servers.postgres.database_url("leads")

    def copy(self) -> None:
        """The floor of CSV."""
        query = f"SELECT {_AS_THEY_ARE} FROM leads WHERE company_id = {ORDINARY} ORDER BY id"
        command = f"\\copy ({query}) TO '{self._file}' WITH (FORMAT csv, HEADER)"
        subprocess.run([self._psql, "--quiet", "--no-psqlrc", "--command", command, self._url], check=True)

    def write_workbook(self, rows: Sequence[Sequence[str]]) -> None:
        """The floor of XLSX: the rows of the CSV file, header first."""
        with xlsxwriter.Workbook(self._file.with_suffix(".xlsx"), {"constant_memory": True}) as book:
            sheet = book.add_worksheet("Leads")
            for number, row in enumerate(rows):
                for at, (column, cell) in enumerate(zip(COLUMNS, row, strict=True)):
                    if number and cell and is_number(column):
                        sheet.write_number(number, at, float(cell))
                    elif cell:
                        sheet.write_string(number, at, cell)

    def rows(self) -> list[list[str]]:
        """What `copy` has written."""
        with self._file.open(encoding="utf-8", newline="") as file:
            return list(csv.reader(file))

    def download(self, company_id: int, file_format: str, *, gateway: bool = False) -> int:
        """Export over HTTP and let go of what comes; returns how many bytes did."""
        port = self._stack.gateway_port if gateway else self._stack.state.port(_API)
        return self._get(port, company_id, f"/api/company/voice-leads/company/{company_id}/export?format={file_format}")

    def _get(self, port: int, company_id: int, path: str) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
        connection.request("GET", path, headers={"Authorization": f"Bearer {self._stack.token(company_id)}"})
        answer = connection.getresponse()
        if answer.status != http.client.OK:
            raise RuntimeError(f"{path} was answered {answer.status}: {answer.read(300)!r}")
        size = 0
        while piece := answer.read(PIECE_BYTES):
            size += len(piece)
        connection.close()
        return size

    def memory(self, file_format: str) -> Memory:
        """The memory of the API, which is restarted for it."""
        self._stack.stop_process(_API)
        self._stack.start_process(_API)
        process = psutil.Process(self._stack.process(_API).pid)
        started = process.memory_info().rss
        self._get(self._stack.state.port(_API), ORDINARY, f"/api/voice-leads/company/{ORDINARY}?limit=1")
        after_first = process.memory_info().rss
        with _watching(process) as ordinary:
            self.download(ORDINARY, file_format)
        with _watching(process) as large:
            self.download(LARGE, file_format)
        return Memory(started, after_first, max(ordinary), max(large))


@contextmanager
def _watching(process: psutil.Process) -> Iterator[list[int]]:
    """The memory of the process, sampled until the end of the block; the list grows."""
    seen = [process.memory_info().rss]
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(0.02):
            seen.append(process.memory_info().rss)

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield seen
    finally:
        ended.set()
        watcher.join()


async def fill(url: str) -> None:
    """Load the leads of both companies."""
    await load_leads(url, company_id=ORDINARY, rows=LEADS)
    copied = ", ".join(column.name for column in leads.columns if column.name not in {"id", "company_id"})
    driver = await asyncpg.connect(url)
    await driver.execute(
        f"INSERT INTO leads (company_id, {copied}) SELECT {LARGE}, {copied} FROM leads, generate_series(1, $1)",
        MILLION // LEADS,
    )
    await driver.execute("VACUUM ANALYZE leads")
    await driver.close()


def run(exports: Exports, rounds: int) -> Times:
    """Measure everything ``rounds`` times."""
    times = Times()
    exports.copy()
    rows = exports.rows()
    for number in range(rounds + 1):
        # The first round warms caches, connections and code; it is not counted.
        measured = Times() if number == 0 else times
        measured.measure("\\copy", exports.copy)
        measured.measure("CSV", lambda: exports.download(ORDINARY, "csv"))
        measured.measure("CSV, gateway", lambda: exports.download(ORDINARY, "csv", gateway=True))
        measured.measure("XLSX", lambda: exports.download(ORDINARY, "xlsx"))
        if number % 3 == 1:  # a third as often, which is long enough
            measured.measure("xlsxwriter", lambda: exports.write_workbook(rows))
    return times


def report(times: Times, memory: dict[str, Memory]) -> list[Table]:
    """The tables of medians and of memory."""
    table = Table(title=f"Export of {LEADS:,} leads, medians")
    for heading in ("measured", "ms", "x its floor", "target"):
        table.add_column(heading, justify="left" if heading == "measured" else "right")
    for name in ("\\copy", "CSV", "CSV, gateway", "xlsxwriter", "XLSX"):
        median = times.median(name)
        ratio = f"{median / times.median(FLOORS[name]):.2f}" if name in FLOORS else ""
        table.add_row(name, f"{median:.0f}", ratio, f"<= {TARGETS[name]}" if name in TARGETS else "")
    memory_table = Table(title="Memory of lead-api, MB")
    for heading in ("format", "started", "one request", f"{LEADS:,} leads", f"{MILLION:,} leads", "target"):
        memory_table.add_column(heading, justify="left" if heading == "format" else "right")
    for name, used in memory.items():
        sizes = (used.started, used.after_first, used.ordinary, used.large)
        memory_table.add_row(name, *(f"{size / MEGABYTE:.0f}" for size in sizes), f"< {MEMORY_TARGET}")
    return [table, memory_table]


def main() -> None:
    """Bring up a stack of its own, measure, print the tables and keep them in ``benchmarks/results``."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    with own_stack(_PRODUCT) as stack:
        asyncio.run(fill(stack.servers.postgres.database_url("leads")))
        exports = Exports(stack)
        times = run(exports, rounds)
        memory = {file_format: exports.memory(file_format) for file_format in ("csv", "xlsx")}
    console = Console(record=True, width=100)
    for table in report(times, memory):
        console.print(table)
    console.print(f"{rounds} rounds, Python {platform.python_version()}, {os.cpu_count()} cores")
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "export.txt").write_text(console.export_text())


if __name__ == "__main__":
    main()
