"""What a lead knows beyond its fields: tags, phone extensions and the other columns of its file, as one JSON object."""

from collections.abc import Mapping

import orjson
import polars as pl

_EMPTY = "{}"


def custom_fields(entries: Mapping[str, pl.Expr], arrays: Mapping[str, pl.Expr]) -> pl.Expr:
    """A JSON object per row.

    `entries` are texts by key, `arrays` JSON arrays by key; a null leaves its key out of the row's object.
    """
    pieces = [_text_entry(key, text) for key, text in entries.items()]
    pieces += [pl.concat_str(pl.lit(_json(key) + ":"), array) for key, array in arrays.items()]
    if not pieces:
        return pl.lit(_EMPTY)
    return pl.concat_str(pl.lit("{"), pl.concat_str(pieces, separator=",", ignore_nulls=True), pl.lit("}"))


def merged(over: pl.Series, under: pl.Series | None, common: Mapping[str, object]) -> pl.Series:
    """The objects in `over`, with what they lack from those in `under`, and with what both lack from `common`."""
    rows = zip(over, under if under is not None else [None] * len(over), strict=True)
    return pl.Series(
        over.name,
        [
            orjson.dumps({**common, **orjson.loads(below or _EMPTY), **orjson.loads(above)}).decode()
            for above, below in rows
        ],
        dtype=pl.String,
    )


def _text_entry(key: str, text: pl.Expr) -> pl.Expr:
    # polars escapes JSON only inside of objects; the braces of this one go.
    encoded = pl.struct(text.alias(key)).struct.json_encode().str.head(-1).str.slice(1)
    return pl.when(text.is_not_null()).then(encoded)


def _json(text: str) -> str:
    return orjson.dumps(text).decode()
