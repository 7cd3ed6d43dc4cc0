"""Errors of leads, as they are raised and as they are documented."""

from collections.abc import Iterable
from datetime import datetime

from services.lead_svc.domain.fields import LeadStatus
from services.lead_svc.domain.lead_status import forbidden_transition
from shared.http.errors import BadRequest, Conflict, FieldError, Forbidden, NotFound, invalid_request


def not_found() -> NotFound:
    """The caller's companies have no such lead."""
    return NotFound("Voice lead not found")


def campaign_not_found() -> NotFound:
    """The caller's companies have no such campaign."""
    return NotFound("Voice campaign not found")


def field_changed(field: str, value: int) -> BadRequest:
    """Company and campaign of a lead never change."""
    message = "Cannot be changed: a lead stays with its campaign and company"
    return invalid_request(FieldError(field=field, value=str(value), code=f"{field}_changed", message=message))


def name_missing() -> BadRequest:
    """A required field is missing: the example in the documentation."""
    message = "Missing required field: first_name"
    return invalid_request(FieldError(field="first_name", value=None, code="missing", message=message))


def invalid_phone() -> BadRequest:
    """A phone number is invalid: the example in the documentation."""
    message = "Invalid phone number format: 12"
    return invalid_request(FieldError(field="phone", value="12", code="invalid_phone", message=message))


def transition_not_allowed(status: LeadStatus, new_status: LeadStatus) -> Conflict:
    """The lead's status cannot change to the requested one."""
    return Conflict("Lead status cannot be updated", forbidden_transition(status, new_status))


def transition_of_lead_not_allowed(lead_id: int, status: LeadStatus, new_status: LeadStatus) -> Conflict:
    """The status of one of several leads cannot change to the requested one."""
    error = transition_not_allowed(status, new_status)
    return Conflict(error.message, f"Lead {lead_id}: {error.error}")


def blacklisted() -> Conflict:
    """The lead is blacklisted: it is not called any more."""
    return Conflict("Lead is blacklisted", "The lead's number must not be called")


def admin_required() -> Forbidden:
    """Only an administrator changes the status of a blacklisted lead."""
    return Forbidden("Access denied", "Only an administrator can take a lead off the blacklist")


def campaign_deleted() -> Conflict:
    """The lead's campaign is deleted: it makes no more calls."""
    return Conflict("Campaign was deleted", "The lead's campaign was deleted: it makes no more calls")


def in_the_future(field: str, moment: datetime) -> BadRequest:
    """A time in the past is required."""
    error = FieldError(field=field, value=moment.isoformat(), code="in_the_future", message="Must not be in the future")
    return invalid_request(error)


def unknown_leads(ids: Iterable[int]) -> BadRequest:
    """The company has no leads with these ids."""
    first, *others = [
        FieldError(
            field="lead_ids", value=str(lead_id), code="unknown_lead", message=f"No lead {lead_id} in this company"
        )
        for lead_id in ids
    ]
    return invalid_request(first, *others)
