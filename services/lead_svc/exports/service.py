"""Exports: a CSV file straight from PostgreSQL to the client, a workbook by way of a file on disk."""

import asyncio
import codecs
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from enum import StrEnum
from tempfile import TemporaryFile
from typing import BinaryIO, Final, ParamSpec, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from services.lead_svc.exports import repository
from services.lead_svc.exports.columns import COLUMNS, is_number
from services.lead_svc.exports.errors import cell_too_long, too_many_exports
from services.lead_svc.exports.lines import Lines
from services.lead_svc.exports.repository import Output, Wanted
from services.lead_svc.spreadsheets.xlsx_rows import CellTooLongError, RowEncoder
from services.lead_svc.spreadsheets.xlsx_writer import XlsxWriter
from shared.database.engine import Database

WAIT_SECONDS: Final = 10.0
"""How long an export waits for others to end before it is refused."""
PIECE_BYTES: Final = 128 * 1024

P = ParamSpec("P")
T = TypeVar("T")


class ExportFormat(StrEnum):
    """What kind of file the leads are exported to."""

    CSV = "csv"
    XLSX = "xlsx"


def today() -> date:
    """The day that it is, in UTC."""
    return datetime.now(UTC).date()


class ExportService:
    """Exports leads.

    An export holds a connection for as long as its client takes to read. So that slow clients cannot keep everyone
    else from the database, only some connections of the pool are ever given to exports.

    Parameters
    ----------
    most_at_once
        Exports that may read from the database at the same time.
    today
        The day that files are named after.
    """

    def __init__(
        self,
        database: Database,
        *,
        most_at_once: int,
        wait_seconds: float = WAIT_SECONDS,
        today: Callable[[], date] = today,
    ) -> None:
        self._database = database
        self._free = asyncio.Semaphore(most_at_once)
        self._wait_seconds = wait_seconds
        self._today = today

    def filename(self, company_id: int, file_format: ExportFormat) -> str:
        """What a client should call the file."""
        return f"leads-{company_id}-{self._today().isoformat()}.{file_format}"

    async def write(self, wanted: Wanted, file_format: ExportFormat, output: Output) -> None:
        """Make the file of these leads, and write it piece by piece.

        Raises
        ------
        BadRequest
            If a text is too long for a cell of a workbook; before anything is written.
        Unavailable
            If too many exports are under way; before anything is written.
        """
        if file_format is ExportFormat.CSV:
            await self._write_csv(wanted, output)
        else:
            await self._write_workbook(wanted, output)

    async def _write_csv(self, wanted: Wanted, output: Output) -> None:
        # With the mark, Excel takes the file for what it is; without, for whatever its country's code page makes of it.
        collected = bytearray(codecs.BOM_UTF8)

        async def collect(piece: bytes) -> None:
            collected.extend(piece)
            if len(collected) >= PIECE_BYTES:
                await output(bytes(collected))
                collected.clear()

        async with self._connection() as connection:
            await repository.copy_csv(connection, wanted, collect)
        await output(bytes(collected))

    async def _write_workbook(self, wanted: Wanted, output: Output) -> None:
        # Without a name from the start: nothing can be left behind, whatever becomes of this process.
        with TemporaryFile() as file:
            await self._make_workbook(wanted, file)
            await _in_thread(file.seek, 0)
            while piece := await _in_thread(file.read, PIECE_BYTES):
                await output(piece)

    async def _make_workbook(self, wanted: Wanted, file: BinaryIO) -> None:
        rows = RowEncoder([is_number(column) for column in COLUMNS], repository.CELL_END.encode())
        lines = Lines(PIECE_BYTES)
        workbook = XlsxWriter(file, "Leads", tuple(column.name for column in COLUMNS), rows)

        async def add(piece: bytes) -> None:
            if whole := lines.add(piece):
                await _in_thread(workbook.add, whole)

        try:
            async with self._connection() as connection:
                await repository.copy_cells(connection, wanted, add)
            if rest := lines.rest():
                await _in_thread(workbook.add, rest)
        except CellTooLongError as error:
            raise cell_too_long(error.row, COLUMNS[error.column - 1].name) from error
        finally:
            await _in_thread(workbook.close)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[AsyncConnection]:
        try:
            async with asyncio.timeout(self._wait_seconds):
                await self._free.acquire()
        except TimeoutError as error:
            raise too_many_exports() from error
        try:
            async with self._database.snapshot() as connection:
                yield connection
        finally:
            self._free.release()


async def _in_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Do it off the event loop. When cancelled, wait for its end: what it works on is about to be closed."""
    task = asyncio.ensure_future(asyncio.to_thread(work, *args, **kwargs))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise
