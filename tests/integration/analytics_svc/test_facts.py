"""Facts in a real database after batches of events."""

from datetime import timedelta
from decimal import Decimal

import pytest
from asyncpg import DataError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from services.analytics_svc.projection import project
from shared.database.engine import Database
from shared.events.campaigns import CampaignCreated, CampaignDeleted, CampaignUpdated
from shared.events.imports import Import, ImportCompleted
from shared.events.leads import LeadCallAttempted, LeadCreated
from tests.fixtures.analytics import all_facts, delete_facts, project_all, rows
from tests.fixtures.events import NOON, call, campaign, lead, received
from tests.integration.analytics_svc.histories import disorders, histories

HOUR = timedelta(hours=1)


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(data=st.data())
async def test_any_order_with_duplicates_in_any_batches_ends_in_the_same_facts(
    analytics_database: Database, analytics_url: str, data: st.DataObject
) -> None:
    events = data.draw(histories())
    batches = data.draw(disorders(events))
    await delete_facts(analytics_url)
    for event in events:
        await project_all(analytics_database, event)
    in_order = await all_facts(analytics_url)
    await delete_facts(analytics_url)
    for batch in batches:
        await project_all(analytics_database, *batch)
    assert await all_facts(analytics_url) == in_order


async def test_an_older_version_changes_nothing(analytics_database: Database, analytics_url: str) -> None:
    await project_all(
        analytics_database,
        CampaignUpdated(campaign=campaign(1, version=3, name="Newer")),
        LeadCreated(leads=[lead(1, version=3, status="scheduled")]),
    )
    await project_all(
        analytics_database,
        CampaignUpdated(campaign=campaign(1, version=2, name="Older")),
        LeadCreated(leads=[lead(1, version=2, status="pending")]),
    )
    facts = await all_facts(analytics_url)
    assert [row[:2] for row in facts["campaigns"]] == [(1, 3)]
    assert [row[:2] for row in facts["leads"]] == [(1, 3)]
    assert "Newer" in facts["campaigns"][0]
    assert "scheduled" in facts["leads"][0]


async def test_a_deleted_campaign_stays_stored_as_deleted(analytics_database: Database, analytics_url: str) -> None:
    deleted = CampaignDeleted(campaign=campaign(1, version=2))
    await project_all(analytics_database, CampaignCreated(campaign=campaign(1)), deleted)
    await project_all(analytics_database, CampaignCreated(campaign=campaign(1)))
    assert [tuple(row) for row in await rows(analytics_url, "SELECT id, deleted FROM campaigns")] == [(1, True)]


@pytest.mark.parametrize("calls_first", [False, True])
async def test_a_call_costs_the_price_at_its_time(
    analytics_database: Database, analytics_url: str, calls_first: bool
) -> None:
    campaigns = [
        CampaignCreated(campaign=campaign(1, cost_per_call="0.50")),
        CampaignUpdated(campaign=campaign(1, version=2, cost_per_call="0.70", updated_at=NOON + HOUR)),
        CampaignUpdated(campaign=campaign(1, version=3, cost_per_call=None, updated_at=NOON + 2 * HOUR)),
    ]
    calls = LeadCallAttempted(
        call_attempts=[
            call(1, started_at=NOON - HOUR),  # reported late, from before the campaign was entered
            call(2, started_at=NOON + HOUR - timedelta(microseconds=1)),
            call(3, started_at=NOON + HOUR),
            call(4, started_at=NOON + 2 * HOUR),
            call(5, started_at=NOON + HOUR, cost="0.00"),
            call(6, campaign_id=2),
        ]
    )
    for event in (calls, *campaigns) if calls_first else (*campaigns, calls):
        await project_all(analytics_database, event)
    costs = [row[0] for row in await rows(analytics_url, "SELECT cost FROM call_facts ORDER BY id")]
    assert costs == [Decimal("0.50"), Decimal("0.50"), Decimal("0.70"), None, Decimal("0.00"), None]


async def test_a_repeated_call_changes_nothing(analytics_database: Database, analytics_url: str) -> None:
    attempt = LeadCallAttempted(call_attempts=[call(1)])
    await project_all(analytics_database, attempt, attempt)
    before = await all_facts(analytics_url)
    await project_all(analytics_database, attempt)
    assert await all_facts(analytics_url) == before
    assert len(before["calls"]) == 1


async def test_events_without_facts_are_ignored(analytics_database: Database, analytics_url: str) -> None:
    job = Import(id=1, company_id=1, campaign_id=1, filename="leads.csv", imported_count=1, error_count=0)
    [known] = received(ImportCompleted(job=job))
    unknown = known.model_copy(update={"type": "lead.reincarnated.v1"})
    async with analytics_database.transaction() as connection:
        await project(connection, [known, unknown])
    assert not any((await all_facts(analytics_url)).values())


async def test_unknown_fields_are_ignored(analytics_database: Database, analytics_url: str) -> None:
    [event] = received(LeadCreated(leads=[lead(1)]))
    later = event.model_copy(
        update={"data": {"leads": [lead(1).model_dump() | {"mood": "sunny"}], "reason": "why not"}}
    )
    async with analytics_database.transaction() as connection:
        await project(connection, [later])
    assert len((await all_facts(analytics_url))["leads"]) == 1


@pytest.mark.parametrize(
    ("leads", "error"),
    [
        ([], ValidationError),
        ([{"id": 1}], ValidationError),
        ([lead(1).model_dump() | {"status": "sunny"}], ValidationError),
        ([lead(1).model_dump() | {"id": 2**63}], DataError),
        ([lead(1).model_dump() | {"source": "a\0b"}], DataError),
        ([lead(1).model_dump() | {"created_at": "2024-03-01T09:00:00"}], ValidationError),
    ],
    ids=["none", "incomplete", "unknown status", "id too large", "NUL", "time without offset"],
)
async def test_invalid_events_fail_and_leave_nothing(
    analytics_database: Database, analytics_url: str, leads: list[object], error: type[Exception]
) -> None:
    good, bad = received(LeadCreated(leads=[lead(7)]), LeadCreated(leads=[lead(8)]))
    with pytest.raises(error):
        async with analytics_database.transaction() as connection:
            await project(connection, [good, bad.model_copy(update={"data": {"leads": leads}})])
    assert not any((await all_facts(analytics_url)).values())
