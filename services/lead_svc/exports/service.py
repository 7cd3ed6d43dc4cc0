"""Exports: a CSV file is streamed from PostgreSQL to the client, a workbook is first written to a file on disk."""

import asyncio
import codecs
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from tempfile import TemporaryFile
from typing import BinaryIO, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from services.lead_svc.exports import repository
from services.lead_svc.exports.errors import too_many_exports
from services.lead_svc.exports.file_format import ExportFormat
from services.lead_svc.exports.repository import ExportFilter, Output
from services.lead_svc.exports.workbook import PIECE_BYTES, LeadWorkbook, run_in_thread
from shared.database.engine import Database

WAIT_SECONDS: Final = 10.0
"""How long an export waits for a running one to end before it is rejected."""


def today() -> date:
    """Return the current day in UTC."""
    return datetime.now(UTC).date()


class ExportService:
    """Exports leads.

    An export uses a connection for as long as its client takes to read. So that slow clients cannot block every other
    request, exports use only some of the pool's connections.

    Parameters
    ----------
    max_concurrent
        Exports that may read from the database at the same time.
    wait_seconds
        How long an export waits for a running one to end before it is rejected. Defaults to 10 seconds.
    today
        Returns the day in the names of files.
    """

    def __init__(
        self,
        database: Database,
        *,
        max_concurrent: int,
        wait_seconds: float = WAIT_SECONDS,
        today: Callable[[], date] = today,
    ) -> None:
        self._database = database
        self._connections = asyncio.Semaphore(max_concurrent)
        self._wait_seconds = wait_seconds
        self._today = today

    def filename(self, company_id: int, file_format: ExportFormat) -> str:
        """Return the name of the file: company, day and format."""
        return f"leads-{company_id}-{self._today().isoformat()}.{file_format}"

    async def write(self, filters: ExportFilter, file_format: ExportFormat, output: Output) -> None:
        """Write the file of the leads to `output`, piece by piece.

        Raises
        ------
        BadRequest
            If a text is too long for a cell of a workbook; before anything is written.
        ServiceUnavailable
            If too many exports are running; before anything is written.
        """
        if file_format is ExportFormat.CSV:
            await self._write_csv(filters, output)
        else:
            await self._write_workbook(filters, output)

    async def _write_csv(self, filters: ExportFilter, output: Output) -> None:
        # With a byte order mark, Excel reads the file as UTF-8; without it, in the code page of its country.
        collected = bytearray(codecs.BOM_UTF8)

        async def collect(piece: bytes) -> None:
            collected.extend(piece)
            if len(collected) >= PIECE_BYTES:
                await output(bytes(collected))
                collected.clear()

        async with self._connection() as connection:
            await repository.copy_csv(connection, filters, collect)
        await output(bytes(collected))

    async def _write_workbook(self, filters: ExportFilter, output: Output) -> None:
        # The file never has a name: nothing is left behind, even if the process is killed.
        with TemporaryFile() as file:
            await self._make_workbook(filters, file)
            await run_in_thread(file.seek, 0)
            while piece := await run_in_thread(file.read, PIECE_BYTES):
                await output(piece)

    async def _make_workbook(self, filters: ExportFilter, file: BinaryIO) -> None:
        workbook = LeadWorkbook(file, repository.CELL_SEPARATOR)
        try:
            async with self._connection() as connection:
                await repository.copy_cells(connection, filters, workbook.add)
            await workbook.finish()
        finally:
            await workbook.close()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[AsyncConnection]:
        try:
            async with asyncio.timeout(self._wait_seconds):
                await self._connections.acquire()
        except TimeoutError as error:
            raise too_many_exports() from error
        try:
            async with self._database.snapshot() as connection:
                yield connection
        finally:
            self._connections.release()
