"""A sheet into leads ready to be loaded, or every objection to it."""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from services.lead_svc.imports.columns import Columns, arrange, letter
from services.lead_svc.imports.conversion import Converted, convert
from services.lead_svc.imports.defaults import check_defaults
from services.lead_svc.imports.errors import ImportRejected, RowError, shorten
from services.lead_svc.imports.lead_frame import lead_frame
from services.lead_svc.imports.objections import Objections
from services.lead_svc.imports.sheet import CellFault, Sheet
from services.lead_svc.imports.table import Table, tidy
from services.lead_svc.leads.fields import EXTRA_VALUE_LENGTH, FIELD_BY_NAME


@dataclass(frozen=True, slots=True)
class ValidLeads:
    """Leads as they can be written: the columns of `LEAD_COLUMNS` in that order, in the order of the file.

    Texts are trimmed and never empty; `priority` and `lead_score` are Int16, `assigned_to` Int64, all other columns
    String: times "HH:MM:SS", money a decimal number, `pain_points` and `requirements` a JSON array or null,
    `custom_fields` a JSON object with the tags, the phone extensions and the values of all other columns of the file.
    """

    frame: pl.DataFrame


def validate(sheet: Sheet, defaults: Mapping[str, object], *, row_limit: int | None) -> ValidLeads:
    """Check and convert every row.

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
    ImportRejected
        With every objection to every row, in the order of the rows.
    """
    if not sheet.headers:
        raise _no_leads()
    columns = arrange(sheet.headers)
    common = check_defaults(defaults)
    table = tidy(sheet, always_filled=columns.fields["phone"])
    if not table.rows and not sheet.faults:
        raise _no_leads()
    if row_limit is not None and len(table.rows) > row_limit:
        raise _too_many_rows(len(table.rows), row_limit)
    converted = convert(table.cells, columns.fields)
    _raise_objections(sheet, table, columns, converted)
    return ValidLeads(lead_frame(table, columns, converted, common))


def _no_leads() -> ImportRejected:
    return ImportRejected.because("no_leads", "No valid leads found in the file")


def _too_many_rows(rows: int, limit: int) -> ImportRejected:
    return ImportRejected.because(
        "too_many_leads",
        f"The file has {rows:,} leads; at most {limit:,} can be imported while the caller waits. "
        "To import more, send the header 'Prefer: respond-async'",
    )


def _raise_objections(sheet: Sheet, table: Table, columns: Columns, converted: Mapping[str, Converted]) -> None:
    objections = Objections(table.rows)
    for fault in sheet.faults:
        objections.add(fault.column or 0, _row_error(fault, columns))
    objections.add_unnamed(sheet.more_faults)
    _object_to_missing_phones(objections, sheet, table, columns.fields["phone"])
    for name, column in converted.items():
        if column.wrong is not None:
            spec, at = FIELD_BY_NAME[name], columns.fields[name]
            objections.add_cells(at, name, column.wrong, table.cells[str(at)], spec.error_code, spec.error_message)
    for name, at in columns.fields.items():
        if name not in converted:
            spec = FIELD_BY_NAME[name]
            _object_to_long_texts(objections, table, at, name, spec.max_length or 0, spec.error_message(""))
    for header, at in columns.extras.items():
        message = f"{shorten(header)} must be at most {EXTRA_VALUE_LENGTH:,} characters"
        _object_to_long_texts(objections, table, at, header, EXTRA_VALUE_LENGTH, message)
    for at in columns.unnamed:
        if table.longest[at] and table.cells[str(at)].null_count() < len(table.rows):
            message = f"Column {letter(at)} has values, but no header"
            objections.add(at, RowError(None, None, None, "missing_header", message))
    objections.raise_if_any()


def _row_error(fault: CellFault, columns: Columns) -> RowError:
    names = {at: name for name, at in [*columns.extras.items(), *columns.fields.items()]}
    field = None if fault.column is None else names.get(fault.column, letter(fault.column))
    return RowError(fault.row, field, fault.value, fault.code, fault.message)


def _object_to_missing_phones(objections: Objections, sheet: Sheet, table: Table, at: int) -> None:
    phones = table.cells[str(at)]
    if not phones.has_nulls():
        return
    unreadable = {fault.row for fault in sheet.faults if fault.column == at}
    missing = phones.is_null() & pl.Series([row not in unreadable for row in table.rows], dtype=pl.Boolean)
    objections.add_cells(at, "phone", missing, phones, "missing", lambda _: "Missing required fields: phone")


def _object_to_long_texts(objections: Objections, table: Table, at: int, field: str, limit: int, message: str) -> None:
    if table.longest[at] > limit:  # in bytes, which are at least as many as the characters
        texts = table.cells[str(at)]
        objections.add_cells(at, field, texts.str.len_chars() > limit, texts, "too_long", lambda _: message)
