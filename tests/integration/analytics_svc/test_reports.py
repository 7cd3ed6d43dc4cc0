"""Every report against a plain recomputation from the list of events, and all of them against each other."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.database.engine import Database
from shared.events.leads import LeadCallAttempted, LeadCreated
from tests.fixtures.analytics import ReportsApi, delete_facts, project_all
from tests.fixtures.events import call, lead
from tests.integration.analytics_svc.histories import (
    CAMPAIGNS,
    COMPANIES,
    DAYS,
    STATUSES,
    UNKNOWN_CAMPAIGN_ID,
    ZONES,
    disorders,
    histories,
)
from tests.integration.analytics_svc.recomputation import (
    ANALYTICS,
    ASSIGNMENT_STATISTICS,
    CAMPAIGN_LEAD_STATISTICS,
    CAMPAIGN_METRICS,
    CAMPAIGN_REPORTS,
    CAMPAIGN_STATISTICS,
    COMPANY_REPORTS,
    CONVERSION_ANALYSIS,
    COST_ANALYSIS,
    PERFORMANCE,
    QUALITY_METRICS,
    QUALITY_REPORT,
    STATISTICS,
    TEAM_PERFORMANCE,
    CompanyReport,
    differences,
    without_wording,
)
from tests.integration.analytics_svc.recomputation_calls import INTERVALS
from tests.integration.analytics_svc.recomputation_facts import ReportRequest, facts_of

UNKNOWN_CAMPAIGN = 12345

Answers = dict[CompanyReport, Any]
"""The responses of all reports to one request."""

days = st.none() | st.builds(lambda day, shift: day + timedelta(days=shift), st.sampled_from(DAYS), st.integers(-1, 1))
zones = st.sampled_from(ZONES)
companies = st.sampled_from(COMPANIES)


def _request(first: date | None, last: date | None, **extra: Any) -> ReportRequest:
    if first is not None and last is not None and last < first:
        first, last = last, first
    return ReportRequest(first=first, last=last, **extra)


requests = st.builds(
    _request,
    days,
    days,
    company_id=companies,
    campaign_ids=st.none()
    | st.lists(st.sampled_from([*CAMPAIGNS, UNKNOWN_CAMPAIGN_ID, UNKNOWN_CAMPAIGN]), min_size=1, max_size=3).map(tuple),
    status=st.none() | st.sampled_from(STATUSES),
    interval=st.sampled_from(sorted(INTERVALS)),
    time_zone=zones,
)


@settings(max_examples=50, suppress_health_check=list(HealthCheck))
@given(data=st.data())
async def test_every_report_equals_its_recomputation_from_the_events(
    analytics_database: Database, analytics_url: str, reports_api: ReportsApi, data: st.DataObject
) -> None:
    events = data.draw(histories())
    await delete_facts(analytics_url)
    for batch in data.draw(disorders(events)):
        await project_all(analytics_database, *batch)
    facts = facts_of(events)
    for request in data.draw(st.lists(requests, min_size=2, max_size=4)):
        for report in COMPANY_REPORTS:
            expected = report.recompute(facts, report.effective(request))
            answer = without_wording(await report.get(reports_api, request))
            assert differences(answer, expected) == [], report.path
    for known in facts.campaigns.values():
        if not known.deleted:
            for of_campaign in CAMPAIGN_REPORTS:
                answer = await of_campaign.get(reports_api, known.now.id, known.now.company_id)
                assert differences(answer, of_campaign.recompute(facts, known.now)) == [], of_campaign.path


@settings(max_examples=20, suppress_health_check=list(HealthCheck))
@given(data=st.data())
async def test_all_reports_agree_on_the_same_request(
    analytics_database: Database, analytics_url: str, reports_api: ReportsApi, data: st.DataObject
) -> None:
    events = data.draw(histories())
    await delete_facts(analytics_url)
    await project_all(analytics_database, *events)
    request = _request(data.draw(days), data.draw(days), company_id=data.draw(companies), time_zone=data.draw(zones))
    whole = await _answers(reports_api, request)
    by_interval = {
        interval: await PERFORMANCE.get(reports_api, replace(request, interval=interval)) for interval in INTERVALS
    }
    _calls_agree(whole, by_interval)
    _leads_agree(whole)
    campaigns = (*CAMPAIGNS, UNKNOWN_CAMPAIGN_ID)
    _add_up(whole, [await _answers(reports_api, replace(request, campaign_ids=(number,))) for number in campaigns])


@settings(max_examples=20, suppress_health_check=list(HealthCheck))
@given(data=st.data())
async def test_reports_on_a_campaign_agree_with_those_on_its_company(
    analytics_database: Database, analytics_url: str, reports_api: ReportsApi, data: st.DataObject
) -> None:
    events = data.draw(histories())
    await delete_facts(analytics_url)
    await project_all(analytics_database, *events)
    for campaign_id, known in facts_of(events).campaigns.items():
        if known.deleted:
            continue
        company_id = known.now.company_id
        filtered = await _answers(reports_api, ReportRequest(company_id, campaign_ids=(campaign_id,)))
        [costs] = filtered[COST_ANALYSIS]["campaign_costs"]
        quality = filtered[QUALITY_METRICS]
        revenue = filtered[CONVERSION_ANALYSIS]["conversion_summary"]

        statistics = await CAMPAIGN_STATISTICS.get(reports_api, campaign_id, company_id)
        assert statistics["total_leads"] == revenue["total_leads"]
        assert statistics["completed_calls"] == _sum(filtered[COST_ANALYSIS]["cost_trends"], "calls_made")
        assert statistics["total_cost"] == costs["spent"] == filtered[COST_ANALYSIS]["overall_costs"]["total_spent"]
        assert statistics["budget"] == costs["budget"]
        assert statistics["remaining_budget"] == costs["remaining"]

        of_leads = await CAMPAIGN_LEAD_STATISTICS.get(reports_api, campaign_id, company_id)
        assert of_leads["total_leads"] == revenue["total_leads"]
        assert of_leads["converted_leads"] == revenue["total_conversions"]
        assert of_leads["total_conversion_value"] == revenue["total_revenue"]
        assert of_leads["average_lead_score"] == filtered[ANALYTICS]["lead_scoring"]["average_score"]

        metrics = await CAMPAIGN_METRICS.get(reports_api, campaign_id, company_id)
        assert metrics["averageCallQuality"] == quality["overall_quality"]["average_call_score"]
        assert metrics["clarity"] == quality["overall_quality"]["call_clarity_score"]
        assert metrics["adherenceToScript"] == quality["compliance_metrics"]["script_adherence"]


async def test_a_report_sees_one_state(analytics_database: Database, reports_api: ReportsApi) -> None:
    """Fails when the figures of one report differ because facts change while it is computed."""
    documented_response = asyncio.Event()

    async def go_on_projecting() -> int:
        number = 0
        while not documented_response.is_set():
            number += 1
            await project_all(
                analytics_database,
                LeadCreated(leads=[lead(number)]),
                LeadCallAttempted(call_attempts=[call(number, lead_id=number, agent_id=1, cost=1)]),
            )
        return number

    projecting = asyncio.create_task(go_on_projecting())
    try:
        for _ in range(10):
            statistics = await STATISTICS.get(reports_api, ReportRequest(1))
            counts = [statistics["total_calls"], statistics["total_leads"], statistics["total_cost"]]
            counts += [_sum(statistics["daily_stats"], "total_calls"), sum(statistics["calls_by_hour"].values())]
            assert len(set(counts)) == 1

            performance = await PERFORMANCE.get(reports_api, ReportRequest(1))
            calls = performance["summary"]["total_calls"]
            assert calls == _sum(performance["trends"]["calls_by_interval"], "total_calls")
            assert calls == _sum(performance["campaign_rankings"], "total_calls")

            analytics = await ANALYTICS.get(reports_api, ReportRequest(1))
            leads = analytics["lead_funnel"]["total_leads"]
            assert leads == analytics["lead_funnel"]["contacted"]
            assert leads == _sum(analytics["lead_sources"], "count")
            assert leads == _sum(analytics["conversion_timeline"], "new_leads")
    finally:
        documented_response.set()
        number = await projecting
    assert (await STATISTICS.get(reports_api, ReportRequest(1)))["total_calls"] == number


async def _answers(api: ReportsApi, request: ReportRequest) -> Answers:
    return {report: await report.get(api, request) for report in COMPANY_REPORTS}


def _sum(rows: Iterable[dict[str, Any]], name: str) -> int:
    return sum(row[name] for row in rows)


def _cents(rows: Iterable[dict[str, Any]], name: str) -> int:
    """Return the sum of amounts, without the errors of adding up JSON numbers."""
    return sum(round(100 * row[name]) for row in rows)


def _calls_agree(whole: Answers, by_interval: dict[str, Any]) -> None:
    statistics, team, costs, quality = (
        whole[report] for report in (STATISTICS, TEAM_PERFORMANCE, COST_ANALYSIS, QUALITY_METRICS)
    )
    daily, trends = statistics["daily_stats"], costs["cost_trends"]
    calls, successful = statistics["total_calls"], statistics["successful_calls"]
    assert calls == _sum(daily, "total_calls") == sum(statistics["calls_by_hour"].values())
    assert calls == _sum(trends, "calls_made")
    for performance in by_interval.values():
        summary, intervals = performance["summary"], performance["trends"]["calls_by_interval"]
        assert summary["total_campaigns"] == statistics["total_campaigns"]
        assert summary["total_calls"] == calls == _sum(intervals, "total_calls")
        assert summary["success_rate"] == statistics["average_success_rate"]
        assert summary["average_call_duration"] == statistics["average_call_duration"]
        assert _sum(intervals, "successful_calls") == successful
        assert _sum(intervals, "failed_calls") == calls - successful == statistics["failed_calls"]
        assert _sum(performance["campaign_rankings"], "total_calls") == calls
    by_day = by_interval["daily"]["trends"]
    assert [(row["date"], row["total_calls"], row["success_rate"]) for row in daily] == [
        (row["interval"], row["total_calls"], trend["rate"])
        for row, trend in zip(by_day["calls_by_interval"], by_day["success_rate_trend"], strict=True)
    ]
    dates = [row["date"] for row in daily]
    assert dates == [row["date"] for row in trends] == [row["date"] for row in quality["quality_trends"]]

    members = team["member_performance"]
    assert team["team_summary"]["total_calls_handled"] == _sum(members, "total_calls") <= calls
    assert team["team_summary"]["total_team_members"] == len(members)
    assert team["team_summary"]["active_members"] == sum(member["total_calls"] > 0 for member in members)
    assert _sum(members, "total_talk_time") <= statistics["total_call_duration"]

    overall, of_campaigns = costs["overall_costs"], costs["campaign_costs"]
    assert statistics["total_cost"] == overall["total_spent"] == costs["roi_analysis"]["total_cost"]
    spent = _cents([overall], "total_spent")
    assert spent == _cents(of_campaigns, "spent") == _cents(trends, "total_spent")
    assert overall["remaining_budget"] == statistics["remaining_budget"]
    with_budget = [row for row in of_campaigns if row["budget"] is not None]
    assert _cents([overall], "total_budget_allocated") == _cents(with_budget, "budget")
    assert _cents([overall], "remaining_budget") == _cents(with_budget, "remaining")
    names = {row["campaign_id"]: row["name"] for row in of_campaigns}
    for rows in (team["campaign_distribution"], quality["campaign_quality"], by_interval["daily"]["campaign_rankings"]):
        assert {row["campaign_id"]: row["name"] for row in rows}.items() <= names.items()


def _leads_agree(whole: Answers) -> None:
    statistics, analytics, quality, assignment, conversion = (
        whole[report] for report in (STATISTICS, ANALYTICS, QUALITY_REPORT, ASSIGNMENT_STATISTICS, CONVERSION_ANALYSIS)
    )
    funnel, summary = analytics["lead_funnel"], conversion["conversion_summary"]
    timeline, analysis = analytics["conversion_timeline"], conversion["timeline_analysis"]
    leads, assigned = statistics["total_leads"], assignment["assignment_summary"]
    distribution, agents = assignment["assignment_distribution"], assignment["agent_performance"]
    assert leads == funnel["total_leads"] == assigned["total_leads"] == summary["total_leads"]
    assert leads == sum(distribution["by_status"].values()) == sum(distribution["by_priority"].values())
    assert leads == _sum(analytics["lead_sources"], "count") == _sum(quality["quality_by_source"], "lead_count")
    assert leads == _sum(timeline, "new_leads") == _sum(analysis, "new_leads")
    assert leads == _sum(conversion["conversion_by_campaign"], "leads")
    assert leads == assigned["assigned_leads"] + assigned["unassigned_leads"]
    assert assigned["assigned_leads"] == _sum(agents, "assigned_leads")
    assert leads >= funnel["contacted"] >= funnel["qualified"] >= funnel["converted"]

    conversions = funnel["converted"]
    assert conversions == summary["total_conversions"] == _sum(conversion["conversion_by_campaign"], "conversions")
    assert conversions == _sum(timeline, "conversions") == _sum(analysis, "conversions")
    assert conversions >= _sum(agents, "converted_leads")
    assert funnel["contacted"] >= _sum(agents, "contacted_leads")
    revenue = _cents([summary], "total_revenue")
    assert revenue == _cents(conversion["conversion_by_campaign"], "revenue") == _cents(analysis, "revenue")
    assert [(row["date"], row["conversion_rate"]) for row in timeline] == [
        (row["date"], row["conversion_rate"]) for row in analysis
    ]

    scoring, bands = analytics["lead_scoring"], quality["lead_quality_distribution"]
    assert scoring["average_score"] == quality["overall_quality"]["average_lead_score"]
    assert scoring["score_distribution"] == {
        "high": bands["excellent"],
        "medium": bands["good"] + bands["fair"],
        "low": bands["poor"],
    }
    assert [tuple(row.values()) for row in _named(analytics["lead_sources"], "count", "average_lead_score")] == [
        tuple(row.values()) for row in _named(quality["quality_by_source"], "lead_count", "average_score")
    ]


def _named(sources: Iterable[dict[str, Any]], count: str, average: str) -> list[dict[str, Any]]:
    return [{name: row[name] for name in ("source", count, "conversion_rate", average)} for row in sources]


def _add_up(whole: Answers, of_campaigns: list[Answers]) -> None:
    """The responses for each campaign of a company add up to the response for all of them."""

    def parts(report: CompanyReport, name: str) -> list[dict[str, Any]]:
        return [answers[report][name] for answers in of_campaigns]

    costs, summary = whole[COST_ANALYSIS], whole[CONVERSION_ANALYSIS]["conversion_summary"]
    for name in ("total_budget_allocated", "total_spent", "remaining_budget"):
        assert _cents([costs["overall_costs"]], name) == _cents(parts(COST_ANALYSIS, "overall_costs"), name)
    value = "total_conversion_value"
    assert _cents([costs["roi_analysis"]], value) == _cents(parts(COST_ANALYSIS, "roi_analysis"), value)
    for name in ("total_leads", "contacted", "qualified", "converted"):
        assert whole[ANALYTICS]["lead_funnel"][name] == _sum(parts(ANALYTICS, "lead_funnel"), name)
    for name in ("total_leads", "total_conversions"):
        assert summary[name] == _sum(parts(CONVERSION_ANALYSIS, "conversion_summary"), name)
    for report, name in (
        (COST_ANALYSIS, "campaign_costs"),
        (QUALITY_METRICS, "campaign_quality"),
        (CONVERSION_ANALYSIS, "conversion_by_campaign"),
    ):
        assert whole[report][name] == [row for answers in of_campaigns for row in answers[report][name]]
    issues = _sum(whole[QUALITY_METRICS]["quality_trends"], "total_issues")
    assert issues == sum(_sum(answers[QUALITY_METRICS]["quality_trends"], "total_issues") for answers in of_campaigns)
