"""Turn values of JSON leads into cell texts, so that the rules for the cells of a file (`from_text`) apply to them."""

import orjson

from services.lead_svc.domain.fields import Field, Kind
from services.lead_svc.values.jsonb import to_jsonb
from shared.text import shorten


def to_cell_text(field: Field, value: object) -> str | None:
    """Return the cell text of a value, "" for null; None if the value's type is wrong or the text has a NUL."""
    match value:
        case None:
            return ""
        case str():
            return None if "\0" in value else value.strip()
        case bool():
            return None
        case int() | float() if field.kind in {Kind.INTEGER, Kind.MONEY}:
            return str(value)
        case list() if field.kind is Kind.LIST:
            return to_jsonb(value)
        case dict() if field.kind is Kind.OBJECT:
            return to_jsonb(value)
    return None


def display_text(value: object) -> str:
    """Return a JSON value as an error repeats it: a text with its NULs replaced, any other value as JSON."""
    if isinstance(value, str):
        return shorten(value).replace("\0", "\ufffd")  # PostgreSQL cannot store a NUL
    try:
        return shorten(orjson.dumps(value).decode())
    except orjson.JSONEncodeError:
        return "…"  # nested too deeply
