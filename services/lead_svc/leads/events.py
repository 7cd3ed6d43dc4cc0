"""Events of a change of leads: what a service passes to `repository.change`.

PostgreSQL makes the events in the statement of the change itself (`event_sql`); this module only names them.
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from shared.events.leads import (
    LeadAssigned,
    LeadConverted,
    LeadCreated,
    LeadDeleted,
    LeadScheduled,
    LeadStatusChanged,
    LeadUpdated,
)


class Condition(Enum):
    """For which of the changed leads an event is emitted."""

    ALWAYS = auto()
    STATUS_CHANGED = auto()
    STATUS_UNCHANGED = auto()
    ASSIGNEE_CHANGED = auto()
    OTHER_FIELD_CHANGED = auto()
    """A field other than status and assignee changed: no other event covers that change."""


@dataclass(frozen=True, slots=True)
class EventSpec:
    """An event of a change, and the fields that it carries in addition to the lead."""

    event_type: str
    """Such as ``lead.updated.v1``."""
    condition: Condition = Condition.ALWAYS
    extra_fields: tuple[str, ...] = ()
    """Members of each lead in the event in addition to those of `shared.events.leads.Lead`."""


LEAD_CREATED: Final = EventSpec(LeadCreated.event_type)
LEAD_DELETED: Final = EventSpec(LeadDeleted.event_type)
LEAD_UPDATED: Final = EventSpec(LeadUpdated.event_type)
LEAD_UPDATED_IF_STATUS_UNCHANGED: Final = EventSpec(LeadUpdated.event_type, Condition.STATUS_UNCHANGED)
LEAD_UPDATED_IF_OTHER_FIELD_CHANGED: Final = EventSpec(LeadUpdated.event_type, Condition.OTHER_FIELD_CHANGED)
LEAD_STATUS_CHANGED: Final = EventSpec(LeadStatusChanged.event_type, Condition.STATUS_CHANGED, ("previous_status",))
LEAD_ASSIGNED: Final = EventSpec(LeadAssigned.event_type, Condition.ASSIGNEE_CHANGED, ("previous_assigned_to",))
LEAD_SCHEDULED: Final = EventSpec(LeadScheduled.event_type, extra_fields=("next_contact_date",))
LEAD_CONVERTED: Final = EventSpec(LeadConverted.event_type, extra_fields=("conversion_value", "converted_at"))

EventSpecs = tuple[EventSpec, ...]
"""Events of one change, in the order in which they are sent."""
