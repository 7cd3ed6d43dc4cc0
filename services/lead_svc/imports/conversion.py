"""Columns of texts into columns of values."""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from services.lead_svc.imports.values import Value, parse, plain
from services.lead_svc.leads.fields import FIELD_BY_NAME, Field, Kind
from services.lead_svc.leads.phone import InvalidPhone, Phone, normalize


@dataclass(frozen=True, slots=True)
class Converted:
    """A column's values; `wrong` is true where the text has none, `extensions` are those of phone numbers."""

    values: pl.Series
    wrong: pl.Series | None = None
    extensions: pl.Series | None = None


def convert(cells: pl.DataFrame, fields: Mapping[str, int]) -> dict[str, Converted]:
    """The values of every field whose text is not already its value.

    `fields` gives the positions of the columns of `cells`, whose texts are trimmed and never empty.
    """
    specs = {name: FIELD_BY_NAME[name] for name in fields if FIELD_BY_NAME[name].kind is not Kind.TEXT}
    shortcuts = {
        name: shortcut
        for name, spec in specs.items()
        if (shortcut := plain(spec, pl.col(str(fields[name])))) is not None
    }
    values = cells.select(**shortcuts)
    return {
        name: _converted(spec, cells[str(fields[name])], values[name] if name in shortcuts else None)
        for name, spec in specs.items()
    }


def _converted(spec: Field, texts: pl.Series, values: pl.Series | None) -> Converted:
    if values is not None and values.null_count() == texts.null_count():
        return Converted(values)
    rest = texts.unique() if values is None else texts.filter(values.is_null()).unique()
    if spec.kind is Kind.PHONE:
        phones = {text: phone for text in rest.drop_nulls() if (phone := _phone(text)) is not None}
        parsed: dict[str, Value] = {text: phone.e164 for text, phone in phones.items()}
        extensions = {text: phone.extension for text, phone in phones.items() if phone.extension is not None}
    else:
        parsed = {text: value for text in rest.drop_nulls() if (value := parse(spec, text)) is not None}
        extensions = {}
    found = _looked_up(texts, parsed, pl.Int64 if spec.kind is Kind.INTEGER else pl.String)
    if values is not None:
        found = values.fill_null(found)
    return Converted(
        found,
        found.is_null() & texts.is_not_null() if found.null_count() > texts.null_count() else None,
        _looked_up(texts, extensions, pl.String) if extensions else None,
    )


def _phone(text: str) -> Phone | None:
    try:
        return normalize(text)
    except InvalidPhone:
        return None


def _looked_up(texts: pl.Series, values: Mapping[str, Value], dtype: type[pl.DataType]) -> pl.Series:
    return texts.replace_strict(list(values), list(values.values()), default=None, return_dtype=dtype)
