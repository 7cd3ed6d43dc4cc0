"""Errors of single cells: unreadable and invalid values, missing phone numbers, texts that are too long."""

import polars as pl

from services.lead_svc.domain.fields import EXTRA_VALUE_LENGTH, FIELD_BY_NAME
from services.lead_svc.imports.validation.rows import Rows
from services.lead_svc.spreadsheets.error_collector import RowErrorCollector
from services.lead_svc.spreadsheets.header import Columns, column_letters
from services.lead_svc.spreadsheets.row_errors import PHONE_MISSING, RowError
from services.lead_svc.spreadsheets.sheet import CellError, Sheet
from services.lead_svc.spreadsheets.table import Table
from shared.text import shorten


def add_cell_errors(collector: RowErrorCollector, sheet: Sheet, rows: Rows, columns: Columns) -> None:
    """Add an error for each cell that its field does not accept, and for values below no header."""
    table = rows.table
    for error in sheet.errors:
        collector.add(error.column or 0, _to_row_error(error, columns))
    collector.add_unlisted(sheet.unlisted_error_count)
    if "phone" in columns.fields:
        _add_missing_phones(collector, sheet, table, columns.fields["phone"])
    for name, converted in rows.converted.items():
        if converted.invalid is not None:
            spec, column = FIELD_BY_NAME[name], columns.fields[name]
            texts = table.cells[str(column)]
            collector.add_cells(column, name, converted.invalid, texts, spec.error_code, spec.error_message)
    for name, column in columns.fields.items():
        if name not in rows.converted:
            spec = FIELD_BY_NAME[name]
            _add_long_texts(collector, table, column, name, spec.max_length or 0, spec.error_message(""))
    for header, column in columns.extras.items():
        message = f"{shorten(header)} must be at most {EXTRA_VALUE_LENGTH:,} characters"
        _add_long_texts(collector, table, column, header, EXTRA_VALUE_LENGTH, message)
    for column in columns.unnamed:
        if table.max_bytes[column] and table.cells[str(column)].null_count() < len(table.rows):
            message = f"Column {column_letters(column)} has values, but no header"
            collector.add(column, RowError(None, None, None, "missing_header", message))


def _to_row_error(error: CellError, columns: Columns) -> RowError:
    if error.field is not None:
        return RowError(error.row, error.field, error.value, error.code, error.message)
    names = {column: name for name, column in [*columns.extras.items(), *columns.fields.items()]}
    field = None if error.column is None else names.get(error.column, column_letters(error.column))
    return RowError(error.row, field, error.value, error.code, error.message)


def _add_missing_phones(collector: RowErrorCollector, sheet: Sheet, table: Table, column: int) -> None:
    phones = table.cells[str(column)]
    if not phones.has_nulls():
        return
    unreadable = {error.row for error in sheet.errors if error.column == column}
    missing = phones.is_null() & pl.Series([row not in unreadable for row in table.rows], dtype=pl.Boolean)
    collector.add_cells(column, "phone", missing, phones, "missing", lambda _: PHONE_MISSING)


def _add_long_texts(
    collector: RowErrorCollector, table: Table, column: int, field: str, limit: int, message: str
) -> None:
    if table.max_bytes[column] > limit:  # in bytes, which are at least as many as the characters
        texts = table.cells[str(column)]
        collector.add_cells(column, field, texts.str.len_chars() > limit, texts, "too_long", lambda _: message)
