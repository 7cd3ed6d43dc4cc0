"""The lifecycle of a campaign: which steps there are, from where each may be taken, and where it leads.

Everything that changes a status reads this table: the four step endpoints, PATCH of the status, PUT, the API's
documentation and ``docs/lifecycle.md``.
"""

from dataclasses import dataclass
from typing import Final

from shared.events.campaigns import CampaignStatus


@dataclass(frozen=True, slots=True)
class Step:
    """A step from some statuses to another."""

    name: str
    """The verb, as in the path of its endpoint."""
    sources: tuple[CampaignStatus, ...]
    target: CampaignStatus
    done: str
    """What the verb is once it is done, as in ``Campaign started successfully``."""

    def may_leave(self, status: CampaignStatus) -> bool:
        """Whether a campaign with this status may take the step."""
        return status in self.sources


START: Final = Step("start", ("draft",), "active", "started")
PAUSE: Final = Step("pause", ("active",), "paused", "paused")
RESUME: Final = Step("resume", ("paused",), "active", "resumed")
COMPLETE: Final = Step("complete", ("active", "paused"), "completed", "completed")
STEPS: Final = (START, PAUSE, RESUME, COMPLETE)

NOT_EDITABLE: Final[CampaignStatus] = "completed"
"""A campaign that has ended is a record: nothing of it may change."""
NOT_DELETABLE: Final[CampaignStatus] = "active"
"""A campaign that makes calls is stopped before it is deleted."""


def step_between(status: CampaignStatus, wanted: CampaignStatus) -> Step | None:
    """The step that leads from one status to another; None when there is none."""
    return next((step for step in STEPS if step.target == wanted and step.may_leave(status)), None)


def statuses_after(status: CampaignStatus) -> tuple[CampaignStatus, ...]:
    """The statuses that are one step away, in the order of the table."""
    return tuple(step.target for step in STEPS if step.may_leave(status))
