"""Records what calls came to, and what they make of their leads."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from services.lead_svc.call_attempts import repository
from services.lead_svc.call_attempts.dispositions import Disposition, disposition_of, was_successful
from services.lead_svc.call_attempts.schemas import CallAttemptBody
from services.lead_svc.campaigns.lookup import find_campaign
from services.lead_svc.campaigns.repository import CampaignCopy
from services.lead_svc.do_not_call import repository as do_not_call_repository
from services.lead_svc.domain.datetimes import in_utc
from services.lead_svc.domain.fields import LeadStatus
from services.lead_svc.domain.lead_status import OPEN, may_follow
from services.lead_svc.leads import errors
from services.lead_svc.leads import repository as lead_repository
from services.lead_svc.leads import service as lead_service
from services.lead_svc.leads.event_sql import STATUS_CHANGED, UPDATED_IN_PLACE
from services.lead_svc.outbox import outbox
from shared.events.leads import CallAttempt, LeadCallAttempted
from shared.http.auth import Principal

CLOCKS_DIFFER = timedelta(minutes=5)
"""How far the clock of whoever reports a call may be ahead of ours."""


async def record(connection: AsyncConnection, caller: Principal, lead_id: int, body: CallAttemptBody) -> None:
    """Add a call to a lead's history, and bring the lead to where it left it.

    Raises
    ------
    NotFound
        If there is no such lead for the caller.
    BadRequest
        If the call has not begun yet.
    Conflict
        If the lead is blacklisted and the call does not ask for that again, its campaign is deleted, or its status
        cannot be followed by the one reported.
    CampaignUnknown
        If no event has told of its campaign yet.
    """
    disposition = disposition_of(body.disposition)
    reported = body.status
    if disposition is not None and disposition.status is LeadStatus.BLACKLISTED:
        reported = LeadStatus.BLACKLISTED  # whatever status is reported beside it
    wanted = reported or (disposition.status if disposition else LeadStatus.IN_PROGRESS)
    if wanted is LeadStatus.BLACKLISTED:
        company_id = await lead_repository.company_of(connection, lead_id, caller.companies)
        # Before the lead itself: who puts a number on the list holds the list first, and then the leads.
        if company_id is not None:
            await do_not_call_repository.hold_for_change(connection, company_id)
    lead = await lead_repository.lock(connection, lead_id, caller.companies)
    if lead is None:
        raise errors.not_found()
    if lead["status"] == LeadStatus.BLACKLISTED != wanted:
        raise errors.blacklisted()
    campaign = await find_campaign(connection, lead["campaign_id"])
    if campaign.deleted:
        raise errors.campaign_deleted()
    attempts = lead["attempts"] + 1
    status = reported or _status_after(disposition, LeadStatus(lead["status"]), attempts, campaign)
    if not may_follow(LeadStatus(lead["status"]), status):
        raise errors.status_not_allowed(LeadStatus(lead["status"]), status)
    started_at = _started_at(body, campaign)
    attempt = await _store(connection, lead, body, started_at, disposition, status)
    changes = {
        "status": status,
        "attempts": attempts,
        "last_contact_date": max(started_at, lead["last_contact_date"] or started_at),
        "next_contact_date": _next_contact(lead, status, started_at, body.duration, campaign),
    }
    event = LeadCallAttempted(call_attempts=[CallAttempt.model_validate(dict(attempt))])
    await outbox.add(connection, lead["company_id"], event)
    await lead_repository.change(connection, lead["company_id"], [lead_id], changes, (STATUS_CHANGED, UPDATED_IN_PLACE))
    if status is LeadStatus.BLACKLISTED:
        await lead_service.blacklist_number(connection, caller, lead["company_id"], lead["phone"])


async def history(connection: AsyncConnection, caller: Principal, lead_id: int) -> Sequence[RowMapping]:
    """The calls to a lead, oldest first; raises ``NotFound`` when there is no such lead for the caller."""
    if await lead_repository.company_of(connection, lead_id, caller.companies) is None:
        raise errors.not_found()
    return await repository.of_lead(connection, lead_id)


def _started_at(body: CallAttemptBody, campaign: CampaignCopy) -> datetime:
    """When a call began: as is reported, else so that it ends now."""
    now = datetime.now(UTC)
    if body.started_at is None:
        return now - timedelta(seconds=body.duration)
    started_at = in_utc(body.started_at, campaign.time_zone)
    if started_at > now + CLOCKS_DIFFER:
        raise errors.not_yet("started_at", body.started_at)
    return started_at


def _status_after(
    disposition: Disposition | None, status: LeadStatus, attempts: int, campaign: CampaignCopy
) -> LeadStatus:
    """What a lead becomes by a call whose report does not say it; one that was called in vain too often has failed."""
    wanted = disposition.status if disposition is not None else LeadStatus.IN_PROGRESS
    in_vain = wanted is LeadStatus.IN_PROGRESS and not (disposition is not None and disposition.successful)
    if in_vain and attempts >= campaign.max_attempts_per_lead:
        wanted = LeadStatus.FAILED
    # A call after the end, say to a lead that was completed, leaves it at its end.
    return wanted if may_follow(status, wanted) else status


def _next_contact(
    lead: RowMapping, status: LeadStatus, started_at: datetime, duration: int, campaign: CampaignCopy
) -> datetime | None:
    """When a lead is called next: as was agreed, else once its campaign's delay has passed; never, once it is done."""
    if status not in OPEN:
        return None
    # A call may be reported after one that was made later.
    ended_at = max(started_at + timedelta(seconds=duration), lead["last_contact_date"] or started_at)
    agreed: datetime | None = lead["next_contact_date"]
    if status is LeadStatus.SCHEDULED and agreed is not None and agreed > ended_at:
        return agreed
    return ended_at + timedelta(minutes=campaign.retry_delay_minutes)


async def _store(
    connection: AsyncConnection,
    lead: RowMapping,
    body: CallAttemptBody,
    started_at: datetime,
    disposition: Disposition | None,
    status: LeadStatus,
) -> RowMapping:
    return await repository.add(
        connection,
        {
            "lead_id": lead["id"],
            "campaign_id": lead["campaign_id"],
            "company_id": lead["company_id"],
            "agent_id": body.agent_id if body.agent_id is not None else lead["assigned_to"],
            "started_at": started_at,
            "duration": body.duration,
            "disposition": body.disposition,
            "successful": was_successful(body.successful, disposition, status),
            "status": status,
            "notes": body.notes,
            "transcript": body.transcript,
            "keywords": body.keywords,
            "cost": body.cost,
            "quality": None if body.quality is None else body.quality.model_dump(exclude_unset=True),
        },
    )
