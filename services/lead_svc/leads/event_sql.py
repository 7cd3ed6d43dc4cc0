"""SQL that emits the events of a change of leads: PostgreSQL makes their JSON in the statement of the change itself.

A thousand leads as JSON would otherwise travel to the service only to be sent back (decision 15).

Example: a bulk update of the status to ``completed``, with the event `LEAD_STATUS_CHANGED`, becomes (shortened)::

    WITH previous AS (SELECT id, status FROM leads WHERE company_id = $1 AND id = any($4) FOR UPDATE),
    changed AS (
        UPDATE leads SET status = $5, version = leads.version + 1 FROM previous WHERE leads.id = previous.id
        RETURNING leads.id,
            (SELECT row_to_json(lead)::text FROM (SELECT leads.id, leads.version, ...) AS lead) AS lead,
            leads.status <> previous.status AS emits_1,
            previous.status AS extra_1_0
    ),
    stored AS (
        INSERT INTO outbox (event_id, exchange, routing_key, company_id, body)
        SELECT ..., '{"leads":[' || array_to_string(leads[first : first + 499], ',') || ']}' AS data
        FROM (
            SELECT 1 AS position,
                array_agg(
                    '{"previous_status":' || to_json(extra_1_0)::text || ',' || right(lead, -1) ORDER BY id
                ) AS leads
            FROM changed WHERE emits_1
        ) AS events, generate_series(1, cardinality(leads), 500) AS first
    )
    SELECT count(*) FROM changed

and stores one event for each 500 leads whose status was another one, with the data::

    {"leads":[{"previous_status":"pending","id":7,"version":2,"campaign_id":1,...,"status":"completed",...},...]}
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from services.lead_svc.leads.events import Condition, EventSpecs
from services.lead_svc.outbox import outbox
from shared.events.leads import LEADS_PER_EVENT, Lead
from shared.ids import CompanyId
from shared.messaging.outbox import insert_events_sql

# SQL on a lead as it is after the change (`leads`) and as it was before (`previous`).
_CONDITIONS: Final[Mapping[Condition, str]] = {
    Condition.ALWAYS: "true",
    Condition.STATUS_CHANGED: "leads.status <> previous.status",
    Condition.STATUS_UNCHANGED: "leads.status = previous.status",
    Condition.ASSIGNEE_CHANGED: "leads.assigned_to IS DISTINCT FROM previous.assigned_to",
    Condition.OTHER_FIELD_CHANGED: "previous.other_field_changes",
}
_EXTRA_FIELDS: Final[Mapping[str, str]] = {
    "previous_status": "previous.status",
    "previous_assigned_to": "previous.assigned_to",
    "next_contact_date": "leads.next_contact_date",
    "conversion_value": "leads.conversion_value",
    "converted_at": "leads.converted_at",
}


def event_parameters(company_id: CompanyId, events: EventSpecs) -> tuple[list[str], list[str]]:
    """The second and third parameter of `change_and_emit`: types and envelopes of the events."""
    types = [event.event_type for event in events]
    return types, outbox.frames(company_id, types)


def json_object(columns: Iterable[str]) -> str:
    """SQL of a JSON object as text, made of columns of the current row."""
    return f"(SELECT row_to_json(lead)::text FROM (SELECT {', '.join(columns)}) AS lead)"


def change_and_emit(
    change: str,
    events: EventSpecs,
    select: str,
    *,
    previous: str | None = None,
    returning: Sequence[str] = ("leads.id",),
    version: str = "leads.version",
) -> str:
    """SQL that changes leads of one company and stores the events of the change in the outbox.

    Its first three parameters are the company, and the types and the envelopes of the events (`event_parameters`).

    Parameters
    ----------
    change
        SQL that changes `leads`, up to its RETURNING.
    select
        SQL after the last SELECT, on the rows that the change returns (`changed`).
    previous
        SQL of the leads before the change, where `change` or a condition needs it.
    returning
        What the change returns: the lead's id, at least.
    version
        SQL of the version that the events carry.
    """
    columns = (f"{version} AS version" if name == "version" else f"leads.{name}" for name in Lead.model_fields)
    returned = [*returning, f"{json_object(columns)} AS lead"]
    emitted: list[str] = []
    for position, event in enumerate(events, start=1):
        returned.append(f"{_CONDITIONS[event.condition]} AS emits_{position}")
        lead = "lead"
        for number, name in enumerate(event.extra_fields):
            extra = f"extra_{position}_{number}"
            returned.append(f"{_EXTRA_FIELDS[name]} AS {extra}")
            # At the beginning of the object: to remove the end of a text, PostgreSQL counts all of its characters.
            lead = f"""'{{"{name}":' || coalesce(to_json({extra})::text, 'null') || ',' || right({lead}, -1)"""
        emitted.append(f"""
            SELECT {position} AS position, array_agg({lead} ORDER BY id) AS leads FROM changed WHERE emits_{position}
        """)
    messages = f"""
        SELECT $1::bigint AS company_id, ($2::text[])[position] AS type, ($3::text[])[position] AS frame,
            '{{"leads":[' || array_to_string(leads[first : first + {LEADS_PER_EVENT - 1}], ',') || ']}}' AS data
        FROM ({" UNION ALL ".join(emitted)}) AS events,
            generate_series(1, cardinality(leads), {LEADS_PER_EVENT}) AS first
        ORDER BY position, first
    """
    return f"""
        WITH {f"previous AS ({previous})," if previous else ""}
        changed AS ({change} RETURNING {", ".join(returned)}),
        stored AS ({insert_events_sql(messages)})
        SELECT {select}
    """
