"""SQL of changes of leads, composed of the columns that a change sets, together with its events."""

from functools import cache, lru_cache
from typing import Any, Final

from sqlalchemy import ColumnElement, Label
from sqlalchemy.dialects.postgresql import asyncpg

from services.lead_svc.domain.lead_status import OPEN
from services.lead_svc.leads.columns import READ_COLUMNS
from services.lead_svc.leads.event_sql import change_and_emit, json_object
from services.lead_svc.leads.events import EventSpecs

BY_ID: Final = "id = any($4::bigint[])"
BY_PHONE: Final = "phone = any($4::text[])"


def columns_after_status_change(status: str, previous: str) -> dict[str, str]:
    """SQL of the columns that depend on the status, by name, for a change that sets the status.

    `sub_status` is removed when the status changes, `next_contact_date` when the lead is not to be called any more.

    Parameters
    ----------
    status, previous
        SQL of the status after and before the change.
    """
    open_statuses = ", ".join(sorted(OPEN))
    return {
        "sub_status": f"CASE WHEN {status} = {previous} THEN leads.sub_status END",
        "next_contact_date": f"CASE WHEN {status} = ANY('{{{open_statuses}}}') THEN leads.next_contact_date END",
    }


# A replaced lead may differ in any of its columns: the SQL of a rare combination is composed again.
@lru_cache(maxsize=256)
def update_sql(condition: str, names: tuple[str, ...], events: EventSpecs) -> str:
    """SQL that gives leads new values, where at least one of the values is another one than before.

    Parameters: $1 to $3 as `change_and_emit`, $4 those of the condition, then the values of the columns. It returns a
    row for each status before the change: the status, the number of leads, and the smallest id.

    Parameters
    ----------
    condition
        `BY_ID` or `BY_PHONE`.
    names
        Columns to set.
    """
    value = {name: f"${number}" for number, name in enumerate(names, start=5)}
    differs = {name: f"{name} IS DISTINCT FROM {value[name]}" for name in names}
    other_differs = [test for name, test in differs.items() if name not in ("status", "assigned_to")]
    previous = f"""
        SELECT id, status, assigned_to, {" OR ".join(other_differs) or "false"} AS other_field_changes
        FROM leads
        WHERE company_id = $1 AND {condition} AND ({" OR ".join(differs.values()) or "true"})
        ORDER BY id -- so that two requests with some leads in common cannot wait for each other
        FOR UPDATE
    """
    sets = [f"{name} = {value[name]}" for name in names]
    if "status" in names:
        dependent = columns_after_status_change(value["status"], "previous.status")
        sets += [f"{name} = {sql}" for name, sql in dependent.items() if name not in names]
    update = f"""
        UPDATE leads SET {", ".join([*sets, "version = leads.version + 1", "updated_at = now()"])}
        FROM previous WHERE leads.id = previous.id
    """
    return change_and_emit(
        update,
        events,
        "previous_status, count(*), min(id) FROM changed GROUP BY previous_status ORDER BY min(id)",
        previous=previous,
        returning=("leads.id", "previous.status AS previous_status"),
    )


@cache
def insert_sql(names: tuple[str, ...], events: EventSpecs) -> str:
    """SQL that stores a lead with these columns, and returns its id and the lead as JSON.

    Parameters: $1 to $3 as `change_and_emit`, then the values of the columns.
    """
    values = (f"${number}" for number, _ in enumerate(names, start=4))
    insert = f"INSERT INTO leads ({', '.join(names)}) VALUES ({', '.join(values)})"
    return change_and_emit(insert, events, "id, json FROM changed", returning=("leads.id", f"{_LEAD_JSON} AS json"))


def _to_sql(column: ColumnElement[Any]) -> str:
    inner = column.element if isinstance(column, Label) else column
    text = inner.compile(dialect=asyncpg.dialect(), compile_kwargs={"literal_binds": True})  # type: ignore[no-untyped-call]
    return f"{text} AS {column.key}"


_LEAD_JSON: Final = json_object(_to_sql(column) for column in READ_COLUMNS)
