"""How calls end: which endings are a success, and what each makes of the lead where the report does not say it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from services.lead_svc.domain.fields import LeadStatus


@dataclass(frozen=True, slots=True)
class Disposition:
    """An ending of a call."""

    successful: bool
    status: LeadStatus
    """What the lead becomes."""


_SUCCESS: Final = Disposition(successful=True, status=LeadStatus.COMPLETED)
_AGAIN: Final = Disposition(successful=False, status=LeadStatus.IN_PROGRESS)
_LATER: Final = Disposition(successful=False, status=LeadStatus.SCHEDULED)
_LOST: Final = Disposition(successful=False, status=LeadStatus.FAILED)

DISPOSITIONS: Final[Mapping[str, Disposition]] = {
    "completed": _SUCCESS,
    "successful": _SUCCESS,
    "converted": _SUCCESS,
    "sale": _SUCCESS,
    "appointment_set": _SUCCESS,
    "qualified": _SUCCESS,
    "interested": Disposition(successful=True, status=LeadStatus.IN_PROGRESS),
    "callback_requested": _LATER,
    "no_answer": _AGAIN,
    "busy": _AGAIN,
    "voicemail": _AGAIN,
    "dropped": _AGAIN,
    "not_interested": _LOST,
    "wrong_number": _LOST,
    "disconnected": _LOST,
    "failed": _LOST,
    "do_not_call": Disposition(successful=False, status=LeadStatus.BLACKLISTED),
}
"""By name, in lower case with underscores. A report may use other names: they say nothing of success or status."""


def disposition_of(name: str | None) -> Disposition | None:
    """The ending that a report names, however it is written (``No answer``); None for one that is not in the table."""
    return None if name is None else DISPOSITIONS.get("_".join(name.lower().replace("-", " ").split()))


def was_successful(explicit: bool | None, disposition: Disposition | None, status: LeadStatus) -> bool:
    """Whether a call succeeded: as its report says, else as its disposition does, else as the lead ended."""
    if explicit is not None:
        return explicit
    if disposition is not None:
        return disposition.successful
    return status is LeadStatus.COMPLETED
