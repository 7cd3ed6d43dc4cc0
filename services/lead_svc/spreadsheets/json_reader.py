"""Leads that came as JSON, as a sheet: from there on they go the way of a file."""

from collections.abc import Iterator

import orjson
import polars as pl

from services.lead_svc.domain.fields import FIELD_BY_NAME, Field, Kind
from services.lead_svc.spreadsheets.file_kind import LEADS
from services.lead_svc.spreadsheets.row_errors import MAX_REPORTED_ERRORS
from services.lead_svc.spreadsheets.sheet import CellFault, Sheet
from services.lead_svc.values.to_text import cell_text, shown


def read_json(content: bytes) -> Sheet:
    """The sheet of a JSON array, a row for each item and a column for each field that any of them has.

    A field is called by its own name; any other name is a fault, so that a slip of the pen loses nothing.
    """
    leads: list[object] = orjson.loads(content)
    columns: dict[str, list[str | None]] = {"phone": [None] * len(leads)}
    faults: list[CellFault] = []
    total = 0
    for row, lead in enumerate(leads):
        for fault in _read_lead(row, lead, columns, len(leads)):
            total += 1
            if len(faults) < MAX_REPORTED_ERRORS:
                faults.append(fault)
    return Sheet(
        headers=tuple(columns),
        cells=pl.DataFrame([pl.Series(str(at), texts, pl.String) for at, texts in enumerate(columns.values())]),
        first_row=0,
        faults=tuple(faults),
        more_faults=total - len(faults),
        array=LEADS,
    )


def _read_lead(row: int, lead: object, columns: dict[str, list[str | None]], height: int) -> Iterator[CellFault]:
    if not isinstance(lead, dict):
        # A fault of the phone's column, or its number would be missed besides.
        yield CellFault(row, 0, shown(lead), "wrong_type", "A lead must be a JSON object", field="")
        return
    for name, value in lead.items():
        spec = FIELD_BY_NAME.get(name)
        if spec is None or not spec.importable:
            what = shown(name)
            yield CellFault(row, None, shown(value), "unknown_field", f"Unknown field: {what}", field=what)
            continue
        text = cell_text(spec, value)
        column = columns.setdefault(name, [None] * height)
        if text is None:
            yield _unreadable(row, list(columns).index(name), spec, value)
        else:
            column[row] = text


def _unreadable(row: int, column: int, spec: Field, value: object) -> CellFault:
    if isinstance(value, str):
        return CellFault(row, column, shown(value), "nul_character", f"{spec.label} must not hold NUL characters")
    if spec.kind is Kind.TEXT:
        return CellFault(row, column, shown(value), "wrong_type", f"{spec.label} must be a text")
    return CellFault(row, column, shown(value), spec.error_code, spec.error_message(shown(value)))
