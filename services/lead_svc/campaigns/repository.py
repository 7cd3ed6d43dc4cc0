"""Queries on the local copy of campaigns."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Final

from sqlalchemy import bindparam, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.lead_svc.tables import campaigns
from shared.ids import CampaignId, CompanyId


@dataclass(frozen=True, slots=True)
class CampaignCopy:
    """The fields of a campaign that leads need."""

    id: CampaignId
    company_id: CompanyId
    status: str
    version: int
    deleted: bool
    retry_delay_minutes: int = 60
    max_attempts_per_lead: int = 3
    time_zone: str = "UTC"


# Built once: every creation of a lead begins with it.
_FIND: Final = select(campaigns).where(campaigns.c.id == bindparam("campaign_id"))


async def find(connection: AsyncConnection, campaign_id: CampaignId) -> CampaignCopy | None:
    """Return the local copy of a campaign of any company; None if there is no copy."""
    row = (await connection.execute(_FIND, {"campaign_id": campaign_id})).mappings().one_or_none()
    return CampaignCopy(**row) if row else None


async def store(connection: AsyncConnection, copies: Iterable[CampaignCopy]) -> None:
    """Store each copy, unless the stored one has the same or a newer version."""
    newest: dict[CampaignId, CampaignCopy] = {}
    for copy in copies:
        if copy.id not in newest or newest[copy.id].version < copy.version:
            newest[copy.id] = copy
    if not newest:
        return
    # In the order of ids, so that two writers of overlapping batches cannot wait for each other.
    statement = insert(campaigns).values([asdict(newest[campaign_id]) for campaign_id in sorted(newest)])
    new = statement.excluded
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["id"],
            set_={
                "status": new.status,
                "version": new.version,
                "deleted": new.deleted,
                "retry_delay_minutes": new.retry_delay_minutes,
                "max_attempts_per_lead": new.max_attempts_per_lead,
                "time_zone": new.time_zone,
            },
            where=campaigns.c.version < new.version,
        )
    )
