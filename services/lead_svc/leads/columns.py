"""The columns of a lead as the API returns it. PostgreSQL makes its JSON of them; no service builds a lead."""

from typing import Final

from sqlalchemy import ColumnElement, Text, case, func

from services.lead_svc.tables import leads

_TIMES: Final = frozenset({"last_contact_date", "next_contact_date", "converted_at", "created_at", "updated_at"})
_TAGS: Final = leads.c.custom_fields["tags"]


def _utc(column: ColumnElement[object]) -> ColumnElement[str]:
    """A time as the contract writes it: ``2024-03-20T10:00:00Z``."""
    text: ColumnElement[str] = func.to_char(func.timezone("UTC", column), 'YYYY-MM-DD"T"HH24:MI:SS"Z"', type_=Text)
    return text.label(column.name)


READ_COLUMNS: Final = [
    *(_utc(column) if column.name in _TIMES else column for column in leads.columns),
    # A custom field of any type may have this name; only a list is one of tags.
    case((func.jsonb_typeof(_TAGS) == "array", _TAGS)).label("tags"),
]
