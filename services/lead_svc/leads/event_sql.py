"""What changes of leads tell: events that PostgreSQL makes and stores in the statement of the change itself.

A thousand leads as JSON would otherwise travel to the service only to be sent back.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from services.lead_svc.outbox import outbox
from shared.events.envelope import EventData
from shared.events.leads import (
    LEADS_PER_EVENT,
    Lead,
    LeadAssigned,
    LeadConverted,
    LeadCreated,
    LeadDeleted,
    LeadScheduled,
    LeadStatusChanged,
    LeadUpdated,
)
from shared.messaging.outbox import insert_events_sql


@dataclass(frozen=True, slots=True)
class Telling:
    """A kind of event, and what it is made of: SQL on a lead as it is now (`leads`) and as it was (`previous`)."""

    event: type[EventData]
    which: str = "true"
    """Of which of the changed leads it tells."""
    further: tuple[tuple[str, str], ...] = ()
    """What it says of each besides the lead: each name with its value."""


CREATED: Final = Telling(LeadCreated)
UPDATED: Final = Telling(LeadUpdated)
UPDATED_OTHERWISE: Final = Telling(LeadUpdated, which="previous.differs")
"""Of leads of which something is new that no other event tells."""
UPDATED_IN_PLACE: Final = Telling(LeadUpdated, which="leads.status = previous.status")
"""Of leads whose new status does not tell it."""
DELETED: Final = Telling(LeadDeleted)
STATUS_CHANGED: Final = Telling(
    LeadStatusChanged, which="leads.status <> previous.status", further=(("previous_status", "previous.status"),)
)
ASSIGNED: Final = Telling(
    LeadAssigned,
    which="leads.assigned_to IS DISTINCT FROM previous.assigned_to",
    further=(("previous_assigned_to", "previous.assigned_to"),),
)
SCHEDULED: Final = Telling(LeadScheduled, further=(("next_contact_date", "leads.next_contact_date"),))
CONVERTED: Final = Telling(
    LeadConverted, further=tuple((name, f"leads.{name}") for name in ("conversion_value", "converted_at"))
)

Tellings = tuple[Telling, ...]
"""Kinds of events of one change, in the order in which they are sent."""


def frames(company_id: int, tellings: Tellings) -> tuple[list[str], list[str]]:
    """What `statement` fills: types and envelopes of the events."""
    types = [telling.event.event_type for telling in tellings]
    return types, outbox.frames(company_id, types)


def as_json(columns: Iterable[str]) -> str:
    """SQL of a JSON object as text, of columns of the row at hand."""
    return f"(SELECT row_to_json(shown)::text FROM (SELECT {', '.join(columns)}) AS shown)"


def statement(
    change: str,
    tellings: Tellings,
    answer: str,
    *,
    previous: str | None = None,
    returning: Sequence[str] = ("leads.id",),
    version: str = "leads.version",
) -> str:
    """SQL that changes leads of one company and stores the events that tell of it.

    Its first three parameters are the company, and types and envelopes of the events (`frames`).

    Parameters
    ----------
    change
        SQL that changes `leads`, as far as its RETURNING.
    answer
        What follows SELECT, of what the change returns (`changed`).
    previous
        SQL of the leads as they were, where `change` needs it.
    returning
        What the change returns: the lead's id, at least.
    version
        The version that the events tell.
    """
    columns = (f"{version} AS version" if name == "version" else f"leads.{name}" for name in Lead.model_fields)
    returned = [*returning, f"{as_json(columns)} AS told"]
    told: list[str] = []
    for kind, telling in enumerate(tellings, start=1):
        returned.append(f"{telling.which} AS which_{kind}")
        lead = "told"
        for number, (name, value) in enumerate(telling.further):
            further = f"further_{kind}_{number}"
            returned.append(f"{value} AS {further}")
            # Put before the rest: to leave out a text's end, PostgreSQL counts all of its characters.
            lead = f"""'{{"{name}":' || coalesce(to_json({further})::text, 'null') || ',' || right({lead}, -1)"""
        told.append(f"""
            SELECT {kind} AS kind, array_agg({lead} ORDER BY id) AS leads FROM changed WHERE which_{kind}
        """)
    messages = f"""
        SELECT $1::bigint AS company_id, ($2::text[])[kind] AS type, ($3::text[])[kind] AS frame,
            '{{"leads":[' || array_to_string(leads[first : first + {LEADS_PER_EVENT - 1}], ',') || ']}}' AS data
        FROM ({" UNION ALL ".join(told)}) AS told,
            generate_series(1, cardinality(leads), {LEADS_PER_EVENT}) AS first
        ORDER BY kind, first
    """
    return f"""
        WITH {f"previous AS ({previous})," if previous else ""}
        changed AS ({change} RETURNING {", ".join(returned)}),
        stored AS ({insert_events_sql(messages)})
        SELECT {answer}
    """
