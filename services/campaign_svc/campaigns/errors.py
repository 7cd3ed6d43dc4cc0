"""Errors of campaigns. The same objects are raised and documented in OpenAPI."""

from services.campaign_svc.campaigns.lifecycle import NOT_DELETABLE, NOT_EDITABLE, Transition, next_statuses
from shared.events.campaigns import CampaignStatus
from shared.http.errors import BadRequest, Conflict, FieldError, NotFound, invalid_request


def not_found() -> NotFound:
    """The caller's companies have no such campaign."""
    return NotFound("Voice campaign not found")


def company_id_required() -> BadRequest:
    """``company_id`` is empty or not an id."""
    return BadRequest("Company ID is required", "company_id must be a positive integer")


def transition_not_allowed(transition: Transition, status: CampaignStatus) -> Conflict:
    """The transition is not allowed from the campaign's status."""
    sources = " or ".join(transition.sources)
    return Conflict(
        f"Campaign cannot be {transition.participle}",
        f"The campaign is {status}; only a campaign that is {sources} can be {transition.participle}",
    )


def status_not_allowed(source: CampaignStatus, target: CampaignStatus) -> Conflict:
    """No transition leads from the campaign's status to the requested one."""
    allowed = " or ".join(next_statuses(source)) or "no other status"
    return Conflict(
        "Campaign status cannot be updated",
        f"A campaign that is {source} cannot become {target}; allowed: {allowed}",
    )


def not_editable() -> Conflict:
    """The campaign is completed."""
    return Conflict("Voice campaign cannot be updated", f"A campaign that is {NOT_EDITABLE} cannot be changed")


def not_deletable() -> Conflict:
    """The campaign is active, so it makes calls."""
    return Conflict(
        "Voice campaign cannot be deleted",
        f"A campaign that is {NOT_DELETABLE} cannot be deleted; pause or complete it first",
    )


def changed_concurrently() -> Conflict:
    """Another request changed the campaign after this request had read it."""
    return Conflict("Voice campaign was changed meanwhile", "Another request changed the campaign at the same moment")


def company_changed(company_id: int) -> BadRequest:
    """The body names another company than the campaign's own."""
    message = "Cannot be changed: a campaign stays with its company"
    return invalid_request(
        FieldError(field="company_id", value=str(company_id), code="company_changed", message=message)
    )


def name_missing() -> BadRequest:
    """The body lacks a required field; the documented example of a missing field."""
    return invalid_request(FieldError(field="name", value=None, code="missing", message="Missing required field: name"))


def not_an_id() -> BadRequest:
    """The id in the path is out of range; the documented example of a wrong id."""
    message = "Input should be greater than or equal to 1"
    return invalid_request(FieldError(field="id", value="0", code="greater_than_equal", message=message))
