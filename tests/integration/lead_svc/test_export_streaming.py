"""Long exports: the resources that they use, for how long, and their release when clients disconnect."""

import asyncio
import contextlib
import socket
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import psutil
import pytest
from prometheus_client import REGISTRY

from services.lead_svc.app import MIGRATIONS
from services.lead_svc.exports.file_format import ExportFormat
from services.lead_svc.exports.repository import ExportFilter
from services.lead_svc.exports.service import ExportService
from shared.database.engine import Database
from shared.database.migrations import upgrade
from shared.http.errors import BadRequest, ServiceUnavailable
from shared.http.middleware import CLIENT_CLOSED_REQUEST
from shared.ids import CompanyId
from tests.fixtures.gateway import Gateway
from tests.fixtures.lead_service import LeadService
from tests.fixtures.servers import ServerUrls
from tests.fixtures.waiting import DEADLINE_SECONDS, eventually

COMPANY = CompanyId(7)
LEADS = 200_000
FEW = 8
"""The campaign with few leads."""
ALL = ExportFilter(COMPANY, (1,))
MEGABYTE = 1024 * 1024

_FILL = """
    INSERT INTO leads
        (company_id, campaign_id, phone, first_name, notes, status, priority, timezone, preferred_language)
    SELECT $1, $2, '+1415' || lpad(n::text, 7, '0'), 'Lead ' || n, repeat(md5(n::text), 10),
        'pending', 3, 'UTC', 'en-US'
    FROM generate_series(1, $3) AS n"""


@pytest.fixture(scope="module")
async def many(servers: ServerUrls) -> AsyncIterator[LeadService]:
    """The lead service on a database with many leads."""
    url = await servers.create_database("exports")
    await asyncio.to_thread(upgrade, MIGRATIONS, url)
    connection = await asyncpg.connect(url)
    await connection.execute(_FILL, COMPANY, 1, LEADS)
    await connection.execute(_FILL, COMPANY, FEW, 10)
    await connection.close()
    yield LeadService(url, servers.amqp, servers.redis)
    await servers.drop_database(url)


@asynccontextmanager
async def exporting(
    many: LeadService, *, statement_seconds: int = 30, wait_seconds: float = 10
) -> AsyncIterator[ExportService]:
    """The service without HTTP; it gives one export at a time its connection."""
    database = Database(many.database_url, name="exporting", statement_seconds=statement_seconds)
    yield ExportService(database, max_concurrent=1, wait_seconds=wait_seconds)
    await database.close()


class Received:
    """Takes a file; `on_first` is awaited before the first piece is."""

    def __init__(self, on_first: object = None) -> None:
        self.content = bytearray()
        self._on_first = on_first

    async def __call__(self, piece: bytes) -> None:
        first, self._on_first = self._on_first, None
        if first is not None:
            await first  # type: ignore[misc]
        self.content.extend(piece)

    @property
    def lines(self) -> int:
        """How many there are."""
        return self.content.count(b"\n")


async def copies(many: LeadService) -> Sequence[asyncpg.Record]:
    """The exports that the database is at work on for the API."""
    return await many.rows(
        "SELECT pid, wait_event FROM pg_stat_activity WHERE application_name = 'lead-api' "
        "AND state = 'active' AND query LIKE 'COPY%' AND datname = current_database()"
    )


async def backends(many: LeadService) -> set[int]:
    """The connections of the API."""
    rows = await many.rows(
        "SELECT pid FROM pg_stat_activity WHERE application_name = 'lead-api' AND datname = current_database()"
    )
    return {row["pid"] for row in rows}


def begin(api: Gateway, file_format: str) -> socket.socket:
    """Request an export, and read none of it."""
    url = urlsplit(str(api.http.base_url))
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(DEADLINE_SECONDS)
    connection.connect((url.hostname, url.port))
    connection.sendall(
        f"GET {path_of(1)}&format={file_format} HTTP/1.1\r\nHost: leads\r\n"
        f"Authorization: {api.headers(COMPANY)['Authorization']}\r\n\r\n".encode()
    )
    return connection


def path_of(campaign_id: int) -> str:
    return f"/api/company/voice-leads/company/{COMPANY}/export?campaign_ids={campaign_id}"


@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
async def test_the_copy_ends_when_its_client_goes_and_its_connection_is_used_again(
    many: LeadService, file_format: str
) -> None:
    async with many.api(database_pool_size=1) as api:

        async def whole_export() -> int:
            answer = await api.http.get(path_of(FEW), headers=api.headers(COMPANY))
            assert answer.status_code == 200, answer.text
            return answer.text.count("\n")

        assert await whole_export() == 11
        before, given_up = await backends(many), requests_given_up()
        with begin(api, file_format):
            await eventually(lambda: copies(many))
        await eventually(lambda: gone(many))

        # Otherwise it might have run to its end without a reader.
        assert requests_given_up() == given_up + 1
        assert await whole_export() == 11
        assert await backends(many) == before


def requests_given_up() -> float:
    """How many exports ended because their clients had disconnected."""
    route = "/api/company/voice-leads/company/{companyId}/export"
    counted = {"method": "GET", "route": route, "status": str(CLIENT_CLOSED_REQUEST)}
    return REGISTRY.get_sample_value("http_requests_total", counted) or 0


async def gone(many: LeadService) -> bool:
    return not await copies(many)


async def test_a_client_that_does_not_read_blocks_the_copy(many: LeadService) -> None:
    async with many.api(database_pool_size=2) as api:

        async def held_back() -> bool:
            return [row["wait_event"] for row in await copies(many)] == ["ClientWrite"]

        with begin(api, "csv"):
            await eventually(held_back)
            # A slow client takes one of the two connections; the other is there for everyone else.
            elsewhere = await api.http.get(
                f"/api/voice-leads/company/{COMPANY}?campaign_id={FEW}", headers=api.headers(COMPANY)
            )
            assert elsewhere.status_code == 200
        await eventually(lambda: gone(many))


async def test_an_export_beyond_the_limit_is_rejected(many: LeadService) -> None:
    async with exporting(many, wait_seconds=0.01) as service:
        refused: list[ServiceUnavailable] = []

        async def one_more() -> None:
            try:
                await service.write(ALL, ExportFormat.CSV, Received())
            except ServiceUnavailable as error:
                refused.append(error)

        received = Received(one_more())
        await service.write(ALL, ExportFormat.CSV, received)
        again = Received()
        await service.write(ExportFilter(COMPANY, (FEW,)), ExportFormat.CSV, again)

    assert [error.error for error in refused] == ["Too many exports are under way; try again"]
    assert (received.lines, again.lines) == (LEADS + 1, 11)


async def test_no_limit_for_statements_ends_an_export(many: LeadService) -> None:
    async with exporting(many, statement_seconds=1) as service:
        received = Received(many.rows("SELECT pg_sleep(1.5)"))
        await service.write(ALL, ExportFormat.CSV, received)

    assert received.lines == LEADS + 1


async def test_an_export_sees_one_state_however_long_it_takes(many: LeadService) -> None:
    changed = many.rows("UPDATE leads SET campaign_id = 99 WHERE campaign_id = 1 AND id % 2 = 0 RETURNING 1")
    async with exporting(many) as service:
        received = Received(changed)
        await service.write(ALL, ExportFormat.CSV, received)
    await many.execute("UPDATE leads SET campaign_id = 1 WHERE campaign_id = 99")

    assert received.lines == LEADS + 1


class Peak:
    """The most memory that the process uses beyond that at the start, in bytes."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._first = self._now()
        self.bytes = 0

    def _now(self) -> int:
        resident: int = self._process.memory_info().rss
        return resident

    async def watch(self) -> None:
        """Look again and again."""
        while True:
            self.bytes = max(self.bytes, self._now() - self._first)
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(("file_format", "smallest"), [("csv", 60 * MEGABYTE), ("xlsx", 5 * MEGABYTE)])
async def test_memory_does_not_grow_with_the_file(many: LeadService, file_format: str, smallest: int) -> None:
    async with many.api() as api:
        await api.http.get(f"{path_of(FEW)}&format={file_format}", headers=api.headers(COMPANY))
        peak = Peak()
        watching = asyncio.create_task(peak.watch())
        size = 0
        async with api.http.stream("GET", f"{path_of(1)}&format={file_format}", headers=api.headers(COMPANY)) as answer:
            async for piece in answer.aiter_bytes():
                size += len(piece)
        watching.cancel()

    assert size > smallest
    assert peak.bytes < 24 * MEGABYTE


def open_files(directory: Path) -> list[str]:
    """What this process has open below a directory, with a name or without."""
    links = []
    for link in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            links.append(str(link.readlink()))
    return [target for target in links if target.startswith(str(directory))]


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="reads the open files from /proc")
async def test_nothing_is_left_of_a_workbook(
    many: LeadService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    seen: list[tuple[int, bool]] = []

    async def look() -> None:
        opened = open_files(tmp_path)
        seen.append((len(opened), any(" (deleted)" not in target for target in opened)))
        raise ConnectionResetError

    async with exporting(many) as service:
        with pytest.raises(ConnectionResetError):
            await service.write(ExportFilter(COMPANY, (FEW,)), ExportFormat.XLSX, Received(look()))
        unfinished = asyncio.create_task(service.write(ALL, ExportFormat.XLSX, Received()))

        async def begun() -> list[str]:
            return open_files(tmp_path)

        await eventually(begun)
        unfinished.cancel()
        with pytest.raises(asyncio.CancelledError):
            await unfinished

    assert seen == [(1, False)]
    assert open_files(tmp_path) == []


async def test_a_text_too_long_for_a_cell_is_refused_before_anything_is_sent(lead_service: LeadService) -> None:
    await lead_service.rows(_FILL, COMPANY, 1, 2)
    await lead_service.execute(
        "UPDATE leads SET custom_fields = jsonb_build_object('a', repeat('x', 40000)) WHERE id = 2"
    )
    async with exporting(lead_service) as service:
        received = Received()
        with pytest.raises(BadRequest) as refused:
            await service.write(ALL, ExportFormat.XLSX, received)

    assert refused.value.error == (
        "format: custom_fields of row 3 has more than the 32,767 characters of a cell; export to csv"
    )
    assert received.content == b""
