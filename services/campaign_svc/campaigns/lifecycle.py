"""The lifecycle of a campaign: the transitions between its statuses.

Everything that changes a status reads this table: the endpoints of the four transitions, PATCH of the status, PUT, the
API's documentation and ``docs/lifecycle.md``.
"""

from dataclasses import dataclass
from typing import Final

from shared.events.campaigns import CampaignStatus


@dataclass(frozen=True, slots=True)
class Transition:
    """A named change of status."""

    name: str
    """The verb, as in the path of its endpoint."""
    sources: tuple[CampaignStatus, ...]
    """The statuses from which it is allowed."""
    target: CampaignStatus
    participle: str
    """The participle of ``name``, as in ``Campaign started successfully``."""

    def is_allowed_from(self, status: CampaignStatus) -> bool:
        """Return whether a campaign with this status may make the transition."""
        return status in self.sources


START: Final = Transition("start", ("draft",), "active", "started")
PAUSE: Final = Transition("pause", ("active",), "paused", "paused")
RESUME: Final = Transition("resume", ("paused",), "active", "resumed")
COMPLETE: Final = Transition("complete", ("active", "paused"), "completed", "completed")
TRANSITIONS: Final = (START, PAUSE, RESUME, COMPLETE)

NOT_EDITABLE: Final[CampaignStatus] = "completed"
"""A completed campaign is a record: none of its fields may change."""
NOT_DELETABLE: Final[CampaignStatus] = "active"
"""An active campaign makes calls: it must be paused or completed before it is deleted."""


def can_transition(source: CampaignStatus, target: CampaignStatus) -> bool:
    """Return whether a transition leads from one status to another."""
    return target in next_statuses(source)


def next_statuses(status: CampaignStatus) -> tuple[CampaignStatus, ...]:
    """Return the statuses that are one transition away, in the order of the table."""
    return tuple(transition.target for transition in TRANSITIONS if transition.is_allowed_from(status))
