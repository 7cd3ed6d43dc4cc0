"""JSON from callers and files, as PostgreSQL's jsonb can hold it."""

import json

import orjson


def to_jsonb(document: object) -> str | None:
    """The document as JSON text; None if that cannot be stored.

    So it is if the document holds a NUL character or a number that is none (NaN, Infinity), or is nested more than 254
    levels deep.
    """
    try:
        encoded = orjson.dumps(document)
    except orjson.JSONEncodeError:
        return None
    if not has_finite_numbers(document):  # orjson writes null
        return None
    return None if rb"\u0000" in encoded.replace(rb"\\", b"") else encoded.decode()


def has_finite_numbers(document: object) -> bool:
    """Whether a document holds numbers that JSON has: Python also reads NaN and Infinity, and takes 1e999 for it."""
    try:
        json.dumps(document, allow_nan=False)
    except ValueError:
        return False
    return True
