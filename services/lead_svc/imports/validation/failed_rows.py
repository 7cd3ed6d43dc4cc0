"""Writes the rows of a file that were not imported, as they are kept."""

import csv
import io
from collections.abc import Sequence

import polars as pl

from services.lead_svc.imports.failed_rows import MOST_CELLS, MOST_KEPT
from services.lead_svc.spreadsheets.error_collector import RowErrorCollector
from services.lead_svc.spreadsheets.header import ERRORS_HEADER, Columns
from services.lead_svc.spreadsheets.table import Table


def write_failed_rows(
    headers: Sequence[str], table: Table, columns: Columns, collector: RowErrorCollector
) -> bytes | None:
    """The rows that have errors, as CSV; None if there is none."""
    positions = collector.rows_with_errors().arg_true().head(min(MOST_KEPT, MOST_CELLS // len(headers)))
    if not len(positions):
        return None
    kept = [at for at in range(len(headers)) if at != columns.errors_column]
    header = io.StringIO(newline="")
    csv.writer(header).writerow([*(headers[at] for at in kept), ERRORS_HEADER])
    rows = table.cells.select(pl.col(str(at)).gather(positions) for at in kept)
    errors = pl.Series(ERRORS_HEADER, collector.messages(positions.to_list()), pl.String)
    body = rows.with_columns(errors).write_csv(include_header=False, line_terminator="\r\n")
    return (header.getvalue() + body).encode()
