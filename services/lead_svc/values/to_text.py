"""JSON values as the texts that a cell would hold, so that they go by the rules of a file's cells."""

import orjson

from services.lead_svc.domain.fields import Field, Kind
from services.lead_svc.spreadsheets.row_errors import shorten
from services.lead_svc.values.jsonb import to_jsonb


def to_cell_text(spec: Field, value: object) -> str | None:
    """The value as a cell would hold it, "" for none, None if its type is not one of the field's."""
    match value:
        case None:
            return ""
        case str():
            return None if "\0" in value else value.strip()
        case bool():
            return None
        case int() | float() if spec.kind in {Kind.INTEGER, Kind.MONEY}:
            return str(value)
        case list() if spec.kind is Kind.LIST:
            return to_jsonb(value)
        case dict() if spec.kind is Kind.OBJECT:
            return to_jsonb(value)
    return None


def display_text(value: object) -> str:
    """A JSON value as a report repeats it: a text as it is but for NULs, anything else as JSON."""
    if isinstance(value, str):
        return shorten(value).replace("\0", "\ufffd")  # PostgreSQL holds no NUL
    try:
        return shorten(orjson.dumps(value).decode())
    except orjson.JSONEncodeError:
        return "…"  # nested too deeply
