"""Columns of texts into columns of values."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

import polars as pl

from services.lead_svc.domain.fields import FIELD_BY_NAME, Field, Kind
from services.lead_svc.domain.phone import InvalidPhone, Phone, normalize
from services.lead_svc.values.columns import plain
from services.lead_svc.values.from_text import Value, parse


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
    columns = {name: str(at) for name, at in fields.items() if FIELD_BY_NAME[name].kind is not Kind.TEXT}
    shortcuts = {name: shortcut for name in columns if (shortcut := _shortcut(name, columns[name])) is not None}
    values = cells.select(**shortcuts)
    others = [column for name, column in columns.items() if name not in shortcuts]
    distinct = cells.select(pl.col(column).unique().implode() for column in others).row(0) if others else ()
    texts_by_column: dict[str, list[str | None]] = dict(zip(others, distinct, strict=True))
    return {
        name: _from_plain(FIELD_BY_NAME[name], cells[column], values[name])
        if name in shortcuts
        else _from_distinct(FIELD_BY_NAME[name], cells[column], texts_by_column[column])
        for name, column in columns.items()
    }


@cache
def _shortcut(name: str, column: str) -> pl.Expr | None:
    return plain(FIELD_BY_NAME[name], pl.col(column))


def _from_plain(spec: Field, texts: pl.Series, values: pl.Series) -> Converted:
    """The values of a column, of which those of the plain texts are known."""
    if values.null_count() == texts.null_count():
        return Converted(values)
    rest = texts.filter(values.is_null()).drop_nulls().unique()
    if spec.kind is not Kind.PHONE:
        return _converted(texts, values.fill_null(_looked_up(texts, _parsed(spec, rest), values.dtype)))
    phones = {text: phone for text in rest if (phone := _phone(text)) is not None}
    numbers = _looked_up(texts, {text: phone.e164 for text, phone in phones.items()}, pl.String())
    extensions = {text: phone.extension for text, phone in phones.items() if phone.extension is not None}
    return _converted(
        texts,
        values.fill_null(numbers),
        _looked_up(texts, extensions, pl.String()) if extensions else None,
    )


def _from_distinct(spec: Field, texts: pl.Series, distinct: Iterable[str | None]) -> Converted:
    """The values of a column that holds these different texts."""
    given = [text for text in distinct if text is not None]
    parsed = _parsed(spec, given)
    if all(parsed.get(text) == text for text in given):
        return Converted(texts)
    return _converted(texts, _looked_up(texts, parsed, pl.String()))


def _converted(texts: pl.Series, values: pl.Series, extensions: pl.Series | None = None) -> Converted:
    wrong = values.is_null() & texts.is_not_null() if values.null_count() > texts.null_count() else None
    return Converted(values, wrong, extensions)


def _parsed(spec: Field, texts: Iterable[str]) -> dict[str, Value]:
    return {text: value for text in texts if (value := parse(spec, text)) is not None}


def _phone(text: str) -> Phone | None:
    try:
        return normalize(text)
    except InvalidPhone:
        return None


def _looked_up(texts: pl.Series, values: Mapping[str, Value], dtype: pl.DataType) -> pl.Series:
    return texts.replace_strict(list(values), list(values.values()), default=None, return_dtype=dtype)
