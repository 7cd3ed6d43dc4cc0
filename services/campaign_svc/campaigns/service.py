"""Use cases of campaigns. Each change emits its events in the transaction in which it is made.

A change applies to the version that was read: of two concurrent changes one is rejected, so that no decision rests on
a state that has been replaced.
"""

from collections.abc import AsyncIterator, Collection, Mapping
from functools import partial
from operator import attrgetter

from sqlalchemy import func
from sqlalchemy.ext.asyncio import AsyncConnection

from services.campaign_svc.campaigns import errors, repository
from services.campaign_svc.campaigns.campaign import Campaign, CampaignJson
from services.campaign_svc.campaigns.events import to_event
from services.campaign_svc.campaigns.lifecycle import NOT_DELETABLE, NOT_EDITABLE, Transition, can_transition
from services.campaign_svc.campaigns.schemas import CampaignCreate, CampaignUpdate
from services.campaign_svc.outbox import outbox
from shared.database.engine import Database
from shared.database.idempotency_keys import IdempotentRequest
from shared.events.campaigns import (
    CampaignCreated,
    CampaignDeleted,
    CampaignEvent,
    CampaignPriority,
    CampaignStatus,
    CampaignStatusChanged,
    CampaignUpdated,
)
from shared.http.auth import Principal
from shared.http.preconditions import Precondition
from shared.idempotent_execution import Idempotent, run_idempotent
from shared.ids import CampaignId, CompanyId


async def create(
    connection: AsyncConnection, caller: Principal, body: CampaignCreate, request: IdempotentRequest | None
) -> Idempotent[CampaignJson]:
    """Create a campaign, once for each idempotency key.

    Raises
    ------
    Forbidden
        If the caller's token does not cover the company of ``body``.
    Conflict, UnprocessableContent
        As ``run_idempotent``.
    """
    caller.require_company(body.company_id)
    return await run_idempotent(
        connection, request, partial(_add, connection, body), encode=attrgetter("json"), decode=CampaignJson.parse
    )


async def get_json(database: Database, caller: Principal, campaign_id: CampaignId) -> CampaignJson:
    """Return a campaign as JSON.

    Raises
    ------
    NotFound
        If the caller's companies have no such campaign.
    """
    async with database.reader() as driver:
        campaign = await repository.get_json(driver, campaign_id, caller.companies)
    if campaign is None:
        raise errors.not_found()
    return campaign


async def get_of_company(
    database: Database, caller: Principal, campaign_id: CampaignId, company_id: CompanyId
) -> Campaign:
    """Return a campaign of one company.

    Raises
    ------
    Forbidden
        If the caller's token does not cover the company.
    NotFound
        If the company has no such campaign.
    """
    async with database.transaction() as connection:
        caller.require_company(company_id)
        campaign = await repository.get(connection, campaign_id, (company_id,))
    if campaign is None:
        raise errors.not_found()
    return campaign


async def stream_json(
    database: Database,
    companies: Collection[int],
    status: CampaignStatus | None,
    priority: CampaignPriority | None,
) -> AsyncIterator[bytes]:
    """Yield the campaigns of these companies, oldest first, as a JSON array in pieces; None selects any value."""
    async with database.snapshot() as connection:
        async for piece in repository.stream_json(connection, companies, status, priority):
            yield piece


async def update(
    connection: AsyncConnection,
    caller: Principal,
    campaign_id: CampaignId,
    body: CampaignUpdate,
    precondition: Precondition,
) -> Campaign:
    """Replace every field that a caller can set; equal values make no new version and emit no event.

    Raises
    ------
    Forbidden
        If the caller's token does not cover the company of ``body``.
    NotFound, PreconditionFailed, Conflict
        As ``make_transition``, or if the campaign is completed, or no transition leads to the status of ``body``.
    BadRequest
        If the campaign belongs to another company than ``body`` names.
    """
    caller.require_company(body.company_id)
    campaign = await _current(connection, caller, campaign_id, precondition)
    if campaign.company_id != body.company_id:
        raise errors.company_changed(body.company_id)
    if campaign.status == NOT_EDITABLE:
        raise errors.not_editable()
    _require_transition(campaign.status, body.status)
    changes = {name: value for name, value in body if getattr(campaign, name) != value}
    return await _change(connection, campaign, changes) if changes else campaign


async def set_status(
    connection: AsyncConnection,
    caller: Principal,
    campaign_id: CampaignId,
    status: CampaignStatus,
    precondition: Precondition,
) -> Campaign:
    """Make the transition that leads to a status; a campaign that has the status already is not changed.

    Raises
    ------
    NotFound, PreconditionFailed, Conflict
        As ``make_transition``.
    """
    campaign = await _current(connection, caller, campaign_id, precondition)
    _require_transition(campaign.status, status)
    return await _change(connection, campaign, {"status": status}) if status != campaign.status else campaign


async def make_transition(
    connection: AsyncConnection,
    caller: Principal,
    campaign_id: CampaignId,
    transition: Transition,
    precondition: Precondition,
) -> Campaign:
    """Make a transition of the lifecycle.

    Raises
    ------
    NotFound
        If the caller's companies have no such campaign.
    PreconditionFailed
        If the precondition names another version.
    Conflict
        If the transition is not allowed from the campaign's status, or another request changed the campaign at the
        same moment.
    """
    campaign = await _current(connection, caller, campaign_id, precondition)
    if not transition.is_allowed_from(campaign.status):
        raise errors.transition_not_allowed(transition, campaign.status)
    return await _change(connection, campaign, {"status": transition.target})


async def delete(
    connection: AsyncConnection, caller: Principal, campaign_id: CampaignId, precondition: Precondition
) -> None:
    """Delete a campaign: no list contains it and it takes no new leads; its leads and calls stay.

    Raises
    ------
    NotFound, PreconditionFailed, Conflict
        As ``make_transition``, or if the campaign is active.
    """
    campaign = await _current(connection, caller, campaign_id, precondition)
    if campaign.status == NOT_DELETABLE:
        raise errors.not_deletable()
    deleted = await _store(connection, campaign, {"deleted_at": func.now()})
    await outbox.add(connection, deleted.company_id, CampaignDeleted(campaign=to_event(deleted)))


async def _add(connection: AsyncConnection, body: CampaignCreate) -> CampaignJson:
    campaign = await repository.add(connection, dict(body))
    await outbox.add(connection, campaign.company_id, CampaignCreated(campaign=to_event(campaign)))
    return CampaignJson.of(campaign)


async def _current(
    connection: AsyncConnection, caller: Principal, campaign_id: CampaignId, precondition: Precondition
) -> Campaign:
    campaign = await repository.get(connection, campaign_id, caller.companies)
    if campaign is None:
        raise errors.not_found()
    precondition.require(campaign.version)
    return campaign


def _require_transition(source: CampaignStatus, target: CampaignStatus) -> None:
    if target != source and not can_transition(source, target):
        raise errors.status_not_allowed(source, target)


async def _change(connection: AsyncConnection, campaign: Campaign, changes: Mapping[str, object]) -> Campaign:
    """Store the changes and emit their events: a new status as a transition, any other change as an update."""
    changed = await _store(connection, campaign, changes)
    event_campaign = to_event(changed)
    events: list[CampaignEvent] = []
    if "status" in changes:
        events.append(CampaignStatusChanged(campaign=event_campaign, previous_status=campaign.status))
    if changes.keys() != {"status"}:
        events.append(CampaignUpdated(campaign=event_campaign))
    await outbox.add(connection, changed.company_id, *events)
    return changed


async def _store(connection: AsyncConnection, campaign: Campaign, changes: Mapping[str, object]) -> Campaign:
    changed = await repository.change(connection, campaign, changes)
    if changed is None:
        raise errors.changed_concurrently()
    return changed
