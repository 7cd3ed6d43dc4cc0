"""Encode JSON of callers and files for PostgreSQL's jsonb, which cannot store all of it."""

import json

import orjson


def to_jsonb(document: object) -> str | None:
    """Encode a document as JSON text, None if jsonb cannot store it.

    A document cannot be stored if it contains a NUL character, half a surrogate pair, NaN, Infinity or a number beyond
    64 bits, or if it is nested more than 254 levels deep.
    """
    try:
        encoded = orjson.dumps(document)
    except orjson.JSONEncodeError:
        return None
    if not has_finite_numbers(document):  # orjson writes null
        return None
    return None if rb"\u0000" in encoded.replace(rb"\\", b"") else encoded.decode()


def has_finite_numbers(document: object) -> bool:
    """Return whether all numbers of a document are finite: Python also reads NaN, Infinity, and 1e999 as Infinity."""
    try:
        json.dumps(document, allow_nan=False)
    except ValueError:
        return False
    return True
