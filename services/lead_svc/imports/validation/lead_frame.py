"""Checked values into the columns that leads are loaded from."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

import polars as pl

from services.lead_svc.imports.validation.custom_fields import custom_fields, merged
from services.lead_svc.imports.validation.defaults import Defaults
from services.lead_svc.imports.validation.lead_columns import LEAD_COLUMNS
from services.lead_svc.spreadsheets.header import Columns
from services.lead_svc.spreadsheets.table import Table
from services.lead_svc.values.columns import ConvertedColumn
from services.lead_svc.values.from_text import Value

_DTYPES: Final = {"priority": pl.Int16(), "lead_score": pl.Int16(), "assigned_to": pl.Int64()}
_EXTENSION_KEYS: Final = {"phone": "phone_extension", "alternate_phone": "alternate_phone_extension"}


def lead_frame(
    table: Table, columns: Columns, converted: Mapping[str, ConvertedColumn], defaults: Defaults
) -> pl.DataFrame:
    """The rows of a table without errors, as `LEAD_COLUMNS`.

    `converted` holds the values of the fields whose text is not their value, `defaults` what takes the place of nulls.
    """
    texts = {name: at for name, at in columns.fields.items() if name not in converted}
    known = table.cells.hstack([column.values.alias(name) for name, column in converted.items()])
    sources = {name: pl.col(name) for name in converted} | {name: pl.col(str(at)) for name, at in texts.items()}
    values = {name: _filled(name, sources.get(name), defaults) for name in LEAD_COLUMNS}
    values["custom_fields"] = custom_fields(_entries(columns, converted), _arrays(sources, defaults))
    frame = known.select(**values)
    if "custom_fields" in converted or defaults.custom_fields:
        below = converted["custom_fields"].values if "custom_fields" in converted else None
        frame = frame.with_columns(merged(frame["custom_fields"], below, defaults.custom_fields))
    return frame


def _filled(name: str, source: pl.Expr | None, defaults: Defaults) -> pl.Expr:
    if source is None:
        return _constant(name, defaults.values.get(name))
    if name in defaults.values:
        source = source.fill_null(_constant(name, defaults.values[name]))
    return source.cast(_DTYPES[name]) if name in _DTYPES else source


@lru_cache(maxsize=128)
def _constant(name: str, value: Value | None) -> pl.Expr:
    return pl.lit(value, dtype=_DTYPES.get(name, pl.String()))


def _entries(columns: Columns, converted: Mapping[str, ConvertedColumn]) -> dict[str, pl.Expr]:
    """The texts of `custom_fields`: the columns that are no field, and the extensions split off from phone numbers."""
    entries = {header: pl.col(str(at)) for header, at in columns.extras.items()}
    for name, key in _EXTENSION_KEYS.items():
        extensions = converted[name].extensions if name in converted else None
        if extensions is not None:
            split_off = pl.lit(extensions)
            entries[key] = pl.coalesce(split_off, entries[key]) if key in entries else split_off
    return entries


def _arrays(sources: Mapping[str, pl.Expr], defaults: Defaults) -> dict[str, pl.Expr]:
    """The lists of `custom_fields`: the tags."""
    if "tags" not in sources and "tags" not in defaults.values:
        return {}
    return {"tags": _filled("tags", sources.get("tags"), defaults)}
