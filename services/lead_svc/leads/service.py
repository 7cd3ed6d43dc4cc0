"""Use cases of leads. Each change emits its events in the transaction in which it is made."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from services.lead_svc.campaigns.errors import InvalidCampaignError
from services.lead_svc.campaigns.lookup import CampaignLookup
from services.lead_svc.campaigns.repository import CampaignCopy
from services.lead_svc.domain.fields import LeadStatus
from services.lead_svc.domain.lead_status import OPEN, can_transition
from services.lead_svc.leads import do_not_call_list, errors, repository
from services.lead_svc.leads.blacklist import blacklist_numbers
from services.lead_svc.leads.campaign_of_lead import with_campaign_of_lead
from services.lead_svc.leads.events import (
    LEAD_ASSIGNED,
    LEAD_CONVERTED,
    LEAD_SCHEDULED,
    LEAD_STATUS_CHANGED,
    LEAD_UPDATED_IF_OTHER_FIELD_CHANGED,
    LEAD_UPDATED_IF_STATUS_UNCHANGED,
)
from services.lead_svc.leads.filters import LeadFilter
from services.lead_svc.leads.lead import Lead
from services.lead_svc.leads.repository import ChangedLeads, CreatedLead, LeadPage, total_count
from services.lead_svc.leads.schemas import BulkUpdateValues, LeadCreate, LeadStatusUpdate, LeadUpdate
from shared.database.engine import Database
from shared.database.idempotency_keys import IdempotentRequest
from shared.datetimes import to_utc
from shared.http.auth import Principal
from shared.idempotent_execution import Idempotent, run_idempotent
from shared.ids import CampaignId, CompanyId, LeadId, MemberId

BLACKLISTED_BY_STATUS: Final = "Lead was blacklisted"
"""Reason of numbers that are on the do-not-call list because a lead's status became ``blacklisted``."""


async def get_json(connection: AsyncConnection, caller: Principal, lead_id: LeadId) -> bytes:
    """Return a lead as JSON; raises ``NotFound`` if the caller has no such lead."""
    lead = await repository.get_json(connection, lead_id, caller.companies)
    if lead is None:
        raise errors.not_found()
    return lead


async def page_json(database: Database, filters: LeadFilter, limit: int) -> LeadPage:
    """Return the first leads in the order of their ids."""
    async with database.transaction() as connection:
        return await repository.page_json(connection, filters, limit)


async def stream_json(database: Database, filters: LeadFilter) -> AsyncIterator[bytes]:
    """Yield leads in the order of their ids, as a JSON array in pieces."""
    async with database.snapshot() as connection:
        async for piece in repository.stream_json(connection, filters):
            yield piece


async def require_campaign(campaigns: CampaignLookup, caller: Principal, campaign_id: CampaignId) -> None:
    """Raise ``NotFound`` unless a company of the caller has the campaign, deleted or not.

    Raises
    ------
    CampaignUnavailableError
        If the campaign is not known here and campaign_svc does not respond.
    """
    try:
        campaign = await campaigns.require_campaign(campaign_id, caller.token)
    except InvalidCampaignError as error:
        raise errors.campaign_not_found() from error
    if campaign.company_id not in caller.companies:
        raise errors.campaign_not_found()


async def create(
    campaigns: CampaignLookup, caller: Principal, body: LeadCreate, idempotent: IdempotentRequest | None
) -> Idempotent[CreatedLead]:
    """Create a lead, unless the same request did so before. Its status may become ``blacklisted`` (`_create`).

    Raises
    ------
    Forbidden
        If the caller's token does not cover the company of ``body``.
    InvalidCampaignError
        If the campaign does not exist, is deleted, or is another company's.
    CampaignUnavailableError
        If the campaign is not known here and campaign_svc does not respond.
    Conflict, UnprocessableContent
        As `run_idempotent`.
    """
    caller.require_company(body.company_id)
    async with campaigns.with_campaign(body.campaign_id, caller.token) as (connection, campaign):
        return await run_idempotent(
            connection,
            idempotent,
            partial(_create, connection, campaign, caller, body),
            encode=CreatedLead.to_json,
            decode=CreatedLead.from_json,
        )


async def _create(
    connection: AsyncConnection, campaign: CampaignCopy, caller: Principal, body: LeadCreate
) -> CreatedLead:
    """Create a lead: blacklisted if its number is on the do-not-call list; if blacklisted, its number goes on it."""
    if campaign.company_id != body.company_id or campaign.deleted:
        raise InvalidCampaignError(body.campaign_id)
    blacklists = body.status is LeadStatus.BLACKLISTED
    await _lock_list(connection, body.company_id, exclusive=blacklists)
    values = body.column_values(campaign.time_zone)
    if await do_not_call_list.find_listed(connection, body.company_id, [body.phone.e164]):
        values |= {"status": LeadStatus.BLACKLISTED, "next_contact_date": None}
    created = await repository.add(connection, body.company_id, values)
    if blacklists:
        await blacklist_number(connection, caller, body.company_id, body.phone.e164)
    return created


async def blacklist_number(connection: AsyncConnection, caller: Principal, company_id: CompanyId, phone: str) -> None:
    """Put a number on the list and blacklist its leads, because the status of one of them became ``blacklisted``."""
    await blacklist_numbers(connection, company_id, [phone], reason=BLACKLISTED_BY_STATUS, added_by=caller.subject)


async def update(campaigns: CampaignLookup, caller: Principal, lead_id: LeadId, body: LeadUpdate) -> None:
    """Replace every field that a caller can set; equal values make no new version and emit no event.

    Raises
    ------
    Forbidden
        If the caller's token does not cover the company of ``body``.
    NotFound
        If the caller has no such lead.
    BadRequest
        If the lead belongs to another company or campaign than ``body`` names.
    Conflict
        If the lead's status cannot change to that of ``body``.
    InvalidCampaignError, CampaignUnavailableError
        As `with_campaign_of_lead`.
    """
    caller.require_company(body.company_id)
    async with with_campaign_of_lead(campaigns, caller, lead_id) as (connection, campaign):
        if campaign is None:
            raise errors.not_found()
        # Before the lead itself: whoever puts a number on the list locks the list first, and then the leads.
        await _lock_list(connection, body.company_id, exclusive=body.status is LeadStatus.BLACKLISTED)
        lead = await _lock(connection, caller, lead_id)
        for name, stored, value in (
            ("company_id", lead.company_id, body.company_id),
            ("campaign_id", lead.campaign_id, body.campaign_id),
        ):
            if stored != value:
                raise errors.field_changed(name, value)
        _require_transition(lead.status, body.status)
        values = body.column_values(campaign.time_zone)
        changes = {name: value for name, value in values.items() if getattr(lead, name) != value}
        if changes:
            await _replace(connection, caller, lead, body, changes)


async def _replace(
    connection: AsyncConnection, caller: Principal, lead: Lead, body: LeadUpdate, changes: dict[str, object]
) -> None:
    if "status" in changes and body.status not in OPEN:
        changes.pop("next_contact_date", None)  # depends on the status, and is set with it
    events = (LEAD_STATUS_CHANGED, LEAD_UPDATED_IF_OTHER_FIELD_CHANGED, LEAD_ASSIGNED)
    await repository.change(connection, lead.company_id, [lead.id], changes, events)
    if "status" in changes or "phone" in changes:
        await _apply_do_not_call_list(connection, caller, lead, body.status, body.phone.e164)


async def set_status(connection: AsyncConnection, caller: Principal, lead_id: LeadId, body: LeadStatusUpdate) -> None:
    """Set the status and sub-status of a lead; equal values make no new version and emit no event.

    A request without a sub-status leaves the stored one for as long as the status stays the same.

    Only an administrator changes the status of a blacklisted lead. That takes the lead's number off the do-not-call
    list; other leads with the number stay blacklisted.

    Raises
    ------
    NotFound
        If the caller has no such lead.
    Conflict
        If the status cannot change to the requested one.
    Forbidden
        If the lead is blacklisted and the caller is no administrator.
    """
    company_id = await repository.find_company(connection, lead_id, caller.companies)
    if company_id is not None:
        await _lock_list(connection, company_id, exclusive=body.status is LeadStatus.BLACKLISTED)
    lead = await _lock(connection, caller, lead_id)
    if lead.status is LeadStatus.BLACKLISTED is not body.status:
        if not caller.is_admin:
            raise errors.admin_required()
        await do_not_call_list.remove(connection, lead.company_id, lead.phone)
    else:
        _require_transition(lead.status, body.status)
    changes = body.model_dump(exclude_unset=True)
    events = (LEAD_STATUS_CHANGED, LEAD_UPDATED_IF_STATUS_UNCHANGED)
    await repository.change(connection, lead.company_id, [lead_id], changes, events)
    # Also if the lead is blacklisted already: its number may have been taken off the list since.
    await _apply_do_not_call_list(connection, caller, lead, body.status, lead.phone)


async def assign(connection: AsyncConnection, caller: Principal, lead_id: LeadId, agent_id: MemberId) -> None:
    """Assign a lead to an agent; raises ``NotFound`` if the caller has no such lead."""
    lead = await _lock(connection, caller, lead_id)
    if lead.assigned_to != agent_id:
        await repository.change(connection, lead.company_id, [lead_id], {"assigned_to": agent_id}, (LEAD_ASSIGNED,))


async def schedule(campaigns: CampaignLookup, caller: Principal, lead_id: LeadId, call_time: datetime) -> None:
    """Schedule the next call of a lead.

    Parameters
    ----------
    call_time
        In the time zone of the lead's campaign, unless it has an offset from UTC.

    Raises
    ------
    NotFound
        If the caller has no such lead.
    Conflict
        If the lead is blacklisted, or its campaign deleted.
    InvalidCampaignError, CampaignUnavailableError
        As `with_campaign_of_lead`.
    """
    async with with_campaign_of_lead(campaigns, caller, lead_id) as (connection, campaign):
        if campaign is None:
            raise errors.not_found()
        lead = await _lock(connection, caller, lead_id)
        if lead.status is LeadStatus.BLACKLISTED:
            raise errors.blacklisted()
        if campaign.deleted:
            raise errors.campaign_deleted()
        changes = {"status": LeadStatus.SCHEDULED, "next_contact_date": to_utc(call_time, campaign.time_zone)}
        await repository.change(connection, lead.company_id, [lead_id], changes, (LEAD_STATUS_CHANGED, LEAD_SCHEDULED))


async def convert(connection: AsyncConnection, caller: Principal, lead_id: LeadId, value: Decimal) -> None:
    """Record that a lead was converted, and the value of that. A second conversion corrects the value.

    Raises
    ------
    NotFound
        If the caller has no such lead.
    Conflict
        If the lead is blacklisted.
    """
    lead = await _lock(connection, caller, lead_id)
    if lead.status is LeadStatus.BLACKLISTED:
        raise errors.blacklisted()
    changes = {
        "status": LeadStatus.COMPLETED,
        "conversion_value": value,
        "converted_at": lead.converted_at or datetime.now(UTC),
    }
    await repository.change(connection, lead.company_id, [lead_id], changes, (LEAD_STATUS_CHANGED, LEAD_CONVERTED))


async def delete(connection: AsyncConnection, caller: Principal, lead_id: LeadId) -> None:
    """Delete a lead with its call attempts; raises ``NotFound`` if the caller has no such lead.

    Reports keep their history. The number stays on the do-not-call list.
    """
    lead = await _lock(connection, caller, lead_id)
    await repository.remove(connection, lead.company_id, lead_id)


async def update_many(
    connection: AsyncConnection,
    caller: Principal,
    company_id: CompanyId,
    ids: Sequence[LeadId],
    updates: BulkUpdateValues,
) -> int:
    """Give leads of a company the same values, all of them or none; returns how many had others.

    Raises
    ------
    BadRequest
        Naming each id that is no lead of the company.
    Conflict
        Naming a lead whose status cannot change to the requested one.
    """
    changes = updates.model_dump(exclude_unset=True, exclude_none=True)
    if updates.status is LeadStatus.BLACKLISTED:
        await do_not_call_list.lock_exclusive(connection, company_id)
    changed = await _change_all(connection, company_id, ids, changes)
    if updates.status is not None:
        for group in changed:
            previous = LeadStatus(group.previous_status)
            if not can_transition(previous, updates.status):
                raise errors.transition_of_lead_not_allowed(group.first_id, previous, updates.status)
    if updates.status is LeadStatus.BLACKLISTED:
        # Also those of leads that were blacklisted before: they may have been taken off the list since.
        phones = await repository.list_phones(connection, company_id, ids)
        await blacklist_numbers(connection, company_id, phones, reason=BLACKLISTED_BY_STATUS, added_by=caller.subject)
    return total_count(changed)


async def assign_many(
    connection: AsyncConnection, company_id: CompanyId, ids: Sequence[LeadId], agent_id: MemberId
) -> int:
    """Assign leads of a company to an agent, all of them or none; returns how many had another assignee.

    Raises
    ------
    BadRequest
        Naming each id that is no lead of the company.
    """
    return total_count(await _change_all(connection, company_id, ids, {"assigned_to": agent_id}))


async def _lock_list(connection: AsyncConnection, company_id: CompanyId, *, exclusive: bool) -> None:
    lock = do_not_call_list.lock_exclusive if exclusive else do_not_call_list.lock_shared
    await lock(connection, company_id)


async def _lock(connection: AsyncConnection, caller: Principal, lead_id: LeadId) -> Lead:
    lead = await repository.lock_for_update(connection, lead_id, caller.companies)
    if lead is None:
        raise errors.not_found()
    return lead


def _require_transition(status: LeadStatus, new_status: LeadStatus) -> None:
    if not can_transition(status, new_status):
        raise errors.transition_not_allowed(status, new_status)


async def _change_all(
    connection: AsyncConnection, company_id: CompanyId, ids: Sequence[LeadId], changes: dict[str, object]
) -> list[ChangedLeads]:
    # A blacklisting locks one lead and then all others with its number, in an order that this change cannot follow:
    # the list's lock keeps the two apart.
    await do_not_call_list.lock_shared(connection, company_id)
    events = (LEAD_STATUS_CHANGED, LEAD_ASSIGNED, LEAD_UPDATED_IF_OTHER_FIELD_CHANGED)
    changed = await repository.change(connection, company_id, ids, changes, events)
    distinct_ids = set(ids)
    if total_count(changed) < len(distinct_ids):
        missing = distinct_ids - await repository.find_existing_ids(connection, company_id, distinct_ids)
        if missing:
            raise errors.unknown_leads(sorted(missing))
    return changed


async def _apply_do_not_call_list(
    connection: AsyncConnection, caller: Principal, lead: Lead, status: LeadStatus, phone: str
) -> None:
    """Put the number of a blacklisted lead on the list; blacklist a lead that got a number of the list."""
    if status is LeadStatus.BLACKLISTED:
        await blacklist_number(connection, caller, lead.company_id, phone)
    elif await do_not_call_list.find_listed(connection, lead.company_id, [phone]):
        changes = {"status": LeadStatus.BLACKLISTED}
        await repository.change(connection, lead.company_id, [lead.id], changes, (LEAD_STATUS_CHANGED,))
