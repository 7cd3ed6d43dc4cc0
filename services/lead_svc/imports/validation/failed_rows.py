"""The failed rows of a file: the rows with errors, as CSV with a last column for the error messages."""

import csv
import io
from collections.abc import Sequence
from typing import Final

import polars as pl

from services.lead_svc.spreadsheets.error_collector import RowErrorCollector
from services.lead_svc.spreadsheets.header import ERRORS_HEADER, Columns
from services.lead_svc.spreadsheets.table import Table

MAX_FAILED_ROWS: Final = 100_000
"""Maximum number of failed rows that are stored of one file."""
MAX_FAILED_CELLS: Final = 500_000
"""Maximum number of their cells: the API makes a workbook of them on its disk and with its processor."""


def write_failed_rows(
    headers: Sequence[str], table: Table, columns: Columns, collector: RowErrorCollector
) -> bytes | None:
    """Return the rows with errors as CSV, below the header of the file; None if no row has errors."""
    positions = collector.rows_with_errors().arg_true().head(min(MAX_FAILED_ROWS, MAX_FAILED_CELLS // len(headers)))
    if not len(positions):
        return None
    column_positions = [position for position in range(len(headers)) if position != columns.errors_column]
    header = io.StringIO(newline="")
    csv.writer(header).writerow([*(headers[position] for position in column_positions), ERRORS_HEADER])
    rows = table.cells.select(pl.col(str(position)).gather(positions) for position in column_positions)
    errors = pl.Series(ERRORS_HEADER, collector.messages(positions.to_list()), pl.String)
    body = rows.with_columns(errors).write_csv(include_header=False, line_terminator="\r\n")
    return (header.getvalue() + body).encode()
