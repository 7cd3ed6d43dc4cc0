"""The rows of a file that were not imported, with what is wrong with each, to be mended and sent again.

They are kept as CSV, under the header of the file and a last column for the errors, which an import passes over.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Final

import polars as pl
import xlsxwriter

from services.lead_svc.imports.columns import REPORT_HEADER, Columns
from services.lead_svc.imports.objections import Objections
from services.lead_svc.imports.table import Table

MOST_KEPT: Final = 100_000
"""Most rows of one file that are given back."""
MOST_CELLS: Final = 500_000
"""Most cells of them: a workbook is made on the disk and by the processor of the API."""
KEPT: Final = timedelta(days=7)
"""How long they are."""
LONGEST_CELL: Final = 32_767
"""What a cell of Excel can hold, as UTF-16 counts it: a workbook with a longer text could not be opened."""

# As exports mark them: an import takes one apostrophe away.
_FORMULA: Final = re.compile(r"'*[=+@\t\r-]")
_MARKED: Final = re.compile(r"'+[=+@\t\r-]")


def write_failed_rows(headers: Sequence[str], table: Table, columns: Columns, objections: Objections) -> bytes | None:
    """The rows to which there are objections, as CSV; None if there is none."""
    positions = objections.wrong_rows().arg_true().head(min(MOST_KEPT, MOST_CELLS // len(headers)))
    if not len(positions):
        return None
    kept = [at for at in range(len(headers)) if at != columns.report]
    header = io.StringIO(newline="")
    csv.writer(header).writerow([*(headers[at] for at in kept), REPORT_HEADER])
    rows = table.cells.select(pl.col(str(at)).gather(positions) for at in kept)
    errors = pl.Series(REPORT_HEADER, objections.texts(positions.to_list()), pl.String)
    body = rows.with_columns(errors).write_csv(include_header=False, line_terminator="\r\n")
    return (header.getvalue() + body).encode()


def rows_of(content: bytes) -> Iterator[list[str]]:
    """The rows of what was kept, with their header."""
    return csv.reader(io.StringIO(content.decode(), newline=""))


def as_csv(rows: Iterable[list[str]]) -> bytes:
    """Rows of texts as a .csv file that spreadsheets read as UTF-8, and of which they take no text for a formula."""
    text = io.StringIO(newline="")
    text.write("\ufeff")
    csv.writer(text).writerows([_defused(cell, _FORMULA) for cell in row] for row in rows)
    return text.getvalue().encode()


def _defused(cell: str, pattern: re.Pattern[str]) -> str:
    return f"'{cell}" if pattern.match(cell) else cell


def as_workbook(rows: Iterable[list[str]]) -> bytes:
    """Rows of texts as an .xlsx file: no cell of it is a formula, a number or a link."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"constant_memory": True}) as book:
        bold, text = book.add_format({"bold": True}), book.add_format({"num_format": "@"})
        sheet = book.add_worksheet("Leads")
        sheet.freeze_panes(1, 0)
        for number, row in enumerate(rows):
            for column, cell in enumerate(row):
                if cell:
                    shown = _fitting(_defused(cell, _MARKED))
                    sheet.write_string(number, column, shown, text if number else bold)
    return content.getvalue()


def _fitting(text: str) -> str:
    if 2 * len(text) <= LONGEST_CELL:
        return text
    return text.encode("utf-16-le")[: 2 * LONGEST_CELL].decode("utf-16-le", "ignore")
