"""What can be done with campaigns. Each change tells its events in the transaction it is made in.

A change is made to the version that was read: of two that are made at the same moment one is refused, so that no
decision rests on a state that is gone.
"""

from collections.abc import Mapping

from sqlalchemy import RowMapping, func
from sqlalchemy.ext.asyncio import AsyncConnection

from services.campaign_svc.campaigns import errors, repository
from services.campaign_svc.campaigns.events import as_told
from services.campaign_svc.campaigns.lifecycle import NOT_DELETABLE, NOT_EDITABLE, Step, step_between
from services.campaign_svc.campaigns.schemas import CampaignBody
from services.campaign_svc.outbox import outbox
from shared.events.campaigns import (
    CampaignCreated,
    CampaignDeleted,
    CampaignEvent,
    CampaignStatus,
    CampaignStatusChanged,
    CampaignUpdated,
)
from shared.http.auth import Principal
from shared.http.preconditions import Precondition


async def create(connection: AsyncConnection, body: CampaignBody) -> RowMapping:
    """Create a campaign of a company that the caller's token covers."""
    campaign = await repository.add(connection, body)
    await outbox.add(connection, body.company_id, CampaignCreated(campaign=as_told(campaign)))
    return campaign


async def update(
    connection: AsyncConnection, caller: Principal, campaign_id: int, body: CampaignBody, precondition: Precondition
) -> RowMapping:
    """Replace everything that can be said of a campaign; what stays the same everywhere changes nothing.

    Raises
    ------
    Forbidden
        If the caller's token does not cover the company of ``body``.
    NotFound, PreconditionFailed, Conflict
        As ``take_step``, or if the campaign has ended, or cannot get the status of ``body``.
    BadRequest
        If the campaign is another company's.
    """
    caller.require_company(body.company_id)
    campaign = await _current(connection, caller, campaign_id, precondition)
    if campaign["company_id"] != body.company_id:
        raise errors.other_company(body.company_id)
    if campaign["status"] == NOT_EDITABLE:
        raise errors.not_editable()
    _require_step(campaign["status"], body.status)
    changes = {name: value for name, value in body.model_dump().items() if campaign[name] != value}
    return await _change(connection, campaign, changes) if changes else campaign


async def set_status(
    connection: AsyncConnection, caller: Principal, campaign_id: int, wanted: CampaignStatus, precondition: Precondition
) -> RowMapping:
    """Bring a campaign to a status by the step that leads there; one that has it stays as it is.

    Raises
    ------
    NotFound, PreconditionFailed, Conflict
        As ``take_step``.
    """
    campaign = await _current(connection, caller, campaign_id, precondition)
    _require_step(campaign["status"], wanted)
    return await _change(connection, campaign, {"status": wanted}) if wanted != campaign["status"] else campaign


async def take_step(
    connection: AsyncConnection, caller: Principal, campaign_id: int, step: Step, precondition: Precondition
) -> RowMapping:
    """Take a step of the lifecycle.

    Raises
    ------
    NotFound
        If there is no such campaign for the caller.
    PreconditionFailed
        If the caller means another version.
    Conflict
        If the campaign is not where the step begins, or another request changed it at the same moment.
    """
    campaign = await _current(connection, caller, campaign_id, precondition)
    if not step.may_leave(campaign["status"]):
        raise errors.step_not_allowed(step, campaign["status"])
    return await _change(connection, campaign, {"status": step.target})


async def delete(connection: AsyncConnection, caller: Principal, campaign_id: int, precondition: Precondition) -> None:
    """Delete a campaign: no list shows it any more, and it takes no new leads; what it has stays.

    Raises
    ------
    NotFound, PreconditionFailed, Conflict
        As ``take_step``, or if the campaign makes calls.
    """
    campaign = await _current(connection, caller, campaign_id, precondition)
    if campaign["status"] == NOT_DELETABLE:
        raise errors.not_deletable()
    deleted = await _store(connection, campaign, {"deleted_at": func.now()})
    await outbox.add(connection, deleted["company_id"], CampaignDeleted(campaign=as_told(deleted)))


async def get(connection: AsyncConnection, caller: Principal, campaign_id: int, company_id: int) -> RowMapping:
    """A campaign of this company.

    Raises
    ------
    Forbidden
        If the caller's token does not cover the company.
    NotFound
        If the company has no such campaign.
    """
    caller.require_company(company_id)
    campaign = await repository.get(connection, campaign_id, (company_id,))
    if campaign is None:
        raise errors.not_found()
    return campaign


async def _current(
    connection: AsyncConnection, caller: Principal, campaign_id: int, precondition: Precondition
) -> RowMapping:
    campaign = await repository.get(connection, campaign_id, caller.companies)
    if campaign is None:
        raise errors.not_found()
    precondition.require(campaign["version"])
    return campaign


def _require_step(status: CampaignStatus, wanted: CampaignStatus) -> None:
    if wanted != status and step_between(status, wanted) is None:
        raise errors.status_not_allowed(status, wanted)


async def _change(connection: AsyncConnection, campaign: RowMapping, changes: Mapping[str, object]) -> RowMapping:
    """Make the changes, and tell them: a new status as a step of the lifecycle, all else as an update."""
    changed = await _store(connection, campaign, changes)
    told = as_told(changed)
    events: list[CampaignEvent] = []
    if "status" in changes:
        events.append(CampaignStatusChanged(campaign=told, previous_status=campaign["status"]))
    if changes.keys() != {"status"}:
        events.append(CampaignUpdated(campaign=told))
    await outbox.add(connection, changed["company_id"], *events)
    return changed


async def _store(connection: AsyncConnection, campaign: RowMapping, changes: Mapping[str, object]) -> RowMapping:
    changed = await repository.change(connection, campaign, changes)
    if changed is None:
        raise errors.changed_meanwhile()
    return changed
