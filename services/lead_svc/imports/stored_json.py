"""JSON from callers and files, as PostgreSQL's jsonb can hold it."""

import orjson


def as_jsonb(document: object) -> str | None:
    """The document as JSON text; None if it holds a NUL character or is nested more than 254 levels deep."""
    try:
        encoded = orjson.dumps(document)
    except orjson.JSONEncodeError:
        return None
    return None if rb"\u0000" in encoded.replace(rb"\\", b"") else encoded.decode()
