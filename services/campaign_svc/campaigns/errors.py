"""Errors of campaigns, as they are raised and as they are documented."""

from services.campaign_svc.campaigns.lifecycle import NOT_DELETABLE, NOT_EDITABLE, Step, statuses_after
from shared.events.campaigns import CampaignStatus
from shared.http.errors import BadRequest, Conflict, FieldError, NotFound, invalid_request


def not_found() -> NotFound:
    """There is no such campaign for this caller."""
    return NotFound("Voice campaign not found")


def company_id_required() -> BadRequest:
    """The company of the envelope is missing, or no id."""
    return BadRequest("Company ID is required", "company_id must be a positive integer")


def step_not_allowed(step: Step, status: CampaignStatus) -> Conflict:
    """The campaign is not where this step begins."""
    return Conflict(
        f"Campaign cannot be {step.done}",
        f"The campaign is {status}; only a campaign that is {' or '.join(step.sources)} can be {step.done}",
    )


def status_not_allowed(status: CampaignStatus, wanted: CampaignStatus) -> Conflict:
    """No step leads from the campaign's status to the one asked for."""
    after = " or ".join(statuses_after(status)) or "nothing else"
    return Conflict(
        "Campaign status cannot be updated", f"A campaign that is {status} cannot become {wanted}, but {after}"
    )


def not_editable() -> Conflict:
    """The campaign has ended."""
    return Conflict("Voice campaign cannot be updated", f"A campaign that is {NOT_EDITABLE} cannot be changed")


def not_deletable() -> Conflict:
    """The campaign makes calls."""
    return Conflict(
        "Voice campaign cannot be deleted",
        f"A campaign that is {NOT_DELETABLE} cannot be deleted; pause or complete it first",
    )


def changed_meanwhile() -> Conflict:
    """Another request changed the campaign between this one's reading and writing."""
    return Conflict("Voice campaign was changed meanwhile", "Another request changed the campaign at the same moment")


def other_company(company_id: int) -> BadRequest:
    """A campaign cannot be given to another company."""
    message = "Cannot be changed: a campaign stays with its company"
    return invalid_request(
        FieldError(field="company_id", value=str(company_id), code="company_changed", message=message)
    )


def name_missing() -> BadRequest:
    """A body without a required field, as an example of all that a body can lack."""
    return invalid_request(FieldError(field="name", value=None, code="missing", message="Missing required field: name"))


def not_an_id() -> BadRequest:
    """An id that is none."""
    message = "Input should be greater than or equal to 1"
    return invalid_request(FieldError(field="id", value="0", code="greater_than_equal", message=message))
