"""From a column of texts to the values of a field, where the texts have the shapes in which most values come.

A shortcut: it agrees with `values.parse`, which is the rule, and leaves to it what looks otherwise.
"""

from collections.abc import Callable, Mapping
from typing import Final

import polars as pl

from services.lead_svc.domain.fields import EMAIL_PATTERN, Field, Kind
from services.lead_svc.domain.phone import PLAIN_SHAPES

_PLAIN_TIME: Final = r"^(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]$"
_PLAIN_MONEY: Final = r"^[0-9]{1,13}(?:\.[0-9]{1,2})?$"
_PLAIN_LANGUAGE: Final = r"^[a-z]{2,3}(?:-[A-Z]{2})?$"


def plain(field: Field, text: pl.Expr) -> pl.Expr | None:
    """The values of the texts that have the plain shape of a field, null for all others; None if there is none."""
    build = _PLAIN.get(field.kind)
    return build(field, text) if build is not None else None


def _plain_phone(_field: Field, text: pl.Expr) -> pl.Expr:
    return pl.coalesce(
        pl.when(text.str.contains(pattern)).then(pl.lit(prefix) + text.str.slice(cut) if prefix else text)
        for pattern, cut, prefix in PLAIN_SHAPES
    )


def _shaped(text: pl.Expr, pattern: str) -> pl.Expr:
    return pl.when(text.str.contains(pattern)).then(text)


def _plain_email(field: Field, text: pl.Expr) -> pl.Expr:
    return pl.when(text.str.contains(EMAIL_PATTERN) & (text.str.len_bytes() <= (field.max_length or 0))).then(text)


def _plain_integer(field: Field, text: pl.Expr) -> pl.Expr:
    number = text.str.to_integer(strict=False, dtype=pl.Int64)
    return pl.when(number.is_between(field.minimum, field.maximum)).then(number)


_PLAIN: Final[Mapping[Kind, Callable[[Field, pl.Expr], pl.Expr]]] = {
    Kind.PHONE: _plain_phone,
    Kind.EMAIL: _plain_email,
    Kind.INTEGER: _plain_integer,
    Kind.MONEY: lambda _field, text: _shaped(text, _PLAIN_MONEY),
    Kind.TIME: lambda _field, text: _shaped(text, _PLAIN_TIME),
    Kind.LANGUAGE: lambda _field, text: _shaped(text, _PLAIN_LANGUAGE),
}
