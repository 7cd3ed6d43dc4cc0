"""The totals of campaigns: sums of lead events in any order, as the lists contain them."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from services.campaign_svc.campaign_lists.service import day_of
from services.campaign_svc.totals import projection, repository
from services.campaign_svc.totals.aggregation import quarter_of
from shared.database.engine import Database
from shared.events.envelope import Envelope, EventData
from shared.events.leads import CallAttempt, Lead, LeadCallAttempted, LeadCreated, LeadDeleted
from shared.messaging import inbox
from tests.fixtures.campaigns import CampaignApi, campaign_body
from tests.fixtures.events import call, lead, received

QUARTERS = [timedelta(minutes=15 * number) for number in range(8)]
START = datetime(2024, 3, 1, 23, 0, tzinfo=UTC)


@pytest.fixture
async def database(campaigns_database: str) -> AsyncIterator[Database]:
    """The service's database, as its consumer uses it, without totals."""
    database = Database(campaigns_database, name="totals-test")
    await _clear(database)
    yield database
    await database.close()


async def _clear(database: Database) -> None:
    async with database.transaction() as connection:
        await inbox.reset(connection, projection.SUBSCRIPTION.queue_name)
        await repository.clear(connection)


async def _receive(database: Database, events: Sequence[Envelope]) -> None:
    """Apply a batch as the consumer does."""
    async with database.transaction() as connection:
        todo = await inbox.claim_events(connection, projection.SUBSCRIPTION.queue_name, events)
        await projection.project_totals(connection, todo)


async def _listed(api: CampaignApi, company: int) -> dict[str, Any]:
    [campaign] = (await api.get(f"/company/{company}", company)).json()["data"]
    return {name: campaign[name] for name in ("total_leads", "completed_calls", "successful_calls", "failed_calls")}


async def test_a_list_contains_the_totals_of_leads_and_calls(
    campaign_api: CampaignApi, company: int, database: Database
) -> None:
    campaign = (await campaign_api.create(campaign_body(company)))["id"]
    leads = [lead(number, campaign_id=campaign) for number in range(1, 4)]
    calls = [call(number, campaign_id=campaign, successful=number < 3) for number in range(1, 4)]
    others = LeadCreated(leads=[lead(9, campaign_id=campaign + 1)])

    await _receive(database, received(LeadCreated(leads=leads), LeadCallAttempted(call_attempts=calls), others))
    assert await _listed(campaign_api, company) == {
        "total_leads": 3,
        "completed_calls": 3,
        "successful_calls": 2,
        "failed_calls": 1,
    }

    await _receive(database, received(LeadDeleted(leads=leads[:1])))
    assert (await _listed(campaign_api, company))["total_leads"] == 2


async def test_a_deletion_before_its_creation_gives_zero_leads_rather_than_fewer(
    campaign_api: CampaignApi, company: int, database: Database
) -> None:
    campaign = (await campaign_api.create(campaign_body(company)))["id"]
    one = lead(1, campaign_id=campaign)
    await _receive(database, received(LeadDeleted(leads=[one])))
    assert (await _listed(campaign_api, company))["total_leads"] == 0
    await _receive(database, received(LeadCreated(leads=[one])))
    assert (await _listed(campaign_api, company))["total_leads"] == 0


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Kathmandu", "Pacific/Apia"])
async def test_today_is_the_current_day_in_the_campaigns_zone(
    campaign_api: CampaignApi, company: int, database: Database, zone: str
) -> None:
    body = campaign_body(company, status="active", time_zone=zone, calls_per_day=5)
    campaign = (await campaign_api.create(body))["id"]
    first, next_day = day_of(datetime.now(UTC), ZoneInfo(zone))
    moments = [
        first - timedelta(microseconds=1),
        first,
        next_day - timedelta(microseconds=1),
        next_day,
        first - timedelta(days=1),
    ]
    calls = [call(number, campaign_id=campaign, started_at=moment) for number, moment in enumerate(moments)]
    await _receive(database, received(LeadCallAttempted(call_attempts=calls)))

    [listed] = (await campaign_api.get(f"/company/{company}/active", company)).json()["data"]
    assert (listed["today_calls"], listed["remaining_calls"], listed["completed_calls"]) == (2, 3, 5)


@pytest.mark.parametrize(
    ("moment", "zone", "first"),
    [
        ("2024-03-01T03:00:00Z", "America/New_York", "2024-02-29T05:00:00Z"),
        ("2024-03-01T05:00:00Z", "America/New_York", "2024-03-01T05:00:00Z"),
        ("2024-03-01T18:15:00Z", "Asia/Kathmandu", "2024-03-01T18:15:00Z"),
        ("2024-03-01T18:14:59Z", "Asia/Kathmandu", "2024-02-29T18:15:00Z"),
    ],
)
def test_a_day_begins_at_midnight_in_its_zone(moment: str, zone: str, first: str) -> None:
    start, _ = day_of(datetime.fromisoformat(moment), ZoneInfo(zone))
    assert start == datetime.fromisoformat(first)


def test_a_day_on_which_clocks_change_has_its_real_length() -> None:
    zone = ZoneInfo("Europe/Berlin")
    for moment, hours in ((datetime(2024, 3, 31, 12, tzinfo=UTC), 23), (datetime(2024, 10, 27, 12, tzinfo=UTC), 25)):
        first, following = day_of(moment, zone)
        assert following.astimezone(UTC) - first.astimezone(UTC) == timedelta(hours=hours)


@given(st.datetimes(timezones=st.timezones()))
def test_a_moment_falls_into_one_quarter_of_an_hour(moment: datetime) -> None:
    assume(1 < moment.year < 9999)
    quarter = quarter_of(moment)
    assert quarter <= moment < quarter + timedelta(minutes=15)
    assert (quarter.minute % 15, quarter.second, quarter.microsecond, quarter.tzinfo) == (0, 0, 0, UTC)


@st.composite
def _histories(draw: st.DrawFn) -> list[EventData]:
    """Generate leads, some of which are deleted, and calls, of three campaigns."""
    campaigns = st.integers(1, 3)
    leads = [lead(number, campaign_id=draw(campaigns)) for number in range(1, draw(st.integers(1, 8)))]
    gone = draw(st.lists(st.sampled_from(leads), unique_by=lambda each: each.id)) if leads else []
    calls = [
        call(
            number,
            campaign_id=draw(campaigns),
            successful=draw(st.booleans()),
            started_at=START + draw(st.sampled_from(QUARTERS)),
        )
        for number in range(draw(st.integers(0, 8)))
    ]
    return [
        *(LeadCreated(leads=[each]) for each in leads),
        *(LeadDeleted(leads=[each]) for each in gone),
        *(LeadCallAttempted(call_attempts=[each]) for each in calls),
    ]


def _naive(history: Sequence[EventData]) -> tuple[dict[int, tuple[int, int, int]], dict[tuple[int, datetime], int]]:
    """Return totals and calls by quarter, counted one by one."""
    leads: list[Lead] = [each for event in history if isinstance(event, LeadCreated) for each in event.leads]
    gone: list[Lead] = [each for event in history if isinstance(event, LeadDeleted) for each in event.leads]
    calls: list[CallAttempt] = [
        each for event in history if isinstance(event, LeadCallAttempted) for each in event.call_attempts
    ]
    campaigns = {each.campaign_id for each in (*leads, *gone)} | {each.campaign_id for each in calls}
    totals = {
        number: (
            sum(each.campaign_id == number for each in leads) - sum(each.campaign_id == number for each in gone),
            sum(each.campaign_id == number for each in calls),
            sum(each.campaign_id == number and each.successful for each in calls),
        )
        for number in campaigns
    }
    started = [(each.campaign_id, each.started_at) for each in calls]
    return totals, {key: started.count(key) for key in started}


@settings(max_examples=40, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), history=_histories())
async def test_any_order_with_duplicates_in_any_batches_ends_in_the_same_totals(
    campaign_api: CampaignApi, database: Database, data: st.DataObject, history: list[EventData]
) -> None:
    events = received(*history)
    again = data.draw(st.lists(st.sampled_from(events), max_size=5)) if events else []
    shuffled = data.draw(st.permutations([*events, *again]))
    size = data.draw(st.integers(1, 6))
    await _clear(database)
    for start in range(0, len(shuffled), size):
        await _receive(database, shuffled[start : start + size])

    totals, by_quarter = _naive(history)
    stored = await campaign_api.rows("SELECT * FROM campaign_totals")
    assert {row[0]: tuple(row)[1:] for row in stored} == totals
    stored = await campaign_api.rows("SELECT * FROM campaign_calls")
    assert {(row[0], row[1]): row[2] for row in stored} == by_quarter
