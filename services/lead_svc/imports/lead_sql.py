"""SQL of an import's changes to leads, composed from the columns that an import fills.

Each statement also stores the events of the change (`leads/event_sql.py`). Its first three parameters are the company,
and the types and envelopes of the events.
"""

from typing import Final

from services.lead_svc.imports.records import LEAD_COLUMNS
from services.lead_svc.leads.change_sql import columns_after_status_change
from services.lead_svc.leads.event_sql import change_and_emit
from services.lead_svc.leads.events import LEAD_ASSIGNED, LEAD_DELETED, LEAD_STATUS_CHANGED, LEAD_UPDATED

UPDATE_EVENTS: Final = (LEAD_STATUS_CHANGED, LEAD_UPDATED, LEAD_ASSIGNED)
DELETE_EVENTS: Final = (LEAD_DELETED,)

_JSON_COLUMNS: Final = frozenset({"pain_points", "requirements", "custom_fields"})
_COLUMN_TYPES: Final = {
    "priority": "smallint", "lead_score": "smallint", "assigned_to": "bigint", "best_time_to_call": "time",
    "annual_revenue": "numeric",
}  # fmt: skip
"""Types of the columns in `file_row`; the others are text."""


def _new_value(name: str) -> str:
    if name == "custom_fields":
        return "leads.custom_fields || coalesce(file_row.custom_fields::jsonb, '{}')"
    value = f"file_row.{name}::jsonb" if name in _JSON_COLUMNS else f"file_row.{name}"
    return f"coalesce({value}, leads.{name})"


_FILE_ROW: Final = ", ".join(f"{name} {_COLUMN_TYPES.get(name, 'text')}" for name in LEAD_COLUMNS)
_ASSIGNMENTS: Final = {name: _new_value(name) for name in LEAD_COLUMNS} | columns_after_status_change(
    _new_value("status"), "leads.status"
)

UPDATE_LEADS: Final = change_and_emit(
    f"""
    UPDATE leads SET {", ".join(f"{name} = {value}" for name, value in _ASSIGNMENTS.items())},
        version = leads.version + 1,
        updated_at = now()
    FROM json_to_recordset($4::json) AS file_row (id bigint, {_FILE_ROW})
        JOIN leads AS previous ON previous.id = file_row.id
    WHERE leads.id = file_row.id AND leads.company_id = $1
    """,
    UPDATE_EVENTS,
    "count(*) FROM changed",
)
"""Update locked leads from rows of a file. A null leaves the lead's value.

$4 is a JSON array of objects with `id` and `LEAD_COLUMNS`.
"""

DELETE_UNCHANGED_LEADS: Final = change_and_emit(
    """
    DELETE FROM leads
    WHERE company_id = $1 AND import_id = $4 AND id BETWEEN $5 AND $6 AND version = 1
    """,
    DELETE_EVENTS,
    "count(*) FROM changed",
    # The events carry the version after the last stored one: a projection must not ignore them as old.
    version="leads.version + 1",
)
"""Delete the leads of an import that have not changed since; return their number.

$4 is the import, $5 and $6 are the ids of its first and last lead.
"""
