"""The column `custom_fields`: tags, phone extensions and the other columns of the file, as one JSON object per lead."""

from collections.abc import Mapping

import orjson
import polars as pl

_EMPTY_OBJECT = "{}"


def custom_fields(texts: Mapping[str, pl.Expr], arrays: Mapping[str, pl.Expr]) -> pl.Expr:
    """Return an expression for a JSON object per row.

    Parameters
    ----------
    texts
        Text expressions by key. A null omits its key from the row's object.
    arrays
        Expressions of JSON arrays by key. A null omits its key too.
    """
    entries = [_text_entry(key, text) for key, text in texts.items()]
    entries += [pl.concat_str(pl.lit(_json(key) + ":"), array) for key, array in arrays.items()]
    if not entries:
        return pl.lit(_EMPTY_OBJECT)
    return pl.concat_str(pl.lit("{"), pl.concat_str(entries, separator=",", ignore_nulls=True), pl.lit("}"))


def merge_objects(objects: pl.Series, fallbacks: pl.Series | None, defaults: Mapping[str, object]) -> pl.Series:
    """Merge JSON objects row by row.

    Parameters
    ----------
    objects
        JSON objects; their entries take precedence.
    fallbacks
        JSON objects or nulls, whose entries fill in keys that `objects` lacks.
    defaults
        Entries for keys that both lack.
    """
    rows = zip(objects, fallbacks if fallbacks is not None else [None] * len(objects), strict=True)
    return pl.Series(
        objects.name,
        [
            orjson.dumps({**defaults, **orjson.loads(fallback or _EMPTY_OBJECT), **orjson.loads(entries)}).decode()
            for entries, fallback in rows
        ],
        dtype=pl.String,
    )


def _text_entry(key: str, text: pl.Expr) -> pl.Expr:
    # polars escapes JSON only inside of objects; the braces of this object are cut off.
    encoded = pl.struct(text.alias(key)).struct.json_encode().str.head(-1).str.slice(1)
    return pl.when(text.is_not_null()).then(encoded)


def _json(text: str) -> str:
    return orjson.dumps(text).decode()
