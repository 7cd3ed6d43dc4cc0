"""Errors of leads, as they are raised and as they are documented."""

from collections.abc import Iterable
from datetime import datetime

from services.lead_svc.domain.fields import LeadStatus
from services.lead_svc.domain.lead_status import FOLLOWING
from services.lead_svc.imports.errors import INVALID_CAMPAIGN
from shared.http.errors import (
    BadRequest,
    Conflict,
    FieldError,
    Forbidden,
    NotFound,
    ServiceUnavailable,
    invalid_request,
)


def not_found() -> NotFound:
    """There is no such lead for this caller."""
    return NotFound("Voice lead not found")


def campaign_not_found() -> NotFound:
    """There is no such campaign for this caller."""
    return NotFound("Voice campaign not found")


class InvalidCampaign(BadRequest):
    """The company has no such campaign, or has deleted it."""

    def __init__(self, campaign_id: int) -> None:
        fault = FieldError(
            field="campaign_id", value=str(campaign_id), code="invalid_campaign", message=INVALID_CAMPAIGN
        )
        super().__init__("Invalid request", INVALID_CAMPAIGN, [fault])


def campaign_unknown_now() -> ServiceUnavailable:
    """Whether there is such a campaign cannot be found out."""
    return ServiceUnavailable("Service unavailable", "The campaign cannot be checked at the moment; try again later")


def cannot_be_changed(field: str, value: int) -> BadRequest:
    """What a lead keeps for life."""
    message = "Cannot be changed: a lead stays with its campaign and company"
    return invalid_request(FieldError(field=field, value=str(value), code=f"{field}_changed", message=message))


def name_missing() -> BadRequest:
    """A body without a required field, as an example of all that a body can lack."""
    message = "Missing required field: first_name"
    return invalid_request(FieldError(field="first_name", value=None, code="missing", message=message))


def invalid_phone() -> BadRequest:
    """A number that is none, as an example."""
    message = "Invalid phone number format: 12"
    return invalid_request(FieldError(field="phone", value="12", code="invalid_phone", message=message))


def status_not_allowed(status: LeadStatus, wanted: LeadStatus) -> Conflict:
    """The lead's status cannot be followed by the one asked for."""
    after = " or ".join(FOLLOWING[status])
    return Conflict(
        "Lead status cannot be updated",
        f"A lead that is {status} cannot become {wanted}" + (f", but {after}" if after else ""),
    )


def status_not_allowed_to(lead_id: int, status: LeadStatus, wanted: LeadStatus) -> Conflict:
    """One of many leads has a status that cannot be followed by the one asked for."""
    refusal = status_not_allowed(status, wanted)
    return Conflict(refusal.message, f"Lead {lead_id}: {refusal.error}")


def blacklisted() -> Conflict:
    """The lead must not be called."""
    return Conflict("Lead is blacklisted", "The lead's number is not to be called")


def only_an_admin() -> Forbidden:
    """A blacklisted lead is left alone, but for an administrator."""
    return Forbidden("Access denied", "Only an administrator can take a lead off the blacklist")


def campaign_deleted() -> Conflict:
    """Nobody is called for a campaign that is no more."""
    return Conflict("Campaign was deleted", "The lead's campaign was deleted: it takes no more calls")


def not_yet(field: str, at: datetime) -> BadRequest:
    """A time that is yet to come, of something that has happened."""
    fault = FieldError(field=field, value=at.isoformat(), code="in_the_future", message="Must not be in the future")
    return invalid_request(fault)


def unknown_leads(ids: Iterable[int]) -> BadRequest:
    """Some of the ids are no leads of the company."""
    first, *others = [
        FieldError(
            field="lead_ids", value=str(lead_id), code="unknown_lead", message=f"No lead {lead_id} in this company"
        )
        for lead_id in ids
    ]
    return invalid_request(first, *others)
