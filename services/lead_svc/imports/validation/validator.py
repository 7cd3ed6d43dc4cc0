"""A sheet into leads ready to be loaded, or every objection to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import polars as pl

from services.lead_svc.domain.fields import EXTRA_VALUE_LENGTH, FIELD_BY_NAME, LeadStatus
from services.lead_svc.imports.options import ImportOptions, OnDuplicate, OnError
from services.lead_svc.imports.validation.defaults import NO_DEFAULTS, Defaults, check_defaults
from services.lead_svc.imports.validation.duplicates import (
    add_duplicate_errors,
    add_status_errors,
    combined,
    filtered,
    of_new_numbers,
)
from services.lead_svc.imports.validation.failed_rows import write_failed_rows
from services.lead_svc.imports.validation.lead_frame import lead_frame
from services.lead_svc.imports.validation.stored_lead import StoredLead
from services.lead_svc.spreadsheets.error_collector import RowErrorCollector
from services.lead_svc.spreadsheets.header import Columns, column_letters, match_columns
from services.lead_svc.spreadsheets.row_errors import NO_ERRORS, ErrorSummary, FileRejectedError, RowError, shorten
from services.lead_svc.spreadsheets.sheet import CellError, Sheet
from services.lead_svc.spreadsheets.table import Table, trim_sheet
from services.lead_svc.values.columns import ConvertedColumn, convert_columns

_AS_THE_CONTRACT_SAYS = ImportOptions()
_NO_LEADS = RowError(None, None, None, "no_leads", "No valid leads found in the file")


@dataclass(frozen=True, slots=True)
class Examined:
    """A sheet whose every cell has been looked at."""

    sheet: Sheet
    table: Table
    columns: Columns
    converted: Mapping[str, ConvertedColumn]
    defaults: Defaults
    collector: RowErrorCollector

    @property
    def phones(self) -> pl.Series:
        """The normalised number of each row; null where it has none."""
        phones = self.converted.get("phone")
        return phones.values if phones is not None else pl.Series([None] * len(self.table.rows), dtype=pl.String)

    @property
    def blacklists(self) -> bool:
        """Whether leads may be blacklisted by what is said of them."""
        status = self.converted.get("status")
        said = status is not None and LeadStatus.BLACKLISTED in status.values
        return said or self.defaults.values.get("status") == LeadStatus.BLACKLISTED


@dataclass(frozen=True, slots=True)
class ValidLeads:
    """What is to be written of a file, in the order of the file.

    `frame` holds new leads: the columns of `LEAD_COLUMNS` in that order. Texts are trimmed and never empty; `priority`
    and `lead_score` are Int16, `assigned_to` Int64, all other columns String: times "HH:MM:SS", money a decimal number,
    `pain_points` and `requirements` a JSON array or null, `custom_fields` a JSON object with the tags, the phone
    extensions and the values of all other columns of the file.

    `updates` holds what the file says of leads that there are already, in the same columns, null where it says nothing;
    the phone tells which lead is meant.
    """

    frame: pl.DataFrame
    updates: pl.DataFrame | None = None
    row_count: int = 0
    """Rows that hold something."""
    skipped_count: int = 0
    """Rows that were left out, for their errors or as duplicates."""
    error_summary: ErrorSummary = NO_ERRORS
    """Why rows were left out for their errors."""


def validate(
    sheet: Sheet,
    defaults: Mapping[str, object],
    *,
    row_limit: int | None,
    options: ImportOptions = _AS_THE_CONTRACT_SAYS,
) -> ValidLeads:
    """Check and convert every row, for an import that does not mind what leads there are.

    Parameters
    ----------
    sheet
        The table; columns that are no field of a lead end in `custom_fields`, blank rows are left out.
    defaults
        Values by field, put where a row has none.
    row_limit
        Most rows there may be; None for any number.

    Raises
    ------
    FileRejectedError
        With every objection to the file and to every row, in the order of the rows.
    """
    return settle(examine(sheet, defaults, row_limit=row_limit, options=options), options)


def examine(
    sheet: Sheet,
    defaults: Mapping[str, object],
    *,
    row_limit: int | None,
    options: ImportOptions = _AS_THE_CONTRACT_SAYS,
) -> Examined:
    """Look at every cell. The parameters are those of `validate`.

    Raises
    ------
    FileRejectedError
        If there are no rows to look at, or more than there may be.
    """
    if not sheet.headers:
        raise FileRejectedError([_NO_LEADS])
    columns = match_columns(sheet.headers, options.column_map)
    common, wrong_defaults = check_defaults(defaults)
    file_errors = [*columns.errors, *wrong_defaults]
    table = trim_sheet(sheet, required_column=columns.fields.get("phone"))
    if not table.rows and not sheet.errors:
        raise FileRejectedError([*file_errors, _NO_LEADS])
    if row_limit is not None and len(table.rows) > row_limit:
        raise FileRejectedError([*file_errors, _too_many_rows(len(table.rows), row_limit)], row_count=len(table.rows))
    converted = convert_columns(table.cells, columns.fields)
    collector = RowErrorCollector(table.rows, array=sheet.array)
    for error in file_errors:
        collector.add(0, error)
    _add_cell_errors(collector, sheet, table, columns, converted)
    return Examined(sheet, table, columns, converted, common, collector)


def settle(
    examined: Examined,
    options: ImportOptions = _AS_THE_CONTRACT_SAYS,
    stored: Mapping[str, StoredLead] = MappingProxyType({}),
) -> ValidLeads:
    """Decide what becomes of each row.

    Parameters
    ----------
    stored
        The campaign's leads with numbers of the file, by number; needed unless duplicates are to be created.

    Raises
    ------
    FileRejectedError
        If anything is wrong that the caller does not want skipped, or nothing is left.
    """
    collector, table, columns = examined.collector, examined.table, examined.columns
    skips = options.on_error is OnError.SKIP
    if options.on_duplicate is OnDuplicate.ERROR:
        good = ~collector.rows_with_errors() if skips else None
        add_duplicate_errors(collector, examined.sheet, table, columns, examined.phones, stored, among=good)
    elif options.on_duplicate is OnDuplicate.UPDATE:
        add_status_errors(collector, table, columns, examined.converted, stored)
    converted, row_count, error_summary = (
        examined.converted,
        len(table.rows) + len(collector.unreadable_rows),
        NO_ERRORS,
    )
    if collector.total:
        failed_rows = write_failed_rows(examined.sheet.headers, table, columns, collector)
        error_summary = ErrorSummary(tuple(collector.errors()), collector.total, failed_rows)
        wrong = collector.rows_with_errors()
        if not skips or collector.has_file_errors:
            raise FileRejectedError(error_summary.errors, error_summary.total, failed_rows, row_count=row_count)
        if wrong.all():
            raise FileRejectedError(
                [_NO_LEADS, *error_summary.errors], error_summary.total + 1, failed_rows, row_count=row_count
            )
        table, converted = filtered(table, converted, ~wrong)
    updates = None
    if options.on_duplicate is OnDuplicate.SKIP:
        table, converted = filtered(table, converted, of_new_numbers(converted["phone"].values, stored))
    rows_left = len(table.rows)
    if options.on_duplicate is OnDuplicate.UPDATE:
        table, converted = combined(table, converted)
        known = converted["phone"].values.is_in(list(stored))
        updates = lead_frame(*_with_columns(filtered(table, converted, known), columns), NO_DEFAULTS)
        table, converted = filtered(table, converted, ~known)
    return ValidLeads(
        lead_frame(table, columns, converted, examined.defaults),
        updates,
        row_count=row_count,
        skipped_count=row_count - rows_left,
        error_summary=error_summary,
    )


def _with_columns(
    rows: tuple[Table, Mapping[str, ConvertedColumn]], columns: Columns
) -> tuple[Table, Columns, Mapping[str, ConvertedColumn]]:
    return rows[0], columns, rows[1]


def _too_many_rows(rows: int, limit: int) -> RowError:
    return RowError(
        None,
        None,
        None,
        "too_many_leads",
        f"There are {rows:,} leads; at most {limit:,} can be imported while the caller waits. "
        "To import more, send the header 'Prefer: respond-async'",
    )


def _add_cell_errors(
    collector: RowErrorCollector, sheet: Sheet, table: Table, columns: Columns, converted: Mapping[str, ConvertedColumn]
) -> None:
    for error in sheet.errors:
        collector.add(error.column or 0, _row_error(error, columns))
    collector.add_unlisted(sheet.unlisted_error_count)
    if "phone" in columns.fields:
        _add_missing_phone_errors(collector, sheet, table, columns.fields["phone"])
    for name, column in converted.items():
        if column.invalid is not None:
            spec, at = FIELD_BY_NAME[name], columns.fields[name]
            collector.add_cells(at, name, column.invalid, table.cells[str(at)], spec.error_code, spec.error_message)
    for name, at in columns.fields.items():
        if name not in converted:
            spec = FIELD_BY_NAME[name]
            _add_long_text_errors(collector, table, at, name, spec.max_length or 0, spec.error_message(""))
    for header, at in columns.extras.items():
        message = f"{shorten(header)} must be at most {EXTRA_VALUE_LENGTH:,} characters"
        _add_long_text_errors(collector, table, at, header, EXTRA_VALUE_LENGTH, message)
    for at in columns.unnamed:
        if table.max_bytes[at] and table.cells[str(at)].null_count() < len(table.rows):
            message = f"Column {column_letters(at)} has values, but no header"
            collector.add(at, RowError(None, None, None, "missing_header", message))


def _row_error(error: CellError, columns: Columns) -> RowError:
    if error.field is not None:
        return RowError(error.row, error.field, error.value, error.code, error.message)
    names = {at: name for name, at in [*columns.extras.items(), *columns.fields.items()]}
    field = None if error.column is None else names.get(error.column, column_letters(error.column))
    return RowError(error.row, field, error.value, error.code, error.message)


def _add_missing_phone_errors(collector: RowErrorCollector, sheet: Sheet, table: Table, at: int) -> None:
    phones = table.cells[str(at)]
    if not phones.has_nulls():
        return
    unreadable = {error.row for error in sheet.errors if error.column == at}
    missing = phones.is_null() & pl.Series([row not in unreadable for row in table.rows], dtype=pl.Boolean)
    collector.add_cells(at, "phone", missing, phones, "missing", lambda _: "Missing required fields: phone")


def _add_long_text_errors(
    collector: RowErrorCollector, table: Table, at: int, field: str, limit: int, message: str
) -> None:
    if table.max_bytes[at] > limit:  # in bytes, which are at least as many as the characters
        texts = table.cells[str(at)]
        collector.add_cells(at, field, texts.str.len_chars() > limit, texts, "too_long", lambda _: message)
