"""Queries on campaigns. Each is limited to the companies it is asked for, so that no caller can forget to."""

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, RowMapping, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.campaign_svc.campaigns.fields import Priority
from services.campaign_svc.campaigns.schemas import CampaignBody
from services.campaign_svc.tables import campaigns
from shared.events.campaigns import CampaignStatus

ROWS_PER_READ = 200


@dataclass(frozen=True, slots=True)
class CampaignFilter:
    """What narrows a list of campaigns; None does not."""

    status: CampaignStatus | None = None
    priority: Priority | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """The filter as SQL."""
        asked = {"status": self.status, "priority": self.priority}
        return [campaigns.c[name] == value for name, value in asked.items() if value is not None]


async def add(connection: AsyncConnection, body: CampaignBody) -> RowMapping:
    """Store a new campaign; returns it with its id."""
    result = await connection.execute(insert(campaigns).values(body.model_dump()).returning(campaigns))
    campaign: RowMapping = result.mappings().one()
    return campaign


async def get(connection: AsyncConnection, campaign_id: int, companies: Collection[int]) -> RowMapping | None:
    """One campaign of these companies."""
    query = select(campaigns).where(campaigns.c.id == campaign_id, campaigns.c.company_id.in_(companies))
    return (await connection.execute(query)).mappings().one_or_none()


async def stream(
    connection: AsyncConnection, companies: Collection[int], narrowed: CampaignFilter
) -> AsyncIterator[Sequence[RowMapping]]:
    """The campaigns of these companies in the order of their ids, some at a time."""
    query = (
        select(campaigns).where(campaigns.c.company_id.in_(companies), *narrowed.conditions()).order_by(campaigns.c.id)
    )
    result = await connection.stream(query)
    async for rows in result.mappings().partitions(ROWS_PER_READ):
        yield rows
