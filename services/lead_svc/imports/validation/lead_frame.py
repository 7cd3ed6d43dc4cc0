"""The frame of leads: validated cells in the columns of the table `leads`."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

import polars as pl

from services.lead_svc.imports.records import LEAD_COLUMNS
from services.lead_svc.imports.validation.custom_fields import custom_fields, merge_objects
from services.lead_svc.imports.validation.defaults import Defaults
from services.lead_svc.imports.validation.rows import Rows
from services.lead_svc.spreadsheets.header import Columns
from services.lead_svc.values.from_columns import ConvertedColumn
from services.lead_svc.values.from_text import Value

_DTYPES: Final = {"priority": pl.Int16(), "lead_score": pl.Int16(), "assigned_to": pl.Int64()}
_EXTENSION_KEYS: Final = {"phone": "phone_extension", "alternate_phone": "alternate_phone_extension"}


def lead_frame(rows: Rows, columns: Columns, defaults: Defaults) -> pl.DataFrame:
    """Return rows without errors as a frame with the columns `LEAD_COLUMNS`; `defaults` replace nulls."""
    table, converted = rows.table, rows.converted
    texts = {name: position for name, position in columns.fields.items() if name not in converted}
    cells = table.cells.hstack([column.values.alias(name) for name, column in converted.items()])
    sources = {name: pl.col(name) for name in converted}
    sources |= {name: pl.col(str(position)) for name, position in texts.items()}
    values = {name: _with_default(name, sources.get(name), defaults) for name in LEAD_COLUMNS}
    values["custom_fields"] = custom_fields(_text_entries(columns, converted), _array_entries(sources, defaults))
    frame = cells.select(**values)
    if "custom_fields" in converted or defaults.custom_fields:
        fallbacks = converted["custom_fields"].values if "custom_fields" in converted else None
        frame = frame.with_columns(merge_objects(frame["custom_fields"], fallbacks, defaults.custom_fields))
    return frame


def _with_default(name: str, source: pl.Expr | None, defaults: Defaults) -> pl.Expr:
    if source is None:
        return _constant(name, defaults.values.get(name))
    if name in defaults.values:
        source = source.fill_null(_constant(name, defaults.values[name]))
    return source.cast(_DTYPES[name]) if name in _DTYPES else source


@lru_cache(maxsize=128)
def _constant(name: str, value: Value | None) -> pl.Expr:
    return pl.lit(value, dtype=_DTYPES.get(name, pl.String()))


def _text_entries(columns: Columns, converted: Mapping[str, ConvertedColumn]) -> dict[str, pl.Expr]:
    """Return the texts of `custom_fields`: columns that are not fields, and extensions split off phone numbers."""
    entries = {header: pl.col(str(position)) for header, position in columns.extras.items()}
    for name, key in _EXTENSION_KEYS.items():
        extensions = converted[name].extensions if name in converted else None
        if extensions is not None:
            extension = pl.lit(extensions)
            entries[key] = pl.coalesce(extension, entries[key]) if key in entries else extension
    return entries


def _array_entries(sources: Mapping[str, pl.Expr], defaults: Defaults) -> dict[str, pl.Expr]:
    """Return the arrays of `custom_fields`: the tags."""
    if "tags" not in sources and "tags" not in defaults.values:
        return {}
    return {"tags": _with_default("tags", sources.get("tags"), defaults)}
