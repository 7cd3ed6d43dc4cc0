"""Dispositions of calls: which are a success, and the status of the lead after each."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from services.lead_svc.domain.fields import LeadStatus


@dataclass(frozen=True, slots=True)
class Disposition:
    """The result of a call."""

    successful: bool
    status: LeadStatus
    """The lead's status after the call, if the report has none."""


_SUCCESS: Final = Disposition(successful=True, status=LeadStatus.COMPLETED)
_RETRY: Final = Disposition(successful=False, status=LeadStatus.IN_PROGRESS)
_CALLBACK: Final = Disposition(successful=False, status=LeadStatus.SCHEDULED)
_FAILURE: Final = Disposition(successful=False, status=LeadStatus.FAILED)

DISPOSITIONS: Final[Mapping[str, Disposition]] = {
    "completed": _SUCCESS,
    "successful": _SUCCESS,
    "converted": _SUCCESS,
    "sale": _SUCCESS,
    "appointment_set": _SUCCESS,
    "qualified": _SUCCESS,
    "interested": Disposition(successful=True, status=LeadStatus.IN_PROGRESS),
    "callback_requested": _CALLBACK,
    "no_answer": _RETRY,
    "busy": _RETRY,
    "voicemail": _RETRY,
    "dropped": _RETRY,
    "not_interested": _FAILURE,
    "wrong_number": _FAILURE,
    "disconnected": _FAILURE,
    "failed": _FAILURE,
    "do_not_call": Disposition(successful=False, status=LeadStatus.BLACKLISTED),
}
"""By name, in lower case with underscores. A report may use other names: they have no effect on success and status."""


def find_disposition(name: str | None) -> Disposition | None:
    """Return the disposition with a name, in any spelling (``No answer``); None if it is not in the table."""
    return None if name is None else DISPOSITIONS.get("_".join(name.lower().replace("-", " ").split()))


def was_successful(explicit: bool | None, disposition: Disposition | None, status: LeadStatus) -> bool:
    """Whether a call succeeded: by its report, else by its disposition, else by the lead's status after it."""
    if explicit is not None:
        return explicit
    if disposition is not None:
        return disposition.successful
    return status is LeadStatus.COMPLETED
