"""Convert columns of cell texts to columns of values with polars, by the rules of `from_text`.

A polars expression converts the texts in the usual form of a field (`usual_values`); `from_text.parse_text`, which is
the rule, converts each different other text once. Both give the same value for every text. Loads polars.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

import polars as pl

from services.lead_svc.domain.fields import EMAIL_PATTERN, FIELD_BY_NAME, Field, Kind
from services.lead_svc.domain.phone import PLAIN_SHAPES, InvalidPhoneError, Phone, normalize
from services.lead_svc.values.from_text import Value, parse_text

_USUAL_TIME: Final = r"^(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]$"
_USUAL_MONEY: Final = r"^[0-9]{1,13}(?:\.[0-9]{1,2})?$"
_USUAL_LANGUAGE: Final = r"^[a-z]{2,3}(?:-[A-Z]{2})?$"


@dataclass(frozen=True, slots=True)
class ConvertedColumn:
    """The values of a column, row by row; null where the cell is empty or its text has no value.

    `invalid` is true in the rows whose text has no value, None if there are no such rows; `extensions` has the
    extensions of phone numbers, None if there are none.
    """

    values: pl.Series
    invalid: pl.Series | None = None
    extensions: pl.Series | None = None


def convert_columns(cells: pl.DataFrame, fields: Mapping[str, int]) -> dict[str, ConvertedColumn]:
    """Convert every column whose field is not a plain text; a plain text is its own value.

    Parameters
    ----------
    cells
        Trimmed texts, null where empty, in columns named "0", "1", …
    fields
        The position of each field's column in `cells`.
    """
    columns = {name: str(position) for name, position in fields.items() if FIELD_BY_NAME[name].kind is not Kind.TEXT}
    expressions = {name: usual for name in columns if (usual := _usual_values(name, columns[name])) is not None}
    values = cells.select(**expressions)
    others = [column for name, column in columns.items() if name not in expressions]
    distinct = cells.select(pl.col(column).unique().implode() for column in others).row(0) if others else ()
    texts_by_column: dict[str, list[str | None]] = dict(zip(others, distinct, strict=True))
    return {
        name: _complete(FIELD_BY_NAME[name], cells[column], values[name])
        if name in expressions
        else _from_distinct(FIELD_BY_NAME[name], cells[column], texts_by_column[column])
        for name, column in columns.items()
    }


def usual_values(field: Field, text: pl.Expr) -> pl.Expr | None:
    """Return the values of texts in the field's usual form, null for others; None if the kind has no such form."""
    build = _USUAL_VALUES.get(field.kind)
    return build(field, text) if build is not None else None


@cache
def _usual_values(name: str, column: str) -> pl.Expr | None:
    return usual_values(FIELD_BY_NAME[name], pl.col(column))


def _complete(field: Field, texts: pl.Series, values: pl.Series) -> ConvertedColumn:
    """Add the values of the texts that are not in the usual form."""
    if values.null_count() == texts.null_count():
        return ConvertedColumn(values)
    rest = texts.filter(values.is_null()).drop_nulls().unique()
    if field.kind is not Kind.PHONE:
        return _converted(texts, values.fill_null(_mapped(texts, _parsed(field, rest), values.dtype)))
    phones = {text: phone for text in rest if (phone := _phone(text)) is not None}
    numbers = _mapped(texts, {text: phone.e164 for text, phone in phones.items()}, pl.String())
    extensions = {text: phone.extension for text, phone in phones.items() if phone.extension is not None}
    return _converted(
        texts,
        values.fill_null(numbers),
        _mapped(texts, extensions, pl.String()) if extensions else None,
    )


def _from_distinct(field: Field, texts: pl.Series, distinct: Iterable[str | None]) -> ConvertedColumn:
    """Return the values of a column that has these different texts."""
    filled = [text for text in distinct if text is not None]
    parsed = _parsed(field, filled)
    if all(parsed.get(text) == text for text in filled):
        return ConvertedColumn(texts)
    return _converted(texts, _mapped(texts, parsed, pl.String()))


def _converted(texts: pl.Series, values: pl.Series, extensions: pl.Series | None = None) -> ConvertedColumn:
    invalid = values.is_null() & texts.is_not_null() if values.null_count() > texts.null_count() else None
    return ConvertedColumn(values, invalid, extensions)


def _parsed(field: Field, texts: Iterable[str]) -> dict[str, Value]:
    return {text: value for text in texts if (value := parse_text(field, text)) is not None}


def _phone(text: str) -> Phone | None:
    try:
        return normalize(text)
    except InvalidPhoneError:
        return None


def _mapped(texts: pl.Series, values: Mapping[str, Value], dtype: pl.DataType) -> pl.Series:
    return texts.replace_strict(list(values), list(values.values()), default=None, return_dtype=dtype)


def _usual_phone(_field: Field, text: pl.Expr) -> pl.Expr:
    return pl.coalesce(
        pl.when(text.str.contains(pattern)).then(pl.lit(prefix) + text.str.slice(cut) if prefix else text)
        for pattern, cut, prefix in PLAIN_SHAPES
    )


def _matching(text: pl.Expr, pattern: str) -> pl.Expr:
    return pl.when(text.str.contains(pattern)).then(text)


def _usual_email(field: Field, text: pl.Expr) -> pl.Expr:
    return pl.when(text.str.contains(EMAIL_PATTERN) & (text.str.len_bytes() <= (field.max_length or 0))).then(text)


def _usual_integer(field: Field, text: pl.Expr) -> pl.Expr:
    number = text.str.to_integer(strict=False, dtype=pl.Int64)
    return pl.when(number.is_between(field.minimum, field.maximum)).then(number)


_USUAL_VALUES: Final[Mapping[Kind, Callable[[Field, pl.Expr], pl.Expr]]] = {
    Kind.PHONE: _usual_phone,
    Kind.EMAIL: _usual_email,
    Kind.INTEGER: _usual_integer,
    Kind.MONEY: lambda _field, text: _matching(text, _USUAL_MONEY),
    Kind.TIME: lambda _field, text: _matching(text, _USUAL_TIME),
    Kind.LANGUAGE: lambda _field, text: _matching(text, _USUAL_LANGUAGE),
}
