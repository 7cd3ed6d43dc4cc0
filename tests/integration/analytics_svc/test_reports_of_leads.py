"""Rules of the reports on leads, each by an example worked out by hand."""

from datetime import date, timedelta
from typing import Any

import pytest

from shared.database.engine import Database
from shared.events.campaigns import CampaignCreated
from shared.events.envelope import EventData
from shared.events.leads import (
    Lead,
    LeadAssigned,
    LeadCallAttempted,
    LeadConverted,
    LeadCreated,
    LeadDeleted,
    LeadUpdated,
)
from shared.events.members import MemberUpdated
from tests.fixtures.analytics import ReportsApi, project_all
from tests.fixtures.events import NOON, assignment, call, campaign, conversion, lead, member
from tests.integration.analytics_svc.recomputation import (
    ANALYTICS,
    ASSIGNMENT_STATISTICS,
    CAMPAIGN_LEAD_STATISTICS,
    CONVERSION_ANALYSIS,
    COST_ANALYSIS,
    QUALITY_REPORT,
    STATISTICS,
)
from tests.integration.analytics_svc.recomputation_facts import ReportRequest

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
INSTANT = timedelta(microseconds=1)


def converted(*leads: Lead) -> LeadConverted:
    """Return the conversion of the leads for 100, in their next version."""
    return LeadConverted(
        leads=[conversion(one.model_copy(update={"version": one.version + 1}), 100, NOON) for one in leads]
    )


def called(*leads: Lead) -> LeadCallAttempted:
    """Return one call to each lead."""
    return LeadCallAttempted(call_attempts=[call(one.id, lead_id=one.id) for one in leads])


async def _funnel(api: ReportsApi, **parameters: Any) -> tuple[int, int, int, int]:
    funnel = (await ANALYTICS.get(api, ReportRequest(1, **parameters)))["lead_funnel"]
    return funnel["total_leads"], funnel["contacted"], funnel["qualified"], funnel["converted"]


# What a lead is


@pytest.mark.parametrize(
    ("state", "is_called", "is_converted", "reached"),
    [
        ({"lead_score": 100, "interest_level": "high", "status": "completed"}, False, False, (1, 0, 0, 0)),
        ({}, True, False, (1, 1, 0, 0)),
        ({"lead_score": 59, "interest_level": "medium"}, True, False, (1, 1, 0, 0)),
        ({"lead_score": 60}, True, False, (1, 1, 1, 0)),
        ({"lead_score": 0, "interest_level": "high"}, True, False, (1, 1, 1, 0)),
        ({}, False, True, (1, 1, 1, 1)),
        ({"lead_score": 0, "interest_level": "low"}, True, True, (1, 1, 1, 1)),
    ],
    ids=[
        "never called",
        "called",
        "not good enough",
        "good score",
        "great interest",
        "converted uncalled",
        "converted",
    ],
)
async def test_the_stage_of_a_lead_in_the_funnel(
    analytics_database: Database,
    reports_api: ReportsApi,
    state: dict[str, Any],
    is_called: bool,
    is_converted: bool,
    reached: tuple[int, ...],
) -> None:
    one = lead(1, **state)
    events: list[EventData] = [LeadCreated(leads=[one])]
    events += [called(one)] if is_called else []
    events += [converted(one)] if is_converted else []
    await project_all(analytics_database, *events)
    assert await _funnel(reports_api) == reached


@pytest.mark.parametrize(
    ("status", "promising"),
    [
        *(("pending", 100), ("in_progress", 100), ("scheduled", 100)),
        *(("completed", 0), ("failed", 0), ("blacklisted", 0)),
    ],
)
async def test_a_promising_lead_is_qualified_and_open(
    analytics_database: Database, reports_api: ReportsApi, status: str, promising: int
) -> None:
    one = lead(1, status=status, lead_score=80)
    await project_all(analytics_database, LeadCreated(leads=[one]), called(one))
    quality = (await QUALITY_REPORT.get(reports_api, ReportRequest(1)))["overall_quality"]
    assert quality == {
        "average_lead_score": 80.0,
        "qualification_rate": 100.0,
        "conversion_potential": float(promising),
    }
    await project_all(
        analytics_database,
        converted(one),
        LeadUpdated(leads=[lead(1, version=3, status=status, lead_score=80)]),
    )
    quality = (await QUALITY_REPORT.get(reports_api, ReportRequest(1)))["overall_quality"]
    assert quality["conversion_potential"] == 0.0


@pytest.mark.parametrize("in_order", [True, False])
async def test_a_converted_lead_stays_converted_with_the_latest_value(
    analytics_database: Database, reports_api: ReportsApi, in_order: bool
) -> None:
    states = [lead(1, version=version, status="completed") for version in (2, 3)]
    events = [
        LeadCreated(leads=[lead(1)]),
        LeadConverted(leads=[conversion(states[0], 100, NOON)]),
        LeadConverted(leads=[conversion(states[1], 70, NOON)]),
        LeadUpdated(leads=[lead(1, version=4, status="failed")]),
    ]
    for event in events if in_order else events[::-1]:
        await project_all(analytics_database, event)
    summary = (await CONVERSION_ANALYSIS.get(reports_api, ReportRequest(1)))["conversion_summary"]
    assert summary == {
        "total_leads": 1,
        "total_conversions": 1,
        "conversion_rate": 100.0,
        "average_conversion_value": 70.0,
        "total_revenue": 70.0,
    }
    assert (await COST_ANALYSIS.get(reports_api, ReportRequest(1)))["roi_analysis"]["total_conversion_value"] == 70.0
    distribution = (await ASSIGNMENT_STATISTICS.get(reports_api, ReportRequest(1)))["assignment_distribution"]
    assert distribution["by_status"]["failed"] == 1


@pytest.mark.parametrize("deleted_first", [True, False])
async def test_a_deleted_lead_is_not_counted_but_its_calls_are(
    analytics_database: Database, reports_api: ReportsApi, deleted_first: bool
) -> None:
    state = {"lead_score": 90, "assigned_to": 7, "source": "Website"}
    gone = LeadDeleted(leads=[lead(1, version=3, **state)])
    events = [
        CampaignCreated(campaign=campaign(1)),
        LeadCreated(leads=[lead(1, **state)]),
        converted(lead(1, **state)),
        LeadCallAttempted(call_attempts=[call(1, cost=5, duration=30)]),
    ]
    for event in (gone, *events) if deleted_first else (*events, gone):
        await project_all(analytics_database, event)
    assert await _funnel(reports_api) == (0, 0, 0, 0)
    statistics = await STATISTICS.get(reports_api, ReportRequest(1))
    assert (statistics["total_leads"], statistics["total_calls"], statistics["total_cost"]) == (0, 1, 5.0)
    analytics = await ANALYTICS.get(reports_api, ReportRequest(1))
    assert (analytics["lead_sources"], analytics["conversion_timeline"]) == ([], [])
    assert analytics["lead_scoring"]["average_score"] is None
    assignment_statistics = await ASSIGNMENT_STATISTICS.get(reports_api, ReportRequest(1))
    assert assignment_statistics["agent_performance"] == []
    assert assignment_statistics["assignment_summary"]["average_response_time"] == 0
    conversions = await CONVERSION_ANALYSIS.get(reports_api, ReportRequest(1))
    assert (conversions["conversion_by_campaign"], conversions["timeline_analysis"]) == ([], [])
    assert (await COST_ANALYSIS.get(reports_api, ReportRequest(1)))["roi_analysis"]["total_conversion_value"] == 0.0
    assert await CAMPAIGN_LEAD_STATISTICS.get(reports_api, 1) == {
        "total_leads": 0,
        "completed_leads": 0,
        "failed_leads": 0,
        "converted_leads": 0,
        "average_lead_score": None,
        "total_conversion_value": 0.0,
        "average_call_duration": 30,
    }


# Response times


@pytest.mark.parametrize(
    ("assigned_at", "called_at", "seconds"),
    [
        ([], [NOON + HOUR], 3600),
        ([NOON + HOUR], [NOON + 2 * HOUR], 3600),
        ([NOON + HOUR, NOON + 2 * HOUR], [NOON + 3 * HOUR], 3600),
        ([NOON + HOUR], [NOON + HOUR], 0),
        ([NOON + HOUR], [NOON + HOUR - INSTANT], 3599),
        ([NOON + HOUR, NOON + 3 * HOUR], [NOON + 2 * HOUR], 3600),
        ([NOON + 3 * HOUR], [NOON + 2 * HOUR], 7200),
        ([], [NOON + 5 * HOUR, NOON + HOUR, NOON + 2 * HOUR], 3600),
        ([NOON + 2 * HOUR], [NOON + 3 * HOUR, NOON + HOUR], 3600),
        ([], [NOON - HOUR], 0),
        ([NOON - 2 * HOUR], [NOON - HOUR], 3600),
        ([], [NOON + 2 * SECOND - INSTANT], 1),
        ([], [], 0),
    ],
    ids=[
        "since it was created",
        "since it was assigned",
        "since it was last assigned",
        "assigned at that moment",
        "assigned an instant later",
        "reassigned after the call",
        "assigned after the call",
        "until the earliest call",
        "assigned between calls",
        "called before it was created",
        "assigned and called before it was created",
        "whole seconds",
        "never called",
    ],
)
@pytest.mark.parametrize("calls_first", [False, True])
async def test_the_response_time_of_a_lead(
    analytics_database: Database,
    reports_api: ReportsApi,
    assigned_at: list[Any],
    called_at: list[Any],
    seconds: int,
    calls_first: bool,
) -> None:
    assigned = [
        LeadAssigned(leads=[assignment(lead(1, version=version, assigned_to=None if version % 2 else 1), at)])
        for version, at in enumerate(assigned_at, 2)
    ]
    calls = [LeadCallAttempted(call_attempts=[call(number, started_at=at)]) for number, at in enumerate(called_at, 1)]
    events = [LeadCreated(leads=[lead(1)]), *assigned, *calls]
    for event in events[::-1] if calls_first else events:
        await project_all(analytics_database, event)
    summary = (await ASSIGNMENT_STATISTICS.get(reports_api, ReportRequest(1)))["assignment_summary"]
    assert summary["average_response_time"] == seconds


async def test_agents_are_those_who_have_leads_now(analytics_database: Database, reports_api: ReportsApi) -> None:
    leads = [lead(number, assigned_to=agent) for number, agent in enumerate([9, 9, 9, 8, None], 1)]
    reassigned = lead(4, version=2, assigned_to=7)
    await project_all(
        analytics_database,
        MemberUpdated(member=member(9, name="John Smith")),
        MemberUpdated(member=member(7, company_id=2, name="Somebody else")),
        LeadCreated(leads=leads),
        LeadAssigned(leads=[assignment(reassigned, NOON)]),
        LeadCallAttempted(
            call_attempts=[
                call(1, lead_id=1, started_at=NOON + SECOND),
                call(2, lead_id=2, started_at=NOON + 2 * SECOND),
                call(3, lead_id=5, started_at=NOON + 6 * SECOND),
            ]
        ),
        converted(leads[0]),
    )
    answer = await ASSIGNMENT_STATISTICS.get(reports_api, ReportRequest(1))
    assert answer["assignment_summary"] == {
        "total_leads": 5,
        "assigned_leads": 4,
        "unassigned_leads": 1,
        "average_response_time": 3,
    }
    assert answer["agent_performance"] == [
        {
            "agent_id": 7,
            "name": None,
            "assigned_leads": 1,
            "contacted_leads": 0,
            "converted_leads": 0,
            "average_response_time": 0,
            "conversion_rate": 0.0,
        },
        {
            "agent_id": 9,
            "name": "John Smith",
            "assigned_leads": 3,
            "contacted_leads": 2,
            "converted_leads": 1,
            "average_response_time": 2,  # 1.5
            "conversion_rate": 50.0,
        },
    ]


# Distributions, sources, days


async def test_all_priorities_and_statuses_are_always_present(
    analytics_database: Database, reports_api: ReportsApi
) -> None:
    leads = [lead(number, priority=number, status="blacklisted") for number in (1, 2, 3, 4, 5)]
    await project_all(analytics_database, LeadCreated(leads=leads))
    assert (await ASSIGNMENT_STATISTICS.get(reports_api, ReportRequest(1)))["assignment_distribution"] == {
        "by_priority": {"high": 2, "medium": 1, "low": 2},
        "by_status": {
            "pending": 0,
            "in_progress": 0,
            "completed": 0,
            "failed": 0,
            "scheduled": 0,
            "blacklisted": 5,
        },
    }


async def test_bands_of_scores(analytics_database: Database, reports_api: ReportsApi) -> None:
    scores = [None, 0, 39, 40, 59, 60, 79, 80, 100]
    await project_all(
        analytics_database,
        LeadCreated(leads=[lead(number, lead_score=score) for number, score in enumerate(scores, 1)]),
    )
    quality = await QUALITY_REPORT.get(reports_api, ReportRequest(1))
    assert quality["lead_quality_distribution"] == {"excellent": 2, "good": 2, "fair": 2, "poor": 2}
    scoring = (await ANALYTICS.get(reports_api, ReportRequest(1)))["lead_scoring"]
    assert scoring == {"average_score": 57.13, "score_distribution": {"high": 2, "medium": 4, "low": 2}}  # 57.125


async def test_sources_are_listed_by_number_of_leads_then_by_name(
    analytics_database: Database, reports_api: ReportsApi
) -> None:
    sources = ["Website", "Fair", None, "Website", "Partner", "Partner", None]
    leads = [lead(number, source=source, lead_score=10 * number) for number, source in enumerate(sources, 1)]
    await project_all(analytics_database, LeadCreated(leads=[*leads, lead(8, source="Empty")]), converted(leads[0]))
    sources_of = (await ANALYTICS.get(reports_api, ReportRequest(1)))["lead_sources"]
    columns = ("source", "count", "conversion_rate", "average_lead_score")
    assert [tuple(row[name] for name in columns) for row in sources_of] == [
        ("Partner", 2, 0.0, 55.0),
        ("Website", 2, 50.0, 25.0),
        (None, 2, 0.0, 50.0),
        ("Empty", 1, 0.0, None),
        ("Fair", 1, 0.0, 20.0),
    ]


async def test_conversions_count_on_the_day_the_lead_was_created(
    analytics_database: Database, reports_api: ReportsApi
) -> None:
    """The second lead was created at 23:30 UTC, which is the next day in Berlin."""
    leads = [lead(1), lead(2, created_at=NOON.replace(hour=23, minute=30))]
    much_later = [
        conversion(one.model_copy(update={"version": 2}), 10 * one.id, NOON + timedelta(days=30)) for one in leads
    ]
    await project_all(analytics_database, LeadCreated(leads=[*leads, lead(3)]), LeadConverted(leads=much_later))
    in_utc = (await ANALYTICS.get(reports_api, ReportRequest(1)))["conversion_timeline"]
    assert in_utc == [{"date": "2024-03-01", "new_leads": 3, "conversions": 2, "conversion_rate": 66.67}]
    in_berlin = ReportRequest(1, time_zone="Europe/Berlin")
    assert (await CONVERSION_ANALYSIS.get(reports_api, in_berlin))["timeline_analysis"] == [
        {"date": "2024-03-01", "new_leads": 2, "conversions": 1, "revenue": 10.0, "conversion_rate": 50.0},
        {"date": "2024-03-02", "new_leads": 1, "conversions": 1, "revenue": 20.0, "conversion_rate": 100.0},
    ]
    assert await _funnel(reports_api, time_zone="Europe/Berlin", first=date(2024, 3, 2)) == (1, 1, 1, 1)


async def test_conversion_rates_are_of_contacted_leads_or_of_all(
    analytics_database: Database, reports_api: ReportsApi
) -> None:
    leads = [lead(number, campaign_id=1 + number % 2) for number in (1, 2, 3)]
    await project_all(
        analytics_database,
        CampaignCreated(campaign=campaign(1)),
        LeadCreated(leads=leads[1:2]),
        LeadCreated(leads=leads[::2]),
        called(leads[0]),
        converted(leads[1]),
    )
    assert (await ANALYTICS.get(reports_api, ReportRequest(1)))["lead_funnel"]["conversion_rate"] == 50.0
    answer = await CONVERSION_ANALYSIS.get(reports_api, ReportRequest(1))
    assert answer["conversion_summary"]["conversion_rate"] == 33.33
    assert answer["conversion_by_campaign"] == [
        {
            "campaign_id": 1,
            "name": "Campaign 1",
            "leads": 1,
            "conversions": 1,
            "conversion_rate": 100.0,
            "revenue": 100.0,
        },
        {"campaign_id": 2, "name": None, "leads": 2, "conversions": 0, "conversion_rate": 0.0, "revenue": 0.0},
    ]
