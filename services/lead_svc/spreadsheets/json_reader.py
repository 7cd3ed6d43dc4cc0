"""Read the JSON array of an import into a sheet, which is then processed like a file."""

from collections.abc import Iterator

import orjson
import polars as pl

from services.lead_svc.domain.fields import FIELD_BY_NAME, Field, Kind
from services.lead_svc.spreadsheets.file_kind import LEADS_ARRAY
from services.lead_svc.spreadsheets.row_errors import MAX_REPORTED_ERRORS
from services.lead_svc.spreadsheets.sheet import CellError, Sheet, require_bounded_size
from services.lead_svc.values.to_text import display_text, to_cell_text


def read_json(content: bytes) -> Sheet:
    """Read the sheet of a JSON array: a row for each item and a column for each field that any item has.

    Only a field's own name is accepted; any other name is an error, so that a misspelling loses no data.

    Raises
    ------
    FileRejectedError
        If the sheet would be too large.
    """
    leads: list[object] = orjson.loads(content)
    columns: dict[str, list[str | None]] = {"phone": [None] * len(leads)}
    errors: list[CellError] = []
    total = 0
    for row, lead in enumerate(leads):
        for error in _read_lead(row, lead, columns, len(leads)):
            total += 1
            if len(errors) < MAX_REPORTED_ERRORS:
                errors.append(error)
    return Sheet(
        headers=tuple(columns),
        cells=pl.DataFrame(
            [pl.Series(str(position), texts, pl.String) for position, texts in enumerate(columns.values())]
        ),
        first_row=0,
        errors=tuple(errors),
        unlisted_error_count=total - len(errors),
        array=LEADS_ARRAY,
    )


def _read_lead(row: int, lead: object, columns: dict[str, list[str | None]], height: int) -> Iterator[CellError]:
    if not isinstance(lead, dict):
        # An error of the phone's column, or a second error would report the phone as missing.
        yield CellError(row, 0, display_text(lead), "wrong_type", "A lead must be a JSON object", field="")
        return
    for name, value in lead.items():
        spec = FIELD_BY_NAME.get(name)
        if spec is None or not spec.importable:
            field = display_text(name)
            yield CellError(row, None, display_text(value), "unknown_field", f"Unknown field: {field}", field=field)
            continue
        text = to_cell_text(spec, value)
        if name not in columns:
            require_bounded_size(height, len(columns) + 1)
            columns[name] = [None] * height
        column = columns[name]
        if text is None:
            yield _unreadable(row, list(columns).index(name), spec, value)
        else:
            column[row] = text


def _unreadable(row: int, column: int, spec: Field, value: object) -> CellError:
    if isinstance(value, str):
        return CellError(
            row, column, display_text(value), "nul_character", f"{spec.label} must not contain NUL characters"
        )
    if spec.kind is Kind.TEXT:
        return CellError(row, column, display_text(value), "wrong_type", f"{spec.label} must be a text")
    return CellError(row, column, display_text(value), spec.error_code, spec.error_message(display_text(value)))
