"""The lead service's copy of campaigns, updated by their events."""

import itertools
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from services.lead_svc.campaigns import repository
from services.lead_svc.campaigns.projection import project_campaigns
from services.lead_svc.campaigns.repository import CampaignCopy
from shared.database.engine import Database
from shared.events.campaigns import (
    Campaign,
    CampaignCreated,
    CampaignDeleted,
    CampaignEvent,
    CampaignStatus,
    CampaignStatusChanged,
    CampaignUpdated,
)
from shared.events.envelope import Envelope, compose, parse
from shared.ids import CampaignId, CompanyId
from tests.fixtures.lead_service import LeadService
from tests.fixtures.waiting import eventually
from tests.integration.messaging.broker import broker_at

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
COMPANY = CompanyId(7)


@pytest.fixture
async def database(lead_service: LeadService) -> AsyncIterator[Database]:
    """The service's database."""
    database = Database(lead_service.database_url, name="tests")
    yield database
    await database.close()


def campaign(version: int, status: CampaignStatus = "draft", campaign_id: int = 1, time_zone: str = "UTC") -> Campaign:
    return Campaign(
        id=campaign_id,
        version=version,
        company_id=COMPANY,
        name="Survey",
        status=status,
        priority="medium",
        campaign_type="outbound",
        calls_per_day=50,
        calling_hours_start="09:00:00",
        calling_hours_end="17:00:00",
        time_zone=time_zone,
        working_days=["Monday"],
        max_attempts_per_lead=3,
        retry_delay_minutes=60,
        budget=None,
        cost_per_call=None,
        owner_id=None,
        team_members=[],
        start_date=None,
        end_date=None,
        created_at=NOON,
        updated_at=NOON,
    )


HISTORY: tuple[CampaignEvent, ...] = (
    CampaignCreated(campaign=campaign(1)),
    CampaignStatusChanged(campaign=campaign(2, "active"), previous_status="draft"),
    CampaignUpdated(campaign=campaign(3, "paused", time_zone="Asia/Tokyo")),
    CampaignDeleted(campaign=campaign(4, "paused", time_zone="Asia/Tokyo")),
)
END = CampaignCopy(
    id=CampaignId(1), company_id=COMPANY, status="paused", version=4, deleted=True, time_zone="Asia/Tokyo"
)


def envelope(event: CampaignEvent) -> Envelope:
    return parse(compose(event, source="/campaign-svc", company_id=COMPANY).body)


async def test_any_order_of_events_leads_to_the_same_state(database: Database) -> None:
    for order in itertools.permutations(HISTORY):
        async with database.transaction() as connection:
            for event in order:
                await project_campaigns(connection, [envelope(event)])
            assert await repository.find(connection, CampaignId(1)) == END
            await connection.rollback()


async def test_any_order_within_one_batch_leads_to_the_same_state(database: Database) -> None:
    for order in itertools.permutations(HISTORY):
        async with database.transaction() as connection:
            await project_campaigns(connection, [envelope(event) for event in (*order, order[0])])
            assert await repository.find(connection, CampaignId(1)) == END
            await connection.rollback()


async def test_a_late_response_of_campaign_svc_does_not_revive_a_deleted_campaign(database: Database) -> None:
    response = CampaignCopy(id=CampaignId(1), company_id=COMPANY, status="paused", version=3, deleted=False)
    async with database.transaction() as connection:
        await project_campaigns(connection, [envelope(event) for event in HISTORY])
        await repository.store(connection, [response])
        assert await repository.find(connection, CampaignId(1)) == END


async def test_an_event_of_a_later_version_is_ignored(database: Database) -> None:
    later = envelope(HISTORY[0]).model_copy(update={"type": "campaign.merged.v1"})
    async with database.transaction() as connection:
        await project_campaigns(connection, [later])
        assert await repository.find(connection, CampaignId(1)) is None


async def test_events_reach_the_copy_over_the_broker(lead_service: LeadService, database: Database) -> None:
    last = CampaignCreated(campaign=campaign(1, campaign_id=2))
    bodies = [
        compose(event, source="/campaign-svc", company_id=COMPANY)
        for event in (HISTORY[3], HISTORY[1], HISTORY[0], HISTORY[2], last)
    ]

    async def found(campaign_id: int) -> CampaignCopy | None:
        async with database.transaction() as connection:
            return await repository.find(connection, CampaignId(campaign_id))

    async with lead_service.events(), broker_at(lead_service.amqp_url) as broker:
        for sent in (bodies[0], *bodies):  # the first one twice
            await broker.publish(sent.body, routing_key=sent.type)
        await eventually(lambda: found(2))

    assert await found(1) == END
