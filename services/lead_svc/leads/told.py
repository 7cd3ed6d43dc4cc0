"""Leads as other services are told of them: JSON that PostgreSQL builds with the change, and the events made of it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import Final

import orjson

from shared.events.envelope import EventData, Serialized
from shared.events.leads import (
    LEADS_PER_EVENT,
    LeadAssigned,
    LeadConverted,
    LeadCreated,
    LeadDeleted,
    LeadScheduled,
    LeadStatusChanged,
    LeadUpdated,
)

_UTF8: Final = "utf-8"


@dataclass(frozen=True, slots=True)
class Told:
    """A lead after a change, and what it was before."""

    id: int
    phone: str
    status: str
    previous_status: str
    assigned_to: int | None
    previous_assigned_to: int | None
    differs: bool
    """Whether something else than status and agent is not what it was."""
    json: str
    """The lead as events carry it."""


def created(leads: Iterable[Told]) -> list[Serialized]:
    """They are new."""
    return _events(LeadCreated, leads)


def updated(leads: Iterable[Told]) -> list[Serialized]:
    """Those of them of which something is new that no other event tells."""
    return _events(LeadUpdated, (lead for lead in leads if lead.differs))


def deleted(leads: Iterable[Told]) -> list[Serialized]:
    """They are no more."""
    return _events(LeadDeleted, leads)


def status_changed(leads: Iterable[Told]) -> list[Serialized]:
    """Those of them that have another status than before."""
    changed = (lead for lead in leads if lead.status != lead.previous_status)
    return _events(LeadStatusChanged, changed, lambda lead: {"previous_status": lead.previous_status})


def assigned(leads: Iterable[Told]) -> list[Serialized]:
    """Those of them that are somebody else's than before."""
    changed = (lead for lead in leads if lead.assigned_to != lead.previous_assigned_to)
    return _events(LeadAssigned, changed, lambda lead: {"previous_assigned_to": lead.previous_assigned_to})


def scheduled(leads: Iterable[Told], next_contact_date: datetime) -> list[Serialized]:
    """They are to be called at a time."""
    return _events(LeadScheduled, leads, lambda _: {"next_contact_date": next_contact_date})


def converted(leads: Iterable[Told], value: Decimal, at: datetime) -> list[Serialized]:
    """They were converted."""
    return _events(LeadConverted, leads, lambda _: {"conversion_value": float(value), "converted_at": at})


def _events(
    kind: type[EventData], leads: Iterable[Told], further: Callable[[Told], dict[str, object]] | None = None
) -> list[Serialized]:
    told = [lead.json if further is None else _with(lead.json, further(lead)) for lead in leads]
    return [
        Serialized(kind.event_type, ('{"leads":[' + ",".join(part) + "]}").encode(_UTF8))
        for part in _parts(told, LEADS_PER_EVENT)
    ]


def _with(json: str, further: dict[str, object]) -> str:
    return f"{json[:-1]},{orjson.dumps(further).decode()[1:]}"


def _parts(texts: Sequence[str], size: int) -> Iterator[list[str]]:
    remaining = iter(texts)
    while part := list(islice(remaining, size)):
        yield part
