"""Rules of the reports on campaigns and calls, each by an example worked out by hand."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from shared.database.engine import Database
from shared.events.campaigns import CampaignCreated, CampaignDeleted, CampaignUpdated
from shared.events.leads import CallAttempt, LeadCallAttempted, LeadConverted, LeadCreated
from shared.events.members import MemberDeleted, MemberUpdated
from tests.fixtures.analytics import ReportsApi, project_all
from tests.fixtures.events import NOON, call, campaign, conversion, lead, member
from tests.integration.analytics_svc.recomputation import (
    CAMPAIGN_STATISTICS,
    COST_ANALYSIS,
    PERFORMANCE,
    QUALITY_METRICS,
    STATISTICS,
    TEAM_PERFORMANCE,
)
from tests.integration.analytics_svc.recomputation_facts import ReportRequest

BERLIN = "Europe/Berlin"
MONDAY = date(2024, 7, 1)


def moment(text: str) -> datetime:
    """Return a moment in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def calls_at(*moments: str, **same: Any) -> LeadCallAttempted:
    """Calls that started at these moments."""
    started = [moment(text) for text in moments]
    return LeadCallAttempted(call_attempts=[call(number, started_at=at, **same) for number, at in enumerate(started)])


# Days, hours, weeks


@pytest.mark.parametrize(
    ("day", "moments", "hours", "intervals"),
    [
        (
            date(2024, 3, 31),
            "2024-03-30T22:59 2024-03-30T23:00 2024-03-31T00:30 2024-03-31T01:00 2024-03-31T21:59 2024-03-31T22:00",
            {"00:00": 1, "01:00": 1, "03:00": 1, "23:00": 1},
            "2024-03-31T00:00:00+01:00 2024-03-31T01:00:00+01:00 2024-03-31T03:00:00+02:00 2024-03-31T23:00:00+02:00",
        ),
        (
            date(2024, 10, 27),
            "2024-10-26T21:59 2024-10-26T22:00 2024-10-27T00:30 2024-10-27T01:30 2024-10-27T22:59 2024-10-27T23:00",
            {"00:00": 1, "02:00": 2, "23:00": 1},
            "2024-10-27T00:00:00+02:00 2024-10-27T02:00:00+02:00 2024-10-27T02:00:00+01:00 2024-10-27T23:00:00+01:00",
        ),
    ],
    ids=["of 23 hours", "of 25 hours"],
)
async def test_a_day_that_the_clock_changes_is_one_day(
    analytics_database: Database,
    reports_api: ReportsApi,
    day: date,
    moments: str,
    hours: dict[str, int],
    intervals: str,
) -> None:
    await project_all(analytics_database, calls_at(*moments.split()))
    that_day = ReportRequest(1, first=day, last=day, time_zone=BERLIN)
    statistics = await STATISTICS.get(reports_api, that_day)
    assert [(row["date"], row["total_calls"]) for row in statistics["daily_stats"]] == [(day.isoformat(), 4)]
    assert statistics["calls_by_hour"] == hours
    hourly = ReportRequest(1, first=day, last=day, time_zone=BERLIN, interval="hourly")
    trends = (await PERFORMANCE.get(reports_api, hourly))["trends"]
    assert [(row["interval"], row["total_calls"]) for row in trends["calls_by_interval"]] == [
        (label, 1) for label in intervals.split()
    ]
    assert [row["interval"] for row in trends["success_rate_trend"]] == intervals.split()
    every_day = (await STATISTICS.get(reports_api, ReportRequest(1, time_zone=BERLIN)))["daily_stats"]
    assert [row["total_calls"] for row in every_day] == [1, 4, 1]


@pytest.mark.parametrize(
    ("time_zone", "hour", "interval"),
    [
        ("UTC", "18:00", "2024-07-01T18:00:00Z"),
        ("America/New_York", "14:00", "2024-07-01T14:00:00-04:00"),
        ("Asia/Kolkata", "00:00", "2024-07-02T00:00:00+05:30"),
    ],
)
async def test_hours_are_local_hours(
    analytics_database: Database, reports_api: ReportsApi, time_zone: str, hour: str, interval: str
) -> None:
    await project_all(analytics_database, calls_at("2024-07-01T18:30", "2024-07-01T18:59:59.999999"))
    request = ReportRequest(1, time_zone=time_zone, interval="hourly")
    assert (await STATISTICS.get(reports_api, request))["calls_by_hour"] == {hour: 2}
    trends = (await PERFORMANCE.get(reports_api, request))["trends"]
    assert [row["interval"] for row in trends["calls_by_interval"]] == [interval]


@pytest.mark.parametrize(
    ("interval", "expected"),
    [
        ("weekly", {"2024-W52": 1, "2025-W01": 3, "2026-W53": 1}),
        ("monthly", {"2024-12": 3, "2025-01": 1, "2027-01": 1}),
        ("daily", {"2024-12-29": 1, "2024-12-30": 1, "2024-12-31": 1, "2025-01-01": 1, "2027-01-01": 1}),
    ],
)
async def test_weeks_are_those_of_iso_8601(
    analytics_database: Database, reports_api: ReportsApi, interval: str, expected: dict[str, int]
) -> None:
    days = ("2024-12-29T23:59:59", "2024-12-30", "2024-12-31", "2025-01-01", "2027-01-01")
    await project_all(analytics_database, calls_at(*days))
    trends = (await PERFORMANCE.get(reports_api, ReportRequest(1, interval=interval)))["trends"]
    assert {row["interval"]: row["total_calls"] for row in trends["calls_by_interval"]} == expected
    assert [row["interval"] for row in trends["calls_by_interval"]] == list(expected)


async def test_an_interval_contains_only_calls_within_the_period(
    analytics_database: Database, reports_api: ReportsApi
) -> None:
    await project_all(analytics_database, calls_at("2024-12-30", "2024-12-31", "2025-01-01", "2025-01-05"))
    period = ReportRequest(1, first=date(2024, 12, 31), last=date(2025, 1, 1), interval="weekly")
    trends = (await PERFORMANCE.get(reports_api, period))["trends"]
    assert [(row["interval"], row["total_calls"]) for row in trends["calls_by_interval"]] == [("2025-W01", 2)]


# Terms, calling hours


@pytest.mark.parametrize(
    ("time_zone", "hours", "started_at", "within"),
    [
        ("UTC", ("09:00:00", "17:00:00"), "2024-07-01T08:59:59.999999", False),
        ("UTC", ("09:00:00", "17:00:00"), "2024-07-01T09:00", True),
        ("UTC", ("09:00:00", "17:00:00"), "2024-07-01T16:59:59.999999", True),
        ("UTC", ("09:00:00", "17:00:00"), "2024-07-01T17:00", False),
        ("UTC", ("09:00:00", "17:00:00"), "2024-07-02T12:00", False),
        (BERLIN, ("09:00:00", "17:00:00"), "2024-07-01T07:00", True),
        (BERLIN, ("09:00:00", "17:00:00"), "2024-07-01T06:59:59", False),
        ("Asia/Kolkata", ("00:00:00", "01:00:00"), "2024-06-30T18:30", True),
        ("UTC", ("22:00:00", "06:00:00"), "2024-07-01T21:59:59", False),
        ("UTC", ("22:00:00", "06:00:00"), "2024-07-01T22:00", True),
        ("UTC", ("22:00:00", "06:00:00"), "2024-07-02T05:59:59", True),
        ("UTC", ("22:00:00", "06:00:00"), "2024-07-02T06:00", False),
        ("UTC", ("22:00:00", "06:00:00"), "2024-07-02T22:00", False),
        ("UTC", ("22:00:00", "06:00:00"), "2024-07-01T05:00", False),
        (BERLIN, ("22:00:00", "06:00:00"), "2024-07-02T03:59:59", True),
        (BERLIN, ("22:00:00", "06:00:00"), "2024-07-02T04:00", False),
        ("UTC", ("22:00:00", "00:00:00"), "2024-07-01T23:59:59", True),
        ("UTC", ("22:00:00", "00:00:00"), "2024-07-02T00:00", False),
    ],
)
async def test_calling_hours_belong_to_the_day_they_begin_on(
    analytics_database: Database,
    reports_api: ReportsApi,
    time_zone: str,
    hours: tuple[str, str],
    started_at: str,
    within: bool,
) -> None:
    begin, end = hours
    terms = {"time_zone": time_zone, "calling_hours_start": begin, "calling_hours_end": end}
    works = campaign(1, working_days=[f"{MONDAY:%A}"], **terms)
    await project_all(analytics_database, CampaignCreated(campaign=works), calls_at(started_at))
    quality = await QUALITY_METRICS.get(reports_api, ReportRequest(1))
    rate = 100 if within else 0
    assert quality["compliance_metrics"]["call_time_compliance"] == rate
    assert quality["overall_quality"]["compliance_rate"] == rate


@pytest.mark.parametrize("calls_first", [False, True])
async def test_a_call_is_checked_against_the_terms_of_its_time(
    analytics_database: Database, reports_api: ReportsApi, calls_first: bool
) -> None:
    morning = {"calling_hours_start": "06:00:00", "calling_hours_end": "12:00:00", "cost_per_call": 1}
    evening = {"calling_hours_start": "18:00:00", "calling_hours_end": "22:00:00", "cost_per_call": 10}
    changed_at = NOON + timedelta(hours=1)
    campaigns = [
        CampaignCreated(campaign=campaign(1, working_days=["Friday"], **morning)),
        CampaignUpdated(
            campaign=campaign(1, version=2, working_days=["Friday"], **evening, budget=50, updated_at=changed_at)
        ),
    ]
    at = [
        NOON - timedelta(hours=6),  # before there was a campaign: 06:00, by its first terms within hours
        changed_at - timedelta(microseconds=1),  # 12:59, by the first terms not within hours
        changed_at,  # 13:00, by the second terms not within hours
        NOON + timedelta(hours=6),  # 18:00, by the second terms within hours
    ]
    calls = LeadCallAttempted(call_attempts=[call(number, started_at=start) for number, start in enumerate(at, 1)])
    for event in (calls, *campaigns[::-1]) if calls_first else (*campaigns, calls):
        await project_all(analytics_database, event)
    quality = await QUALITY_METRICS.get(reports_api, ReportRequest(1))
    assert quality["compliance_metrics"]["call_time_compliance"] == 50.0
    [costs] = (await COST_ANALYSIS.get(reports_api, ReportRequest(1)))["campaign_costs"]
    assert (costs["spent"], costs["remaining"], costs["cost_per_call"]) == (22.0, 28.0, 5.5)
    statistics = await CAMPAIGN_STATISTICS.get(reports_api, 1)
    assert (statistics["cost_per_call"], statistics["total_cost"]) == (10.0, 22.0)


# Costs


async def test_halves_are_rounded_up(analytics_database: Database, reports_api: ReportsApi) -> None:
    """One call in 160 is 0.625 %, one in 8 is 0.125 for each of 8 people; half a cent is a cent, also below zero."""
    of_all = [call(number, duration=0, successful=number == 1) for number in range(1, 160)]
    odd = call(160, duration=80, successful=False, cost="0.005")
    await project_all(
        analytics_database,
        CampaignCreated(campaign=campaign(1, budget=0, team_members=list(range(1, 65)))),
        LeadCallAttempted(call_attempts=[*of_all, odd]),
        CampaignCreated(campaign=campaign(2, team_members=list(range(1, 9)))),
        LeadCallAttempted(call_attempts=[call(161, campaign_id=2, started_at=NOON + timedelta(days=1), duration=1)]),
    )
    that_day = ReportRequest(1, last=NOON.date())
    statistics = await STATISTICS.get(reports_api, that_day)
    assert statistics["average_success_rate"] == 0.63
    assert statistics["average_call_duration"] == 1
    assert (statistics["total_cost"], statistics["remaining_budget"]) == (0.01, -0.01)
    team = await TEAM_PERFORMANCE.get(reports_api, ReportRequest(1))
    assert [row["calls_per_member"] for row in team["campaign_distribution"]] == [2.5, 0.13]


async def test_money_is_rounded_once_at_the_end(analytics_database: Database, reports_api: ReportsApi) -> None:
    await project_all(
        analytics_database,
        CampaignCreated(campaign=campaign(1, cost_per_call="0.333", budget=2)),
        LeadCallAttempted(call_attempts=[call(number, successful=number == 1) for number in (1, 2, 3, 4)]),
    )
    costs = await COST_ANALYSIS.get(reports_api, ReportRequest(1))
    assert costs["overall_costs"] == {
        "total_budget_allocated": 2.0,
        "total_spent": 1.33,
        "remaining_budget": 0.67,
        "average_cost_per_call": 0.33,
        "average_cost_per_success": 1.33,
    }


async def test_calls_of_unknown_cost_have_no_share_in_an_average(
    analytics_database: Database, reports_api: ReportsApi
) -> None:
    await project_all(
        analytics_database,
        CampaignCreated(campaign=campaign(1, budget=100)),
        CampaignCreated(campaign=campaign(2, budget=10)),
        LeadCallAttempted(
            call_attempts=[
                call(1, cost=1),
                call(2, cost=7, successful=False),
                call(3),
                call(4),
                call(5, started_at=NOON + timedelta(days=1), cost=20),
            ]
        ),
    )
    costs = await COST_ANALYSIS.get(reports_api, ReportRequest(1, last=NOON.date()))
    assert costs["overall_costs"] == {
        "total_budget_allocated": 110.0,
        "total_spent": 8.0,
        "remaining_budget": 82.0,
        "average_cost_per_call": 4.0,
        "average_cost_per_success": 2.67,
    }
    assert costs["campaign_costs"] == [
        {
            "campaign_id": 1,
            "name": "Campaign 1",
            "budget": 100.0,
            "spent": 8.0,
            "remaining": 72.0,
            "cost_per_call": 4.0,
            "cost_effectiveness_score": 13,  # 12.5
        },
        {
            "campaign_id": 2,
            "name": "Campaign 2",
            "budget": 10.0,
            "spent": 0.0,
            "remaining": 10.0,
            "cost_per_call": 0.0,
            "cost_effectiveness_score": None,
        },
    ]
    assert costs["cost_trends"] == [{"date": "2024-03-01", "total_spent": 8.0, "calls_made": 4, "average_cost": 4.0}]


async def test_conversion_values_are_those_of_conversions_in_the_period(
    analytics_database: Database, reports_api: ReportsApi
) -> None:
    """Whenever the lead was created; costs are those of the calls in the period."""
    last_year = NOON - timedelta(days=365)
    await project_all(
        analytics_database,
        LeadCreated(leads=[lead(1, created_at=last_year), lead(2)]),
        LeadConverted(
            leads=[
                conversion(lead(1, version=2, created_at=last_year), 30, NOON),
                conversion(lead(2, version=2), 500, NOON + timedelta(days=1)),
            ]
        ),
        LeadCallAttempted(call_attempts=[call(1, cost=8)]),
    )
    that_day = ReportRequest(1, first=NOON.date(), last=NOON.date())
    assert (await COST_ANALYSIS.get(reports_api, that_day))["roi_analysis"] == {
        "total_conversion_value": 30.0,
        "total_cost": 8.0,
        "roi_percentage": 275.0,
        "cost_to_conversion_ratio": 0.27,
    }
    later = ReportRequest(1, first=NOON.date() + timedelta(days=1))
    assert (await COST_ANALYSIS.get(reports_api, later))["roi_analysis"] == {
        "total_conversion_value": 500.0,
        "total_cost": 0.0,
        "roi_percentage": 0.0,
        "cost_to_conversion_ratio": 0.0,
    }


async def test_campaigns_of_other_companies_have_no_figures(
    analytics_database: Database, reports_api: ReportsApi
) -> None:
    await project_all(
        analytics_database,
        *(CampaignCreated(campaign=campaign(number, budget=100)) for number in (1, 2)),
        CampaignCreated(campaign=campaign(3, company_id=2, budget=100)),
        LeadCallAttempted(call_attempts=[call(1, cost=1), call(2, campaign_id=2, cost=2)]),
        LeadCallAttempted(call_attempts=[call(3, campaign_id=3, company_id=2, cost=4)]),
    )
    for chosen, spent, budget in (((1,), 1.0, 100.0), ((2, 1, 2), 3.0, 200.0), ((3, 12345), 0.0, 0.0)):
        costs = (await COST_ANALYSIS.get(reports_api, ReportRequest(1, campaign_ids=chosen)))["overall_costs"]
        assert (costs["total_spent"], costs["total_budget_allocated"]) == (spent, budget)


# Campaigns and people


async def test_the_best_campaign_comes_first_then_the_busiest_then_the_oldest(
    analytics_database: Database, reports_api: ReportsApi
) -> None:
    made = [(5, 2, 1), (4, 2, 1), (3, 4, 2), (2, 1, 1), (1, 3, 0)]  # campaign, calls, of which successful

    def attempts(campaign_id: int, number: int, successful: int) -> list[CallAttempt]:
        return [
            call(10 * campaign_id + one, campaign_id=campaign_id, successful=one < successful) for one in range(number)
        ]

    await project_all(
        analytics_database,
        CampaignCreated(campaign=campaign(2)),
        CampaignCreated(campaign=campaign(6)),
        *(LeadCallAttempted(call_attempts=attempts(*of_campaign)) for of_campaign in made),
    )
    answer = await PERFORMANCE.get(reports_api, ReportRequest(1))
    columns = ("campaign_id", "name", "success_rate", "total_calls")
    assert [tuple(row[name] for name in columns) for row in answer["campaign_rankings"]] == [
        (2, "Campaign 2", 100.0, 1),
        (3, None, 50.0, 4),
        (4, None, 50.0, 2),
        (5, None, 50.0, 2),
        (1, None, 0.0, 3),
    ]
    assert answer["summary"]["total_campaigns"] == 2


async def test_team_members_are_those_of_campaigns_and_those_who_called(
    analytics_database: Database, reports_api: ReportsApi
) -> None:
    await project_all(
        analytics_database,
        CampaignCreated(campaign=campaign(1, team_members=[11, 12])),
        CampaignCreated(campaign=campaign(2, team_members=[12])),
        CampaignCreated(campaign=campaign(3, team_members=[13])),
        CampaignDeleted(campaign=campaign(3, version=2, team_members=[13])),
        MemberUpdated(member=member(12, version=2, name="Jane Roe")),
        MemberUpdated(member=member(12, version=1, name="Jane Doe")),
        MemberUpdated(member=member(14, version=1)),
        MemberDeleted(member=member(14, version=2)),
        MemberUpdated(member=member(11, company_id=2, name="Somebody else")),
        LeadCallAttempted(
            call_attempts=[
                *(call(1, agent_id=14, duration=10), call(2, agent_id=14, duration=11, successful=False)),
                *(call(3, agent_id=12, started_at=NOON + timedelta(days=1)), call(4)),
            ]
        ),
    )
    team = await TEAM_PERFORMANCE.get(reports_api, ReportRequest(1, last=NOON.date()))
    assert team["team_summary"] == {"total_team_members": 3, "active_members": 1, "total_calls_handled": 2}
    idle = {
        "total_calls": 0,
        "successful_calls": 0,
        "success_rate": 0.0,
        "average_call_duration": 0,
        "total_talk_time": 0,
    }
    assert team["member_performance"] == [
        {"member_id": 11, "name": None, "campaigns_assigned": 1, **idle},
        {"member_id": 12, "name": "Jane Roe", "campaigns_assigned": 2, **idle},
        {
            "member_id": 14,
            "name": None,
            "campaigns_assigned": 0,
            "total_calls": 2,
            "successful_calls": 1,
            "success_rate": 50.0,
            "average_call_duration": 11,  # 10.5
            "total_talk_time": 21,
        },
    ]
    assert team["campaign_distribution"] == [
        {"campaign_id": 1, "name": "Campaign 1", "team_members": 2, "calls_per_member": 1.5},
        {"campaign_id": 2, "name": "Campaign 2", "team_members": 1, "calls_per_member": 0.0},
    ]


async def test_a_deleted_campaign_is_in_lists_only_with_calls_in_the_period(
    analytics_database: Database, reports_api: ReportsApi
) -> None:
    state = {"budget": 100, "team_members": [11], "name": "Over"}
    await project_all(
        analytics_database,
        CampaignDeleted(campaign=campaign(1, version=2, **state)),
        CampaignCreated(campaign=campaign(1, **state)),
        LeadCallAttempted(call_attempts=[call(1, cost=5)]),
    )
    costs = await COST_ANALYSIS.get(reports_api, ReportRequest(1))
    assert (costs["overall_costs"]["total_budget_allocated"], costs["overall_costs"]["total_spent"]) == (0.0, 5.0)
    assert costs["overall_costs"]["remaining_budget"] == 0.0
    [of_campaign] = costs["campaign_costs"]
    assert of_campaign == {
        "campaign_id": 1,
        "name": "Over",
        "budget": None,
        "spent": 5.0,
        "remaining": None,
        "cost_per_call": 5.0,
        "cost_effectiveness_score": 100,
    }
    performance = await PERFORMANCE.get(reports_api, ReportRequest(1))
    assert performance["summary"]["total_campaigns"] == 0
    assert [row["name"] for row in performance["campaign_rankings"]] == ["Over"]
    team = await TEAM_PERFORMANCE.get(reports_api, ReportRequest(1))
    assert team["team_summary"]["total_team_members"] == 0
    assert [row["campaign_id"] for row in team["campaign_distribution"]] == [1]
    other_days = ReportRequest(1, first=date(2025, 1, 1))
    assert (await COST_ANALYSIS.get(reports_api, other_days))["campaign_costs"] == []
    assert (await TEAM_PERFORMANCE.get(reports_api, other_days))["campaign_distribution"] == []


async def test_statistics_of_a_campaign_without_facts(analytics_database: Database, reports_api: ReportsApi) -> None:
    await project_all(analytics_database, CampaignCreated(campaign=campaign(1)))
    assert await CAMPAIGN_STATISTICS.get(reports_api, 1) == {
        "total_leads": 0,
        "completed_calls": 0,
        "successful_calls": 0,
        "failed_calls": 0,
        "cost_per_call": None,
        "budget": None,
        "success_rate": "0.00",
        "total_cost": 0.0,
        "remaining_budget": None,
    }


async def test_statistics_of_a_campaign(analytics_database: Database, reports_api: ReportsApi) -> None:
    await project_all(
        analytics_database,
        CampaignCreated(campaign=campaign(1, budget=10, cost_per_call="0.50")),
        LeadCreated(leads=[lead(1), lead(2)]),
        LeadCallAttempted(call_attempts=[call(1), call(2), call(3, successful=False, cost=20)]),
    )
    assert await CAMPAIGN_STATISTICS.get(reports_api, 1) == {
        "total_leads": 2,
        "completed_calls": 3,
        "successful_calls": 2,
        "failed_calls": 1,
        "cost_per_call": 0.5,
        "budget": 10.0,
        "success_rate": "66.67",
        "total_cost": 21.0,
        "remaining_budget": -11.0,
    }
