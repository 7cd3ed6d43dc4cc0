"""Spreadsheet files that the API returns: a template and the failed rows of an import, as .csv and .xlsx."""

import asyncio
import csv
import io
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Any, Final

from starlette.responses import Response

from services.lead_svc.spreadsheets.formula_escaping import escape, escape_text_cell

CSV: Final = "text/csv"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MAX_CELL_LENGTH: Final = 32_767
"""Maximum length of a cell in Excel, in UTF-16 code units; Excel does not open a workbook with a longer text."""

DOCUMENTED_CONTENT: Final[dict[str, Any]] = {
    CSV: {"schema": {"type": "string", "description": "UTF-8 with a byte order mark."}},
    XLSX: {"schema": {"type": "string", "format": "binary"}},
}
"""The content of a response with a file, in the API document."""
DOCUMENTED_HEADERS: Final[dict[str, Any]] = {
    "Content-Disposition": {"description": "Name of the file.", "schema": {"type": "string"}}
}
"""The headers of a response with a file, in the API document."""

_ONE_FILE_AT_A_TIME: Final = asyncio.Lock()
"""A large file takes seconds of the processor and megabytes of the disk."""


class FileFormat(StrEnum):
    """Formats of spreadsheet files."""

    CSV = "csv"
    XLSX = "xlsx"


async def file_response(rows: Iterable[list[str]], file_format: FileFormat, name: str) -> Response:
    """Return a response with rows of texts as a file.

    Parameters
    ----------
    name
        Name of the file, without its extension.
    """
    write, media_type = (to_csv, CSV) if file_format is FileFormat.CSV else (to_workbook, XLSX)
    async with _ONE_FILE_AT_A_TIME:
        content = await asyncio.to_thread(write, rows)
    headers = {"Content-Disposition": f'attachment; filename="{name}.{file_format}"', "Cache-Control": "no-store"}
    return Response(content, media_type=media_type, headers=headers)


def parse_stored_rows(content: bytes) -> Iterator[list[str]]:
    """Yield the rows of stored failed rows, with their header."""
    return csv.reader(io.StringIO(content.decode(), newline=""))


def to_csv(rows: Iterable[list[str]]) -> bytes:
    """Return rows of texts as a .csv file that spreadsheets read as UTF-8 and in which no text is a formula.

    Texts are escaped as in an export; an import removes the escaping.
    """
    text = io.StringIO(newline="")
    text.write("\ufeff")
    csv.writer(text).writerows([escape(cell) for cell in row] for row in rows)
    return text.getvalue().encode()


def to_workbook(rows: Iterable[list[str]]) -> bytes:
    """Return rows of texts as an .xlsx file: every cell is a text, none a formula, number or link."""
    import xlsxwriter  # large and rarely needed: the API does not load it before

    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"constant_memory": True}) as book:
        bold, text = book.add_format({"bold": True}), book.add_format({"num_format": "@"})
        sheet = book.add_worksheet("Leads")
        sheet.freeze_panes(1, 0)
        for number, row in enumerate(rows):
            for column, cell in enumerate(row):
                if cell:
                    sheet.write_string(number, column, _truncate(escape_text_cell(cell)), text if number else bold)
    return content.getvalue()


def _truncate(text: str) -> str:
    if 2 * len(text) <= MAX_CELL_LENGTH:
        return text
    return text.encode("utf-16-le")[: 2 * MAX_CELL_LENGTH].decode("utf-16-le", "ignore")
