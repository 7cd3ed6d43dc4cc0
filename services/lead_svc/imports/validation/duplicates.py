"""Rows with a phone number that the campaign has already, or that an earlier row has."""

from collections.abc import Mapping
from itertools import compress

import polars as pl

from services.lead_svc.domain.fields import LeadStatus
from services.lead_svc.domain.lead_status import may_follow
from services.lead_svc.imports.validation.stored_lead import StoredLead
from services.lead_svc.spreadsheets.error_collector import RowErrorCollector
from services.lead_svc.spreadsheets.header import Columns
from services.lead_svc.spreadsheets.row_errors import RowError
from services.lead_svc.spreadsheets.sheet import Sheet
from services.lead_svc.spreadsheets.table import Table
from services.lead_svc.values.columns import ConvertedColumn

Rows = tuple[Table, dict[str, ConvertedColumn]]
"""Rows, and the values of those of their fields whose text is not their value."""


def of_new_numbers(phones: pl.Series, stored: Mapping[str, StoredLead]) -> pl.Series:
    """For each row, whether it is the first with its number, and the campaign has none."""
    return phones.is_first_distinct() & ~phones.is_in(list(stored))


def filtered(table: Table, converted: Mapping[str, ConvertedColumn], keep: pl.Series) -> Rows:
    """Those of the rows for which `keep` is true."""
    if keep.all():
        return table, dict(converted)
    rows = list(compress(table.rows, keep))
    return Table(table.cells.filter(keep), rows, table.max_bytes), {
        name: ConvertedColumn(
            column.values.filter(keep),
            extensions=column.extensions.filter(keep) if column.extensions is not None else None,
        )
        for name, column in converted.items()
    }


def combined(table: Table, converted: Mapping[str, ConvertedColumn]) -> Rows:
    """One row a number, in the place of the first: of each cell the last that holds something."""
    phones = converted["phone"].values
    first = phones.is_first_distinct()
    if first.all():
        return table, dict(converted)
    columns = {f"cell {name}": table.cells[name] for name in table.cells.columns}
    columns |= {f"value {name}": column.values for name, column in converted.items()}
    columns |= {
        f"extension {name}": column.extensions for name, column in converted.items() if column.extensions is not None
    }
    rows = (
        pl.DataFrame({**columns, "number": phones})
        .group_by("number", maintain_order=True)
        .agg(pl.all().drop_nulls().last())
    )
    cells = rows.select(pl.col(f"cell {name}").alias(name) for name in table.cells.columns)
    return Table(cells, list(compress(table.rows, first)), table.max_bytes), {
        name: ConvertedColumn(
            rows[f"value {name}"],
            extensions=rows[f"extension {name}"] if column.extensions is not None else None,
        )
        for name, column in converted.items()
    }


def add_duplicate_errors(
    collector: RowErrorCollector,
    sheet: Sheet,
    table: Table,
    columns: Columns,
    phones: pl.Series,
    stored: Mapping[str, StoredLead],
    *,
    among: pl.Series | None,
) -> None:
    """Object to every row whose number is not new; `among` says which rows count, None that all do."""
    if "phone" not in columns.fields:
        return
    counted = phones if among is None else phones.set(~among, None)
    duplicate = counted.is_not_null() & ~of_new_numbers(counted, stored)
    positions = duplicate.arg_true()
    if not len(positions):
        return
    first = {phone: at for at, phone in reversed(list(enumerate(counted))) if phone is not None}

    def describe(position: int, _text: str) -> str:
        phone = counted[position]
        lead = stored.get(phone)
        if lead is not None:
            return f"Phone number {phone} is already in the campaign, as lead {lead.id}"
        return f"Phone number {phone} is also in {sheet.row_label(table.rows[first[phone]])}"

    at = columns.fields["phone"]
    collector.add_positions(at, "phone", positions, table.cells[str(at)], "duplicate_phone", describe)


def add_status_errors(
    collector: RowErrorCollector,
    table: Table,
    columns: Columns,
    converted: Mapping[str, ConvertedColumn],
    stored: Mapping[str, StoredLead],
) -> None:
    """Object to every row that gives a lead a status which cannot follow the one it has."""
    if "status" not in converted or "phone" not in converted:
        return
    at = columns.fields["status"]
    rows = zip(table.rows, converted["phone"].values, converted["status"].values, table.cells[str(at)], strict=True)
    for row, phone, status, text in rows:
        lead = stored.get(phone) if phone is not None and status is not None else None
        if lead is not None and not may_follow(LeadStatus(lead.status), LeadStatus(status)):
            message = f"A lead that is {lead.status} cannot become {status}"
            collector.add(at, RowError(row, "status", text, "status_not_allowed", message))
