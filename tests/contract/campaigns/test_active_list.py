"""Endpoint 6: a company's active campaigns and their progress."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest

from services.campaign_svc.campaign_lists.filters import CampaignFilters, PageRequest
from services.campaign_svc.campaign_lists.service import list_active
from shared.database.engine import Database
from shared.ids import CompanyId
from tests.fixtures.campaigns import CampaignApi, campaign_body, smallest_body

EXAMPLE: dict[str, Any] = {
    "id": 1,
    "name": "Customer Survey Campaign",
    "status": "active",
    "priority": "high",
    "total_leads": 100,
    "completed_calls": 50,
    "success_rate": 90.00,
    "today_calls": 25,
    "remaining_calls": 50,
}
"""The contract's example of one campaign in the list."""

QUARTER = timedelta(minutes=15)


async def _answer(api: CampaignApi, company: int, query: str = "") -> dict[str, Any]:
    response = await api.get(f"/company/{company}/active{query}", company)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def _today(zone: str) -> date:
    return datetime.now(ZoneInfo(zone)).date()


def _midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


async def _calls(api: CampaignApi, campaign_id: int, calls: Sequence[tuple[datetime, int]]) -> None:
    for quarter, number in calls:
        await api.rows("INSERT INTO campaign_calls VALUES ($1, $2, $3)", campaign_id, quarter, number)


async def test_the_contracts_example(campaign_api: CampaignApi, company: int) -> None:
    created = await campaign_api.create(campaign_body(company, status="active", calls_per_day=75))
    await campaign_api.rows("INSERT INTO campaign_totals VALUES ($1, 100, 50, 45)", created["id"])
    # Calls on both days, in case one ends during the test.
    await _calls(
        campaign_api, created["id"], [(_midnight(_today("UTC") + timedelta(days=n), "UTC"), 25) for n in (0, 1)]
    )
    response = await campaign_api.get(f"/company/{company}/active", company)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    answer = response.json()
    assert answer == {"total": 1, "data": [EXAMPLE | {"id": created["id"]}]}
    assert {name: type(value) for name, value in answer["data"][0].items()} == {
        name: type(value) for name, value in EXAMPLE.items()
    }


async def test_without_calls_every_figure_is_zero(campaign_api: CampaignApi, company: int) -> None:
    created = await campaign_api.create(smallest_body(company, status="active", calls_per_day=7))
    [campaign] = (await _answer(campaign_api, company))["data"]
    assert campaign == {
        "id": created["id"],
        "name": created["name"],
        "status": "active",
        "priority": "medium",
        "total_leads": 0,
        "completed_calls": 0,
        "success_rate": 0,
        "today_calls": 0,
        "remaining_calls": 7,
    }


async def test_a_company_without_active_campaigns_has_an_empty_list(campaign_api: CampaignApi, company: int) -> None:
    assert await _answer(campaign_api, company) == {"total": 0, "data": []}


async def test_only_active_campaigns_are_listed_newest_first(campaign_api: CampaignApi, company: int) -> None:
    for number, status in enumerate(["active", "draft", "active", "paused", "completed", "active"]):
        await campaign_api.create(smallest_body(company, name=f"{number}", status=status))
    answer = await _answer(campaign_api, company)
    assert [campaign["name"] for campaign in answer["data"]] == ["5", "2", "0"]
    assert {campaign["status"] for campaign in answer["data"]} == {"active"}
    assert answer["total"] == 3


async def test_a_campaign_is_listed_while_it_is_active(campaign_api: CampaignApi, company: int) -> None:
    created = await campaign_api.create(smallest_body(company))
    listed = []
    for name in ("start", "pause", "resume", "complete"):
        await campaign_api.transition(name, created["id"], company)
        listed.append((await _answer(campaign_api, company))["total"])
    assert listed == [1, 0, 1, 0]


@pytest.mark.parametrize(
    ("calls", "successful", "rate"),
    [(0, 0, 0), (1, 0, 0), (1, 1, 100), (3, 1, 33.33), (3, 2, 66.67), (800, 1, 0.13), (10_000_000, 1, 0)],
)
async def test_the_rate_of_success_is_a_percentage_with_two_decimals(
    campaign_api: CampaignApi, company: int, calls: int, successful: int, rate: float
) -> None:
    created = await campaign_api.create(smallest_body(company, status="active"))
    await campaign_api.rows("INSERT INTO campaign_totals VALUES ($1, 5, $2, $3)", created["id"], calls, successful)
    [campaign] = (await _answer(campaign_api, company))["data"]
    assert (campaign["completed_calls"], campaign["success_rate"]) == (calls, rate)


@pytest.mark.parametrize(("made", "remaining"), [(0, 10), (4, 6), (10, 0), (11, 0)])
async def test_no_fewer_than_no_calls_remain(
    campaign_api: CampaignApi, company: int, made: int, remaining: int
) -> None:
    created = await campaign_api.create(smallest_body(company, status="active", calls_per_day=10))
    await _calls(
        campaign_api, created["id"], [(_midnight(_today("UTC") + timedelta(days=n), "UTC"), made) for n in (0, 1)]
    )
    [campaign] = (await _answer(campaign_api, company))["data"]
    assert (campaign["today_calls"], campaign["remaining_calls"]) == (made, remaining)


@pytest.mark.parametrize(
    "zone",
    ["UTC", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Kiritimati", "Pacific/Pago_Pago"],
)
async def test_today_is_the_day_in_the_campaigns_own_zone(campaign_api: CampaignApi, company: int, zone: str) -> None:
    created = await campaign_api.create(smallest_body(company, status="active", time_zone=zone, calls_per_day=50_000))
    before = _today(zone)
    midnights = [_midnight(before + timedelta(days=n), zone) for n in (0, 1, 2)]
    await _calls(
        campaign_api,
        created["id"],
        [
            (midnights[0] - QUARTER, 1),
            (midnights[0], 10),
            (midnights[1] - QUARTER, 100),
            (midnights[1], 1_000),
            (midnights[2] - QUARTER, 10_000),
            (midnights[2], 100_000),
        ],
    )
    [campaign] = (await _answer(campaign_api, company))["data"]
    of_day = {before: 110, before + timedelta(days=1): 11_000}
    assert campaign["today_calls"] in {of_day[before], of_day[_today(zone)]}
    assert campaign["remaining_calls"] == 50_000 - campaign["today_calls"]


@pytest.mark.parametrize(
    ("zone", "now", "first", "next_first"),
    [
        ("Europe/Berlin", "2024-03-31T12:00:00+00:00", "2024-03-30T23:00:00+00:00", "2024-03-31T22:00:00+00:00"),
        ("Europe/Berlin", "2024-10-27T00:30:00+00:00", "2024-10-26T22:00:00+00:00", "2024-10-27T23:00:00+00:00"),
        ("Australia/Lord_Howe", "2024-04-06T18:00:00+00:00", "2024-04-06T13:00:00+00:00", "2024-04-07T13:30:00+00:00"),
        ("America/Havana", "2024-03-10T12:00:00+00:00", "2024-03-10T05:00:00+00:00", "2024-03-11T04:00:00+00:00"),
        ("Asia/Kolkata", "2024-01-01T18:30:00+00:00", "2024-01-01T18:30:00+00:00", "2024-01-02T18:30:00+00:00"),
    ],
    ids=["23 hours", "25 hours", "24 and a half", "clocks changed at midnight", "the first moment"],
)
async def test_a_day_on_which_clocks_change_has_its_real_length(
    campaign_api: CampaignApi,
    campaigns_database: str,
    company: int,
    zone: str,
    now: str,
    first: str,
    next_first: str,
) -> None:
    """Calls the service module itself, which takes the time as a parameter."""
    created = await campaign_api.create(smallest_body(company, status="active", time_zone=zone))
    start, stop = datetime.fromisoformat(first), datetime.fromisoformat(next_first)
    await _calls(campaign_api, created["id"], [(start - QUARTER, 1), (start, 10), (stop - QUARTER, 100), (stop, 1_000)])
    database = Database(campaigns_database, name="today")
    filters, page = CampaignFilters(CompanyId(company), "active"), PageRequest("created_at", "desc", 50, 0)
    try:
        listed = await list_active(database, filters, page, datetime.fromisoformat(now))
    finally:
        await database.close()
    assert [campaign.today_calls for campaign in listed.data] == [110]


async def test_every_zone_that_a_campaign_may_have_has_a_today(campaign_api: CampaignApi, company: int) -> None:
    """The database and the service must know the same zones."""
    zones = sorted(available_timezones() - {"localtime", "Factory"})
    created = await campaign_api.create(smallest_body(company, status="active", name="UTC"))
    [row] = await campaign_api.rows("SELECT * FROM campaigns WHERE id = $1", created["id"])
    columns = ", ".join(sorted(set(row.keys()) - {"id", "name", "time_zone"}))
    await campaign_api.rows(
        f"INSERT INTO campaigns (name, time_zone, {columns}) SELECT zone, zone, {columns}"
        " FROM campaigns, unnest($2::text[]) zone WHERE id = $1",
        created["id"],
        zones,
    )
    before = {zone: _today(zone) for zone in zones}
    await campaign_api.rows(
        "INSERT INTO campaign_calls SELECT id, quarter, 1"
        " FROM campaigns JOIN unnest($2::text[], $3::timestamptz[]) made(zone, quarter) ON name = zone"
        " WHERE company_id = $1 AND id <> $4",
        company,
        [zone for zone in zones for _ in range(2)],
        [
            moment
            for zone in zones
            for moment in (_midnight(before[zone], zone), _midnight(before[zone], zone) - QUARTER)
        ],
        created["id"],
    )
    calls_today: dict[str, int] = {}
    for offset in range(0, len(zones) + 1, 200):
        answer = await _answer(campaign_api, company, f"?limit=200&offset={offset}")
        assert answer["total"] == len(zones) + 1
        calls_today |= {one["name"]: one["today_calls"] for one in answer["data"] if one["id"] != created["id"]}
    assert calls_today.keys() == set(zones)
    went_on = {zone for zone in zones if _today(zone) != before[zone]}
    assert {zone: calls for zone, calls in calls_today.items() if calls != 1 and zone not in went_on} == {}


@pytest.mark.parametrize(
    ("query", "names", "total"),
    [
        ("?priority=high", ["4", "2", "0"], 3),
        ("?priority=low", ["3", "1"], 2),
        ("?priority=medium", [], 0),
        ("?limit=2", ["4", "3"], 5),
        ("?limit=2&offset=2", ["2", "1"], 5),
        ("?offset=4", ["0"], 5),
        ("?offset=5", [], 5),
        ("?priority=high&limit=1&offset=1", ["2"], 3),
        ("?priority=high&offset=3", [], 3),
        ("?limit=200", ["4", "3", "2", "1", "0"], 5),
    ],
)
async def test_an_active_list_is_filtered_and_paged(
    campaign_api: CampaignApi, company: int, query: str, names: list[str], total: int
) -> None:
    for number in range(5):
        priority = "low" if number % 2 else "high"
        await campaign_api.create(smallest_body(company, name=f"{number}", status="active", priority=priority))
    answer = await _answer(campaign_api, company, query)
    assert answer.keys() == {"total", "data"}
    assert [campaign["name"] for campaign in answer["data"]] == names
    assert answer["total"] == total


async def test_the_default_page_has_fifty_campaigns(campaign_api: CampaignApi, company: int) -> None:
    created = await campaign_api.create(smallest_body(company, status="active"))
    [row] = await campaign_api.rows("SELECT * FROM campaigns WHERE id = $1", created["id"])
    columns = ", ".join(sorted(set(row.keys()) - {"id"}))
    await campaign_api.rows(
        f"INSERT INTO campaigns ({columns}) SELECT {columns} FROM campaigns, generate_series(1, 50) WHERE id = $1",
        created["id"],
    )
    first, last = await _answer(campaign_api, company), await _answer(campaign_api, company, "?offset=50")
    assert (first["total"], len(first["data"]), len(last["data"])) == (51, 50, 1)
    assert len({campaign["id"] for campaign in first["data"] + last["data"]}) == 51


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("?priority=urgent", "priority"),
        ("?priority=", "priority"),
        ("?limit=0", "limit"),
        ("?limit=201", "limit"),
        ("?limit=", "limit"),
        ("?limit=x", "limit"),
        ("?offset=-1", "offset"),
        ("?offset=x", "offset"),
        ("?offset=99999999999999999999", "offset"),
    ],
)
async def test_an_invalid_parameter_is_rejected_with_its_name(
    campaign_api: CampaignApi, company: int, query: str, field: str
) -> None:
    response = await campaign_api.get(f"/company/{company}/active{query}", company)
    assert response.status_code == 400, response.text
    assert [error["field"] for error in response.json()["errors"]] == [field]


@pytest.mark.parametrize("company_id", ["0", "-1", "x", str(2**63)])
async def test_an_invalid_company_id_is_rejected(campaign_api: CampaignApi, company: int, company_id: str) -> None:
    response = await campaign_api.get(f"/company/{company_id}/active", company)
    assert response.status_code == 400
    assert [error["field"] for error in response.json()["errors"]] == ["companyId"]


async def test_a_company_outside_the_token_is_rejected(campaign_api: CampaignApi, company: int) -> None:
    response = await campaign_api.get(f"/company/{company}/active", company + 1_000_000)
    assert response.status_code == 403
    assert response.json() == {"message": "Access denied", "error": f"The token does not cover company {company}"}
