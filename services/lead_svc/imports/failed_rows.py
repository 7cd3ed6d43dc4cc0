"""The rows of a file that were not imported, with what is wrong with each, to be mended and sent again.

They are kept as CSV, under the header of the file and a last column for the errors, which an import passes over.
"""

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Final

from services.lead_svc.spreadsheets.formula_escaping import escape, escape_text_cell

MOST_KEPT: Final = 100_000
"""Most rows of one file that are given back."""
MOST_CELLS: Final = 500_000
"""Most cells of them: a workbook is made on the disk and by the processor of the API."""
KEPT: Final = timedelta(days=7)
"""How long they are."""
LONGEST_CELL: Final = 32_767
"""What a cell of Excel can hold, as UTF-16 counts it: a workbook with a longer text could not be opened."""


def rows_of(content: bytes) -> Iterator[list[str]]:
    """The rows of what was kept, with their header."""
    return csv.reader(io.StringIO(content.decode(), newline=""))


def as_csv(rows: Iterable[list[str]]) -> bytes:
    """Rows of texts as a .csv file that spreadsheets read as UTF-8, and of which they take no text for a formula.

    They are marked as those of an export are: an import takes the marks away.
    """
    text = io.StringIO(newline="")
    text.write("\ufeff")
    csv.writer(text).writerows([escape(cell) for cell in row] for row in rows)
    return text.getvalue().encode()


def as_workbook(rows: Iterable[list[str]]) -> bytes:
    """Rows of texts as an .xlsx file: no cell of it is a formula, a number or a link."""
    import xlsxwriter  # large, and wanted seldom: the API does not hold it before

    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"constant_memory": True}) as book:
        bold, text = book.add_format({"bold": True}), book.add_format({"num_format": "@"})
        sheet = book.add_worksheet("Leads")
        sheet.freeze_panes(1, 0)
        for number, row in enumerate(rows):
            for column, cell in enumerate(row):
                if cell:
                    shown = _fitting(escape_text_cell(cell))
                    sheet.write_string(number, column, shown, text if number else bold)
    return content.getvalue()


def _fitting(text: str) -> str:
    if 2 * len(text) <= LONGEST_CELL:
        return text
    return text.encode("utf-16-le")[: 2 * LONGEST_CELL].decode("utf-16-le", "ignore")
