"""Duplicates: rows with a phone number that the campaign or an earlier row of the file already has."""

from collections.abc import Mapping

import polars as pl

from services.lead_svc.domain.fields import LeadStatus
from services.lead_svc.domain.lead_status import can_transition, forbidden_transition
from services.lead_svc.imports.records import StoredLead
from services.lead_svc.imports.validation.rows import Rows
from services.lead_svc.spreadsheets.error_collector import RowErrorCollector
from services.lead_svc.spreadsheets.header import Columns
from services.lead_svc.spreadsheets.row_errors import RowError
from services.lead_svc.spreadsheets.sheet import Sheet


def is_new_number(phones: pl.Series, stored_leads: Mapping[str, StoredLead]) -> pl.Series:
    """Return for each row whether it is the first with its number and the campaign does not have the number."""
    return phones.is_first_distinct() & ~phones.is_in(list(stored_leads))


def add_duplicate_errors(
    collector: RowErrorCollector,
    sheet: Sheet,
    rows: Rows,
    columns: Columns,
    stored_leads: Mapping[str, StoredLead],
    *,
    ignored: pl.Series | None,
) -> None:
    """Add an error for each row with a duplicate number. Numbers of `ignored` rows do not count; None ignores none."""
    if "phone" not in columns.fields:
        return
    phones = rows.phones if ignored is None else rows.phones.set(ignored, None)
    is_duplicate = phones.is_not_null() & ~is_new_number(phones, stored_leads)
    positions = is_duplicate.arg_true()
    if not len(positions):
        return
    numbers = rows.table.rows
    first_positions = {phone: position for position, phone in reversed(list(enumerate(phones))) if phone is not None}

    def describe(position: int, _text: str) -> str:
        phone = phones[position]
        lead = stored_leads.get(phone)
        if lead is not None:
            return f"Phone number {phone} is already in the campaign, as lead {lead.id}"
        return f"Phone number {phone} is also in {sheet.row_label(numbers[first_positions[phone]])}"

    column = columns.fields["phone"]
    collector.add_positions(column, "phone", positions, rows.table.cells[str(column)], "duplicate_phone", describe)


def add_status_errors(
    collector: RowErrorCollector, rows: Rows, columns: Columns, stored_leads: Mapping[str, StoredLead]
) -> None:
    """Add an error for each row whose status the stored lead cannot change to."""
    if "status" not in rows.converted or "phone" not in rows.converted:
        return
    column = columns.fields["status"]
    statuses, texts = rows.converted["status"].values, rows.table.cells[str(column)]
    for row, phone, status, text in zip(rows.table.rows, rows.phones, statuses, texts, strict=True):
        lead = stored_leads.get(phone) if phone is not None and status is not None else None
        if lead is not None and not can_transition(LeadStatus(lead.status), LeadStatus(status)):
            message = forbidden_transition(LeadStatus(lead.status), LeadStatus(status))
            collector.add(column, RowError(row, "status", text, "status_not_allowed", message))
