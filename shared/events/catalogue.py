"""The catalogue: every type of message."""

from collections.abc import Mapping
from typing import Final

from shared.events.campaigns import CampaignCreated, CampaignDeleted, CampaignStatusChanged, CampaignUpdated
from shared.events.envelope import Command, EventData
from shared.events.imports import ImportCompleted, ImportFailed, ImportRequested
from shared.events.leads import (
    LeadAssigned,
    LeadCallAttempted,
    LeadConverted,
    LeadCreated,
    LeadDeleted,
    LeadScheduled,
    LeadStatusChanged,
    LeadUpdated,
)
from shared.events.members import MemberDeleted, MemberUpdated

CATALOGUE: Final[dict[str, type[EventData]]] = {
    data.event_type: data
    for data in (
        CampaignCreated,
        CampaignUpdated,
        CampaignStatusChanged,
        CampaignDeleted,
        LeadCreated,
        LeadUpdated,
        LeadStatusChanged,
        LeadAssigned,
        LeadScheduled,
        LeadCallAttempted,
        LeadConverted,
        LeadDeleted,
        MemberUpdated,
        MemberDeleted,
        ImportRequested,
        ImportCompleted,
        ImportFailed,
    )
}

EVENTS: Final[Mapping[str, type[EventData]]] = {
    name: data for name, data in CATALOGUE.items() if not issubclass(data, Command)
}
"""The events: what other programs may subscribe to."""
