"""Use cases of call attempts: a recorded call, and its effect on the lead."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from services.lead_svc.call_attempts import repository
from services.lead_svc.call_attempts.dispositions import Disposition, find_disposition, was_successful
from services.lead_svc.call_attempts.repository import CallAttempt, NewCallAttempt
from services.lead_svc.call_attempts.schemas import CallAttemptCreate
from services.lead_svc.campaigns.lookup import CampaignLookup
from services.lead_svc.campaigns.repository import CampaignCopy
from services.lead_svc.domain.fields import LeadStatus
from services.lead_svc.domain.lead_status import OPEN, can_transition
from services.lead_svc.leads import do_not_call_list, errors
from services.lead_svc.leads import repository as lead_repository
from services.lead_svc.leads import service as lead_service
from services.lead_svc.leads.campaign_of_lead import with_campaign_of_lead
from services.lead_svc.leads.events import LEAD_STATUS_CHANGED, LEAD_UPDATED_IF_STATUS_UNCHANGED
from services.lead_svc.leads.lead import Lead
from services.lead_svc.outbox import outbox
from shared.database.idempotency_keys import IdempotentRequest
from shared.datetimes import to_utc
from shared.events.leads import CallAttempt as CallAttemptEventPart
from shared.events.leads import LeadCallAttempted
from shared.http.auth import Principal
from shared.idempotent_execution import Idempotent, run_idempotent
from shared.ids import LeadId

CLOCK_TOLERANCE: Final = timedelta(minutes=5)
"""How far the clock of the reporter of a call may be ahead of ours."""


async def record(
    campaigns: CampaignLookup,
    caller: Principal,
    lead_id: LeadId,
    body: CallAttemptCreate,
    idempotent: IdempotentRequest | None,
) -> Idempotent[None]:
    """Add a call to a lead's history and update the lead with the call's result, unless the same request did so before.

    Raises
    ------
    NotFound
        If the caller has no such lead.
    BadRequest
        If the call has not begun yet.
    Conflict
        If the lead is blacklisted and the call does not blacklist it again, its campaign is deleted, or its status
        cannot change to the reported one.
    InvalidCampaignError, CampaignUnavailableError
        As `with_campaign_of_lead`.
    Conflict, UnprocessableContent
        As `run_idempotent`.
    """
    async with with_campaign_of_lead(campaigns, caller, lead_id) as (connection, campaign):
        return await run_idempotent(
            connection,
            idempotent,
            partial(_record, connection, campaign, caller, lead_id, body),
            encode=lambda _: b"",
            decode=lambda _: None,
        )


async def _record(
    connection: AsyncConnection,
    campaign: CampaignCopy | None,
    caller: Principal,
    lead_id: LeadId,
    body: CallAttemptCreate,
) -> None:
    if campaign is None:
        raise errors.not_found()
    disposition = find_disposition(body.disposition)
    reported = body.status
    if disposition is not None and disposition.status is LeadStatus.BLACKLISTED:
        reported = LeadStatus.BLACKLISTED  # whatever status is reported beside it
    blacklists = reported is LeadStatus.BLACKLISTED
    if blacklists:
        # Before the lead itself: whoever puts a number on the list locks the list first, and then the leads.
        await do_not_call_list.lock_exclusive(connection, campaign.company_id)
    lead = await lead_repository.lock_for_update(connection, lead_id, caller.companies)
    if lead is None:
        raise errors.not_found()
    if lead.status is LeadStatus.BLACKLISTED and not blacklists:
        raise errors.blacklisted()
    if campaign.deleted:
        raise errors.campaign_deleted()
    attempts = lead.attempts + 1
    status = reported or _status_after(disposition, lead.status, attempts, campaign)
    if not can_transition(lead.status, status):
        raise errors.transition_not_allowed(lead.status, status)
    started_at = _started_at(body, campaign)
    attempt = await repository.add(connection, _new_attempt(lead, body, started_at, disposition, status))
    changes = {
        "status": status,
        "attempts": attempts,
        "last_contact_date": max(started_at, lead.last_contact_date or started_at),
        "next_contact_date": _next_contact(lead, status, started_at, body.duration, campaign),
    }
    await outbox.add(connection, lead.company_id, LeadCallAttempted(call_attempts=[_to_event(attempt, lead)]))
    events = (LEAD_STATUS_CHANGED, LEAD_UPDATED_IF_STATUS_UNCHANGED)
    await lead_repository.change(connection, lead.company_id, [lead_id], changes, events)
    if blacklists:
        await lead_service.blacklist_number(connection, caller, lead.company_id, lead.phone)


async def list_of_lead(connection: AsyncConnection, caller: Principal, lead_id: LeadId) -> Sequence[CallAttempt]:
    """Return the calls to a lead, oldest first; raises ``NotFound`` if the caller has no such lead."""
    if await lead_repository.find_company(connection, lead_id, caller.companies) is None:
        raise errors.not_found()
    return await repository.list_of_lead(connection, lead_id)


def _started_at(body: CallAttemptCreate, campaign: CampaignCopy) -> datetime:
    """When a call began: as reported, else `duration` before now."""
    now = datetime.now(UTC)
    if body.started_at is None:
        return now - timedelta(seconds=body.duration)
    started_at = to_utc(body.started_at, campaign.time_zone)
    if started_at > now + CLOCK_TOLERANCE:
        raise errors.in_the_future("started_at", body.started_at)
    return started_at


def _status_after(
    disposition: Disposition | None, status: LeadStatus, attempts: int, campaign: CampaignCopy
) -> LeadStatus:
    """The lead's status after a call whose report has none; ``failed`` after too many unsuccessful calls."""
    new_status = disposition.status if disposition is not None else LeadStatus.IN_PROGRESS
    successful = disposition is not None and disposition.successful
    if new_status is LeadStatus.IN_PROGRESS and not successful and attempts >= campaign.max_attempts_per_lead:
        new_status = LeadStatus.FAILED
    # A call after the end, such as one to a completed lead, leaves the status unchanged.
    return new_status if can_transition(status, new_status) else status


def _next_contact(
    lead: Lead, status: LeadStatus, started_at: datetime, duration: int, campaign: CampaignCopy
) -> datetime | None:
    """When the lead is called next: at the scheduled time, else after the campaign's delay; never, once it is done."""
    if status not in OPEN:
        return None
    # A call may be reported after a later one.
    ended_at = max(started_at + timedelta(seconds=duration), lead.last_contact_date or started_at)
    scheduled = lead.next_contact_date
    if status is LeadStatus.SCHEDULED and scheduled is not None and scheduled > ended_at:
        return scheduled
    return ended_at + timedelta(minutes=campaign.retry_delay_minutes)


def _new_attempt(
    lead: Lead,
    body: CallAttemptCreate,
    started_at: datetime,
    disposition: Disposition | None,
    status: LeadStatus,
) -> NewCallAttempt:
    return NewCallAttempt(
        lead_id=lead.id,
        campaign_id=lead.campaign_id,
        company_id=lead.company_id,
        agent_id=body.agent_id if body.agent_id is not None else lead.assigned_to,
        started_at=started_at,
        duration=body.duration,
        disposition=body.disposition,
        successful=was_successful(body.successful, disposition, status),
        status=status,
        notes=body.notes,
        transcript=body.transcript,
        keywords=body.keywords,
        cost=body.cost,
        quality=None if body.quality is None else body.quality.model_dump(exclude_unset=True),
    )


def _to_event(attempt: CallAttempt, lead: Lead) -> CallAttemptEventPart:
    return CallAttemptEventPart.model_validate({**asdict(attempt), "company_id": lead.company_id})
