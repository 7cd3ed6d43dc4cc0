"""Keeps the local copy of campaigns current."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from services.lead_svc.campaigns.repository import CampaignCopy, store
from shared.events.campaigns import CampaignDeleted, CampaignEvent
from shared.events.catalogue import CATALOGUE
from shared.events.envelope import Envelope
from shared.ids import CampaignId, CompanyId
from shared.messaging.consumer import AfterCommit


async def project_campaigns(connection: AsyncConnection, events: Sequence[Envelope]) -> AfterCommit | None:
    """Apply campaign events; an older version than the stored one changes nothing."""
    copies = []
    for event in events:
        kind = CATALOGUE.get(event.type)
        if kind is None or not issubclass(kind, CampaignEvent):
            continue  # a type of a later version of the producer
        campaign = kind.model_validate(event.data).campaign
        copies.append(
            CampaignCopy(
                id=CampaignId(campaign.id),
                company_id=CompanyId(campaign.company_id),
                status=campaign.status,
                version=campaign.version,
                deleted=kind is CampaignDeleted,
                retry_delay_minutes=campaign.retry_delay_minutes,
                max_attempts_per_lead=campaign.max_attempts_per_lead,
                time_zone=campaign.time_zone,
            )
        )
    await store(connection, copies)
    return None
