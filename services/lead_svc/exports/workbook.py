"""Excel workbooks of an export, written to a file on disk while PostgreSQL sends the rows."""

import asyncio
from collections.abc import Callable
from typing import BinaryIO, Final, ParamSpec, TypeVar

from services.lead_svc.exports.errors import cell_too_long
from services.lead_svc.exports.file_format import COLUMNS, is_number
from services.lead_svc.spreadsheets.xlsx_rows import CellTooLongError, RowEncoder
from services.lead_svc.spreadsheets.xlsx_writer import XlsxWriter

PIECE_BYTES: Final = 128 * 1024

P = ParamSpec("P")
T = TypeVar("T")


class LineBuffer:
    """Collects pieces of text until there are enough whole lines to be worth the work.

    Parameters
    ----------
    min_bytes
        How much is collected before lines are returned.
    """

    def __init__(self, min_bytes: int) -> None:
        self._min_bytes = min_bytes
        self._pieces: list[bytes] = []
        self._size = 0

    def add(self, piece: bytes) -> list[bytes]:
        """Add a piece; returns the whole lines without their ends once there are enough, else an empty list."""
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size < self._min_bytes:
            return []
        *lines, incomplete = b"".join(self._pieces).split(b"\n")
        self._pieces, self._size = [incomplete], len(incomplete)
        return lines

    def remaining_lines(self) -> list[bytes]:
        """The whole lines that were collected and not returned yet."""
        return b"".join(self._pieces).split(b"\n")[:-1]


class LeadWorkbook:
    """A workbook of leads, written to a file piece by piece.

    Parameters
    ----------
    cell_separator
        The character between the cells of a row.
    """

    def __init__(self, file: BinaryIO, cell_separator: str) -> None:
        rows = RowEncoder([is_number(column) for column in COLUMNS], cell_separator.encode())
        self._writer = XlsxWriter(file, "Leads", tuple(column.name for column in COLUMNS), rows)
        self._buffer = LineBuffer(PIECE_BYTES)

    async def add(self, piece: bytes) -> None:
        """Add the next piece of the rows.

        Raises
        ------
        BadRequest
            If a text is too long for a cell of a workbook.
        """
        if lines := self._buffer.add(piece):
            await self._write(lines)

    async def finish(self) -> None:
        """Write the rows that were added and not written yet; raises ``BadRequest`` as `add`."""
        if lines := self._buffer.remaining_lines():
            await self._write(lines)

    async def close(self) -> None:
        """Complete the file's structure, also of a workbook that was not finished."""
        await run_in_thread(self._writer.close)

    async def _write(self, lines: list[bytes]) -> None:
        try:
            await run_in_thread(self._writer.add, lines)
        except CellTooLongError as error:
            raise cell_too_long(error.row, COLUMNS[error.column - 1].name) from error


async def run_in_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run blocking work in a thread. When cancelled, wait for its end: the file that it uses is about to be closed."""
    task = asyncio.ensure_future(asyncio.to_thread(work, *args, **kwargs))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise
