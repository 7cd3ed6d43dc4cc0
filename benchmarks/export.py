r"""The export against its floors, in one run: ``make bench-export``.

==============  ====================================================================================================
``\copy``       psql's, of the same leads and columns as they are: no formula is defused
CSV             through ``lead-api``, formulas defused
CSV, gateway    the same, through the gateway
xlsxwriter      a bare loop over the same rows, as texts and numbers, with ``constant_memory``
XLSX            through ``lead-api``
==============  ====================================================================================================

Each round does all of it once; figures are medians of the rounds, in milliseconds. Memory is that of the process of
``lead-api``: what it holds before its first export, and the most it holds while it exports a million leads.
"""

import asyncio
import csv
import http.client
import os
import platform
import statistics
import subprocess
import sys
import tempfile
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

from benchmarks.lead_rows import lead_file
from deploy.local.binaries import find_or_install
from deploy.local.processes import PRODUCT, Product
from deploy.local.servers import Servers
from deploy.local.stack import Stack
from services.lead_svc.exports.columns import COLUMNS, is_number
from services.lead_svc.imports import loading
from services.lead_svc.imports.formats import FileKind
from services.lead_svc.imports.reading import read
from services.lead_svc.imports.repository import QueuedImport
from services.lead_svc.imports.validation import validate
from services.lead_svc.tables import leads
from shared.database.engine import Database

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

_API: Final = "lead-api"
_PRODUCT: Final = Product(
    migrations=PRODUCT.migrations,
    processes=tuple(spec for spec in PRODUCT.processes if spec.name in {_API, "campaign-api"}),
    gateway_upstreams=dict.fromkeys(PRODUCT.gateway_upstreams, _API),
)
"""The lead API, whom it may ask, and the gateway: any other process would take its part of the machine's cores."""
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
    """Bytes that a process held."""

    before: int
    most: int


class Exports:
    """Every way in which the leads become a file.

    Parameters
    ----------
    psql
        The program.
    """

    def __init__(self, stack: Stack, psql: Path, directory: Path) -> None:
        self._stack = stack
        self._psql = psql
        self._file = directory / "leads.csv"
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

    def ask(self, company_id: int, file_format: str, *, gateway: bool = False) -> int:
        """Export over HTTP and let go of what comes; returns how many bytes did."""
        port = self._stack.gateway_port if gateway else self._stack.state.port(_API)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
        path = f"/api/company/voice-leads/company/{company_id}/export?format={file_format}"
        connection.request("GET", path, headers={"Authorization": f"Bearer {self._stack.token(company_id)}"})
        answer = connection.getresponse()
        if answer.status != http.client.OK:
            raise RuntimeError(f"the export was answered {answer.status}: {answer.read(300)!r}")
        size = 0
        while piece := answer.read(PIECE_BYTES):
            size += len(piece)
        connection.close()
        return size

    def memory(self, file_format: str) -> Memory:
        """What the API holds while it exports a million leads, started anew for it."""
        self._stack.stop_process(_API)
        self._stack.start_process(_API)
        process = psutil.Process(self._stack.process(_API).pid)
        before = process.memory_info().rss
        with _watching(process) as seen:
            self.ask(LARGE, file_format)
        return Memory(before, max(seen))


@contextmanager
def _watching(process: psutil.Process) -> Iterator[list[int]]:
    """What the process holds, looked at again and again; the list grows until the end."""
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
    database = Database(url, name="benchmark", statement_seconds=0)
    content = lead_file(LEADS)
    frame = validate(read(content, FileKind.CSV), {}, row_limit=None).frame
    job = QueuedImport(1, ORDINARY, 1, "leads.csv", FileKind.CSV, {}, None, content)
    async with database.transaction() as connection:
        await loading.load(connection, job, frame, _no_report)
    await database.close()
    copied = ", ".join(column.name for column in leads.columns if column.name not in {"id", "company_id"})
    driver = await asyncpg.connect(url)
    await driver.execute(
        f"INSERT INTO leads (company_id, {copied}) SELECT {LARGE}, {copied} FROM leads, generate_series(1, $1)",
        MILLION // LEADS,
    )
    await driver.execute("VACUUM ANALYZE leads")
    await driver.close()


async def _no_report(_done: int) -> None:
    return


def run(exports: Exports, rounds: int) -> Times:
    """Measure everything ``rounds`` times."""
    times = Times()
    exports.copy()
    rows = exports.rows()
    for number in range(rounds + 1):
        # The first round warms caches, connections and code; it is not counted.
        measured = Times() if number == 0 else times
        measured.measure("\\copy", exports.copy)
        measured.measure("CSV", lambda: exports.ask(ORDINARY, "csv"))
        measured.measure("CSV, gateway", lambda: exports.ask(ORDINARY, "csv", gateway=True))
        measured.measure("XLSX", lambda: exports.ask(ORDINARY, "xlsx"))
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
    held = Table(title=f"Memory of lead-api, {MILLION:,} leads, MB")
    for heading in ("format", "before", "most", "more"):
        held.add_column(heading, justify="left" if heading == "format" else "right")
    for name, used in memory.items():
        held.add_row(name, *(f"{size / MEGABYTE:.0f}" for size in (used.before, used.most, used.most - used.before)))
    return [table, held]


def main() -> None:
    """Bring up a stack of its own, measure, print the tables and keep them in ``benchmarks/results``."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    programs = find_or_install(print)
    with tempfile.TemporaryDirectory(prefix="voice-bench-") as directory:
        state = Path(directory) / "state"
        with Servers(state, programs=programs) as servers:
            stack = Stack(state, servers=servers, product=_PRODUCT)
            stack.start()
            try:
                asyncio.run(fill(servers.postgres.database_url("leads")))
                exports = Exports(stack, programs.postgres / "psql", Path(directory))
                times = run(exports, rounds)
                memory = {file_format: exports.memory(file_format) for file_format in ("csv", "xlsx")}
            finally:
                stack.stop()
    console = Console(record=True, width=100)
    for table in report(times, memory):
        console.print(table)
    console.print(f"{rounds} rounds, Python {platform.python_version()}, {os.cpu_count()} cores")
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "export.txt").write_text(console.export_text())


if __name__ == "__main__":
    main()
