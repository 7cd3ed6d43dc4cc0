"""An event as one line of text, for people who watch events."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC
from typing import Any, Final

from shared.events.envelope import Envelope

MAX_IDS = 5
"""Maximum number of ids in a line; of more ids, the first and the last are displayed."""


def event_line(event: Envelope) -> str:
    """Return time, type, company, the entities of the event and their new state.

    Names come from callers of the API: every character that could control a terminal is replaced.
    """
    time = event.time.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    description = "; ".join(_description(name, value) for name, value in event.data.items() if name in _DESCRIPTIONS)
    line = f"{time}Z  {event.type:<26}  company {event.companyid}  {description}"
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in line)


def _description(name: str, value: Any) -> str:  # noqa: ANN401 - of any shape: a later version's event is displayed too
    try:
        return _DESCRIPTIONS[name](value)
    except (AttributeError, KeyError, TypeError, IndexError):
        return f"{name} of an unknown shape"


def _campaign(campaign: Mapping[str, Any]) -> str:
    return f"campaign {_identity(campaign)}: {campaign['name']}, {campaign['status']}"


def _previous_status(status: str) -> str:
    return f"was {status}"


def _member(member: Mapping[str, Any]) -> str:
    return f"member {_identity(member)}: {member['name']}"


def _job(job: Mapping[str, Any]) -> str:
    figures = f"{job['imported_count']} leads, {job['error_count']} errors"
    return f"import {job['id']}: {job['filename']}, campaign {job['campaign_id']}, {figures}"


def _reason(reason: str) -> str:
    return reason


def _leads(leads: Sequence[Mapping[str, Any]]) -> str:
    subject = f"lead {_identity(leads[0])}" if len(leads) == 1 else f"leads {_ids(leads)}"
    return f"{subject}: campaign {leads[0]['campaign_id']}, {_summary([_outcome(lead) for lead in leads])}"


def _outcome(lead: Mapping[str, Any]) -> str:
    """Return the change of a lead in a few words."""
    if "previous_status" in lead:
        return f"{lead['previous_status']} → {lead['status']}"
    if "previous_assigned_to" in lead:
        return f"agent {lead['previous_assigned_to'] or 'none'} → {lead['assigned_to'] or 'none'}"
    if "next_contact_date" in lead:
        return f"to call at {lead['next_contact_date']}"
    if "conversion_value" in lead:
        return f"worth {lead['conversion_value']}"
    return str(lead["status"])


def _calls(calls: Sequence[Mapping[str, Any]]) -> str:
    results = _summary(["successful" if call["successful"] else "not successful" for call in calls])
    campaign = f"campaign {calls[0]['campaign_id']}"
    if len(calls) > 1:
        return f"calls {_ids(calls)}: {campaign}, {results}"
    return f"call {calls[0]['id']} of lead {calls[0]['lead_id']}: {campaign}, {results}, {calls[0]['duration']} s"


def _identity(entity: Mapping[str, Any]) -> str:
    return f"{entity['id']} v{entity['version']}"


def _ids(entities: Sequence[Mapping[str, Any]]) -> str:
    ids = [str(entity["id"]) for entity in entities]
    return ", ".join(ids) if len(ids) <= MAX_IDS else f"{ids[0]} … {ids[-1]} ({len(ids)})"


def _summary(words: Sequence[str]) -> str:
    """Return each word once: alone when it is true of all, otherwise with its count."""
    counted = Counter(words)
    return words[0] if len(counted) == 1 else ", ".join(f"{number} {word}" for word, number in counted.most_common())


_DESCRIPTIONS: Final[Mapping[str, Callable[[Any], str]]] = {
    "campaign": _campaign,
    "previous_status": _previous_status,
    "member": _member,
    "job": _job,
    "reason": _reason,
    "leads": _leads,
    "call_attempts": _calls,
}
"""Makes the description of each part of an event's data."""
