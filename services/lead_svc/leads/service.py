"""What can be done with leads. Each change tells its events in the transaction it is made in."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from services.lead_svc.campaigns.lookup import find_campaign
from services.lead_svc.campaigns.repository import CampaignCopy
from services.lead_svc.do_not_call import repository as do_not_call_repository
from services.lead_svc.do_not_call import service as do_not_call
from services.lead_svc.domain.datetimes import in_utc
from services.lead_svc.domain.fields import LeadStatus
from services.lead_svc.domain.lead_status import OPEN, may_follow
from services.lead_svc.leads import errors, repository
from services.lead_svc.leads.bodies import LeadBody, LeadStatusBody, Updates
from services.lead_svc.leads.event_sql import (
    ASSIGNED,
    CONVERTED,
    SCHEDULED,
    STATUS_CHANGED,
    UPDATED_IN_PLACE,
    UPDATED_OTHERWISE,
)
from services.lead_svc.leads.repository import Changed, count_of
from shared.http.auth import Principal

BLACKLISTED_BY_STATUS = "Lead was blacklisted"


async def create(connection: AsyncConnection, caller: Principal, body: LeadBody) -> tuple[int, bytes]:
    """Create a lead of a company that the caller's token covers; returns its id, and the lead as JSON.

    Raises
    ------
    BadRequest
        If the campaign is not one of the company's.
    CampaignUnknown
        If that is not known here.
    """
    campaign = await _require_campaign(connection, body.campaign_id, body.company_id)
    await _hold_list(connection, body.company_id, for_change=body.status is LeadStatus.BLACKLISTED)
    row = body.row(campaign.time_zone)
    if await do_not_call_repository.listed(connection, body.company_id, [body.phone.e164]):
        row |= {"status": LeadStatus.BLACKLISTED, "next_contact_date": None}
    lead_id, lead = await repository.add(connection, body.company_id, row)
    if body.status is LeadStatus.BLACKLISTED:
        await blacklist_number(connection, caller, body.company_id, body.phone.e164)
    return lead_id, lead


async def blacklist_number(connection: AsyncConnection, caller: Principal, company_id: int, phone: str) -> None:
    """See to it that nobody of the company calls a number, because one lead with it was blacklisted."""
    await do_not_call.add(connection, company_id, [phone], reason=BLACKLISTED_BY_STATUS, added_by=caller.subject)


async def update(connection: AsyncConnection, caller: Principal, lead_id: int, body: LeadBody) -> None:
    """Replace everything that can be said of a lead; what stays the same everywhere changes nothing.

    Raises
    ------
    Forbidden
        If the caller's token does not cover the company of ``body``.
    NotFound
        If there is no such lead for the caller.
    BadRequest
        If the lead has another company or campaign.
    Conflict
        If its status cannot be followed by that of ``body``.
    CampaignUnknown
        If its campaign is not known here.
    """
    caller.require_company(body.company_id)
    # Before the lead itself: who puts a number on the list holds the list first, and then the leads.
    await _hold_list(connection, body.company_id, for_change=body.status is LeadStatus.BLACKLISTED)
    lead = await _locked(connection, caller, lead_id)
    for name, value in (("company_id", body.company_id), ("campaign_id", body.campaign_id)):
        if lead[name] != value:
            raise errors.cannot_be_changed(name, value)
    _require_following(lead, body.status)
    campaign = await find_campaign(connection, body.campaign_id)
    changes = {name: value for name, value in body.row(campaign.time_zone).items() if lead[name] != value}
    if not changes:
        return
    if "status" in changes and body.status not in OPEN:
        changes.pop("next_contact_date", None)  # goes with the status, as it does in whichever way that changes
    tellings = (STATUS_CHANGED, UPDATED_OTHERWISE, ASSIGNED)
    await repository.change(connection, lead["company_id"], [lead_id], changes, tellings)
    if "status" in changes or "phone" in changes:
        await _keep_from_being_called(connection, caller, lead, body.status, body.phone.e164)


async def set_status(connection: AsyncConnection, caller: Principal, lead_id: int, body: LeadStatusBody) -> None:
    """Give a lead a status, and a word on it; one that has both stays as it is.

    Without a word the lead keeps the one it has for as long as it keeps its status.

    Only an administrator takes a lead off the blacklist, and with it the lead's number off the do-not-call list; other
    leads with the number stay blacklisted.

    Raises
    ------
    NotFound, Conflict
        As ``update``.
    Forbidden
        If the lead is blacklisted and the caller no administrator.
    """
    company_id = await repository.company_of(connection, lead_id, caller.companies)
    if company_id is not None:
        await _hold_list(connection, company_id, for_change=body.status is LeadStatus.BLACKLISTED)
    lead = await _locked(connection, caller, lead_id)
    leaves_blacklist = lead["status"] == LeadStatus.BLACKLISTED != body.status
    if leaves_blacklist:
        if not caller.is_admin:
            raise errors.only_an_admin()
        await do_not_call_repository.remove(connection, lead["company_id"], lead["phone"])
    else:
        _require_following(lead, body.status)
    changes = body.model_dump(exclude_unset=True)
    await repository.change(connection, lead["company_id"], [lead_id], changes, (STATUS_CHANGED, UPDATED_IN_PLACE))
    # One that is blacklisted already too: its number may have been taken off the list since.
    await _keep_from_being_called(connection, caller, lead, body.status, lead["phone"])


async def assign(connection: AsyncConnection, caller: Principal, lead_id: int, agent_id: int) -> None:
    """Give a lead to an agent; raises ``NotFound`` when there is no such lead for the caller."""
    lead = await _locked(connection, caller, lead_id)
    if lead["assigned_to"] == agent_id:
        return
    await repository.change(connection, lead["company_id"], [lead_id], {"assigned_to": agent_id}, (ASSIGNED,))


async def schedule(connection: AsyncConnection, caller: Principal, lead_id: int, at: datetime) -> None:
    """Have a lead called at a time, which without an offset is of its campaign's time zone.

    Raises
    ------
    NotFound
        If there is no such lead for the caller.
    Conflict
        If the lead is blacklisted, or its campaign deleted.
    CampaignUnknown
        If its campaign is not known here.
    """
    lead = await _locked(connection, caller, lead_id)
    if lead["status"] == LeadStatus.BLACKLISTED:
        raise errors.blacklisted()
    campaign = await find_campaign(connection, lead["campaign_id"])
    if campaign.deleted:
        raise errors.campaign_deleted()
    changes = {"status": LeadStatus.SCHEDULED, "next_contact_date": in_utc(at, campaign.time_zone)}
    await repository.change(connection, lead["company_id"], [lead_id], changes, (STATUS_CHANGED, SCHEDULED))


async def convert(connection: AsyncConnection, caller: Principal, lead_id: int, value: Decimal) -> None:
    """Note that a lead was converted, and what that is worth. Converting it again corrects the value.

    Raises
    ------
    NotFound
        If there is no such lead for the caller.
    Conflict
        If the lead is blacklisted.
    """
    lead = await _locked(connection, caller, lead_id)
    if lead["status"] == LeadStatus.BLACKLISTED:
        raise errors.blacklisted()
    changes = {
        "status": LeadStatus.COMPLETED,
        "conversion_value": value,
        "converted_at": lead["converted_at"] or datetime.now(UTC),
    }
    await repository.change(connection, lead["company_id"], [lead_id], changes, (STATUS_CHANGED, CONVERTED))


async def delete(connection: AsyncConnection, caller: Principal, lead_id: int) -> None:
    """Delete a lead with its call attempts; raises ``NotFound`` when there is no such lead for the caller.

    What was told of them stays in the reports. Its number stays on the do-not-call list.
    """
    lead = await _locked(connection, caller, lead_id)
    await repository.remove(connection, lead["company_id"], lead_id)


async def update_many(
    connection: AsyncConnection, caller: Principal, company_id: int, ids: Sequence[int], updates: Updates
) -> int:
    """Give leads of a company the same values, all of them or none; returns how many had others.

    Raises
    ------
    BadRequest
        Naming each id that is no lead of the company.
    Conflict
        Naming a lead whose status cannot be followed by the one asked for.
    """
    changes = updates.model_dump(exclude_unset=True, exclude_none=True)
    if updates.status is LeadStatus.BLACKLISTED:
        await do_not_call_repository.hold_for_change(connection, company_id)
    changed = await _change_all(connection, company_id, ids, changes)
    if updates.status is not None:
        for group in changed:
            previous = LeadStatus(group.previous_status)
            if not may_follow(previous, updates.status):
                raise errors.status_not_allowed_to(group.first_id, previous, updates.status)
    if updates.status is LeadStatus.BLACKLISTED:
        # Those of leads that were blacklisted before too: they may have been taken off the list since.
        phones = await repository.phones_of(connection, company_id, ids)
        await do_not_call.add(connection, company_id, phones, reason=BLACKLISTED_BY_STATUS, added_by=caller.subject)
    return count_of(changed)


async def assign_many(connection: AsyncConnection, company_id: int, ids: Sequence[int], agent_id: int) -> int:
    """Give leads of a company to an agent, all of them or none; returns how many had another.

    Raises
    ------
    BadRequest
        Naming each id that is no lead of the company.
    """
    return count_of(await _change_all(connection, company_id, ids, {"assigned_to": agent_id}))


async def _require_campaign(connection: AsyncConnection, campaign_id: int, company_id: int) -> CampaignCopy:
    campaign = await find_campaign(connection, campaign_id)
    if campaign.company_id != company_id or campaign.deleted:
        raise errors.InvalidCampaign(campaign_id)
    return campaign


async def _hold_list(connection: AsyncConnection, company_id: int, *, for_change: bool) -> None:
    hold = do_not_call_repository.hold_for_change if for_change else do_not_call_repository.hold
    await hold(connection, company_id)


async def _locked(connection: AsyncConnection, caller: Principal, lead_id: int) -> RowMapping:
    lead = await repository.lock(connection, lead_id, caller.companies)
    if lead is None:
        raise errors.not_found()
    return lead


def _require_following(lead: RowMapping, wanted: LeadStatus) -> None:
    status = LeadStatus(lead["status"])
    if not may_follow(status, wanted):
        raise errors.status_not_allowed(status, wanted)


async def _change_all(
    connection: AsyncConnection, company_id: int, ids: Sequence[int], changes: dict[str, object]
) -> list[Changed]:
    # Who blacklists holds a lead and then all others with its number, in no order that could be kept here.
    await do_not_call_repository.hold(connection, company_id)
    tellings = (STATUS_CHANGED, ASSIGNED, UPDATED_OTHERWISE)
    changed = await repository.change(connection, company_id, ids, changes, tellings)
    asked = set(ids)
    if count_of(changed) < len(asked):
        missing = asked - await repository.known_ids(connection, company_id, asked)
        if missing:
            raise errors.unknown_leads(sorted(missing))
    return changed


async def _keep_from_being_called(
    connection: AsyncConnection, caller: Principal, lead: RowMapping, status: LeadStatus, phone: str
) -> None:
    """A blacklisted lead's number goes on the list; a lead that got a number of the list is blacklisted."""
    if status is LeadStatus.BLACKLISTED:
        await blacklist_number(connection, caller, lead["company_id"], phone)
    elif await do_not_call_repository.listed(connection, lead["company_id"], [phone]):
        changes = {"status": LeadStatus.BLACKLISTED}
        await repository.change(connection, lead["company_id"], [lead["id"]], changes, (STATUS_CHANGED,))
