"""Queries on call attempts."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.lead_svc.domain.fields import LeadStatus
from services.lead_svc.tables import call_attempts
from shared.ids import CallAttemptId, CampaignId, CompanyId, LeadId, MemberId


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCallAttempt:
    """A call to be stored."""

    lead_id: LeadId
    campaign_id: CampaignId
    company_id: CompanyId
    agent_id: MemberId | None
    started_at: datetime
    duration: int
    """Seconds."""
    disposition: str | None
    successful: bool
    status: LeadStatus
    """The lead's status after the call."""
    notes: str | None
    transcript: str | None
    keywords: list[str]
    cost: Decimal | None
    quality: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class CallAttempt:
    """A stored call, with the columns that the API returns, in their order."""

    id: CallAttemptId
    lead_id: LeadId
    campaign_id: CampaignId
    agent_id: MemberId | None
    started_at: datetime
    duration: int
    """Seconds."""
    disposition: str | None
    successful: bool
    status: str
    """The lead's status after the call."""
    notes: str | None
    transcript: str | None
    keywords: list[str]
    cost: Decimal | None
    quality: dict[str, Any] | None
    created_at: datetime


_NEW: Final = tuple(field.name for field in fields(NewCallAttempt))
_COLUMNS: Final = [call_attempts.c[field.name] for field in fields(CallAttempt)]
_ADD: Final = insert(call_attempts).returning(*_COLUMNS)


async def add(connection: AsyncConnection, attempt: NewCallAttempt) -> CallAttempt:
    """Store a call."""
    values = {name: getattr(attempt, name) for name in _NEW}
    return CallAttempt(*(await connection.execute(_ADD, values)).one())


async def list_of_lead(connection: AsyncConnection, lead_id: LeadId) -> Sequence[CallAttempt]:
    """Return the calls to a lead, oldest first."""
    query = select(*_COLUMNS).where(call_attempts.c.lead_id == lead_id).order_by(call_attempts.c.id)
    return [CallAttempt(*row) for row in await connection.execute(query)]
