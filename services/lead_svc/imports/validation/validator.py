"""Validation of a sheet: it becomes leads that are ready to be loaded, or is rejected with every error."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import polars as pl

from services.lead_svc.domain.fields import LeadStatus
from services.lead_svc.imports.options import ImportOptions, OnDuplicate, OnError
from services.lead_svc.imports.records import StoredLead
from services.lead_svc.imports.validation.cell_errors import add_cell_errors
from services.lead_svc.imports.validation.defaults import NO_DEFAULTS, Defaults, parse_defaults
from services.lead_svc.imports.validation.duplicates import add_duplicate_errors, add_status_errors, is_new_number
from services.lead_svc.imports.validation.failed_rows import write_failed_rows
from services.lead_svc.imports.validation.lead_frame import lead_frame
from services.lead_svc.imports.validation.rows import Rows
from services.lead_svc.spreadsheets.error_collector import RowErrorCollector
from services.lead_svc.spreadsheets.header import Columns, match_columns
from services.lead_svc.spreadsheets.row_errors import NO_ERRORS, ErrorSummary, FileRejectedError, RowError
from services.lead_svc.spreadsheets.sheet import Sheet
from services.lead_svc.spreadsheets.table import trim_sheet
from services.lead_svc.values.from_columns import convert_columns

_DEFAULT_OPTIONS: Final = ImportOptions()
_NO_STORED_LEADS: Final[Mapping[str, StoredLead]] = MappingProxyType({})
_NO_LEADS: Final = RowError(None, None, None, "no_leads", "No valid leads found in the file")


@dataclass(frozen=True, slots=True)
class CheckedRows:
    """The rows of a sheet with every cell converted, and the errors found in them."""

    sheet: Sheet
    rows: Rows
    columns: Columns
    defaults: Defaults
    collector: RowErrorCollector

    @property
    def may_blacklist(self) -> bool:
        """Whether a row, or the default values, give the status `blacklisted`."""
        status = self.rows.converted.get("status")
        in_rows = status is not None and LeadStatus.BLACKLISTED in status.values
        return in_rows or self.defaults.values.get("status") == LeadStatus.BLACKLISTED


@dataclass(frozen=True, slots=True)
class ValidLeads:
    """The leads that an import writes, in the order of the file.

    `frame` has the new leads, with the columns `LEAD_COLUMNS` in that order. Texts are trimmed and never empty;
    `priority` and `lead_score` are Int16, `assigned_to` Int64, all other columns String: times "HH:MM:SS", money a
    decimal number, `pain_points` and `requirements` a JSON array or null, `custom_fields` a JSON object with the tags,
    the phone extensions and the values of all other columns of the file.

    `updates` has the rows that update stored leads, with the same columns, null where the cell is empty. The phone
    number identifies the lead. It is None unless duplicates are updated.
    """

    frame: pl.DataFrame
    updates: pl.DataFrame | None = None
    row_count: int = 0
    """Number of rows that are not blank."""
    skipped_count: int = 0
    """Number of rows that were skipped because of their errors or as duplicates."""
    error_summary: ErrorSummary = NO_ERRORS
    """The errors of skipped rows."""


def validate_rows(
    sheet: Sheet,
    default_values: Mapping[str, object],
    *,
    row_limit: int | None,
    options: ImportOptions = _DEFAULT_OPTIONS,
) -> ValidLeads:
    """Check and resolve the rows of a sheet for an import that does not depend on stored leads.

    Parameters
    ----------
    sheet
        The file. Columns that are not fields of a lead go into `custom_fields`; blank rows are ignored.
    default_values
        Values by field, for cells that are empty.
    row_limit
        Maximum number of rows; None for no limit.

    Raises
    ------
    FileRejectedError
        With every error of the file and of all rows, in the order of the rows.
    """
    return resolve_rows(check_rows(sheet, default_values, row_limit=row_limit, options=options), options)


def check_rows(
    sheet: Sheet,
    default_values: Mapping[str, object],
    *,
    row_limit: int | None,
    options: ImportOptions = _DEFAULT_OPTIONS,
) -> CheckedRows:
    """Convert every cell and collect the errors. The parameters are those of `validate_rows`.

    Raises
    ------
    FileRejectedError
        If the sheet has no rows, or more than `row_limit`.
    """
    if not sheet.headers:
        raise FileRejectedError([_NO_LEADS])
    columns = match_columns(sheet.headers, options.column_map)
    defaults, default_errors = parse_defaults(default_values)
    file_errors = [*columns.errors, *default_errors]
    table = trim_sheet(sheet, required_column=columns.fields.get("phone"))
    if not table.rows and not sheet.errors:
        raise FileRejectedError([*file_errors, _NO_LEADS])
    if row_limit is not None and len(table.rows) > row_limit:
        raise FileRejectedError([*file_errors, _too_many_rows(len(table.rows), row_limit)], row_count=len(table.rows))
    rows = Rows(table, convert_columns(table.cells, columns.fields))
    collector = RowErrorCollector(table.rows, array=sheet.array)
    for error in file_errors:
        collector.add(0, error)
    add_cell_errors(collector, sheet, rows, columns)
    return CheckedRows(sheet, rows, columns, defaults, collector)


def resolve_rows(
    checked: CheckedRows,
    options: ImportOptions = _DEFAULT_OPTIONS,
    stored_leads: Mapping[str, StoredLead] = _NO_STORED_LEADS,
) -> ValidLeads:
    """Decide for each row whether it creates a lead, updates a stored lead or is skipped.

    Parameters
    ----------
    stored_leads
        The campaign's leads with numbers of the file, by number; needed unless `on_duplicate` is `create`.

    Raises
    ------
    FileRejectedError
        If there is an error that `on_error` does not skip, or no row is without errors.
    """
    _add_errors_with_stored_leads(checked, options, stored_leads)
    row_count = len(checked.rows.table.rows) + len(checked.collector.unreadable_rows)
    rows, error_summary = _rows_without_errors(checked, options, row_count)
    if options.on_duplicate is OnDuplicate.SKIP:
        rows = rows.filter(is_new_number(rows.phones, stored_leads))
    skipped_count = row_count - len(rows.table.rows)
    updates = None
    if options.on_duplicate is OnDuplicate.UPDATE:
        rows = rows.merge_by_phone()
        is_stored = rows.phones.is_in(list(stored_leads))
        updates = lead_frame(rows.filter(is_stored), checked.columns, NO_DEFAULTS)
        rows = rows.filter(~is_stored)
    return ValidLeads(
        lead_frame(rows, checked.columns, checked.defaults),
        updates,
        row_count=row_count,
        skipped_count=skipped_count,
        error_summary=error_summary,
    )


def _add_errors_with_stored_leads(
    checked: CheckedRows, options: ImportOptions, stored_leads: Mapping[str, StoredLead]
) -> None:
    collector, rows, columns = checked.collector, checked.rows, checked.columns
    if options.on_duplicate is OnDuplicate.ERROR:
        # A row that is skipped for its errors is not the first with its number.
        ignored = collector.rows_with_errors() if options.on_error is OnError.SKIP else None
        add_duplicate_errors(collector, checked.sheet, rows, columns, stored_leads, ignored=ignored)
    elif options.on_duplicate is OnDuplicate.UPDATE:
        add_status_errors(collector, rows, columns, stored_leads)


def _rows_without_errors(checked: CheckedRows, options: ImportOptions, row_count: int) -> tuple[Rows, ErrorSummary]:
    """Return the rows without errors, and the errors of the others; raise unless the errors can be skipped."""
    collector, rows = checked.collector, checked.rows
    if not collector.total:
        return rows, NO_ERRORS
    failed_rows = write_failed_rows(checked.sheet.headers, rows.table, checked.columns, collector)
    errors, total = tuple(collector.errors()), collector.total
    if options.on_error is OnError.ABORT or collector.has_file_errors:
        raise FileRejectedError(errors, total, failed_rows, row_count=row_count)
    has_errors = collector.rows_with_errors()
    if has_errors.all():
        raise FileRejectedError([_NO_LEADS, *errors], total + 1, failed_rows, row_count=row_count)
    return rows.filter(~has_errors), ErrorSummary(errors, total, failed_rows)


def _too_many_rows(count: int, limit: int) -> RowError:
    message = (
        f"There are {count:,} leads; at most {limit:,} can be imported while the caller waits. "
        "To import more, send the header 'Prefer: respond-async'"
    )
    return RowError(None, None, None, "too_many_leads", message)
