"""Parameters of the reports, and their responses without facts."""

from typing import Any

import pytest

from shared.database.engine import Database
from shared.events.campaigns import CampaignCreated
from shared.events.leads import LeadCallAttempted, LeadCreated
from tests.fixtures.analytics import ReportsApi, project_all
from tests.fixtures.events import call, campaign, lead
from tests.integration.analytics_svc.recomputation import (
    ANALYTICS,
    ASSIGNMENT_STATISTICS,
    COMPANY_REPORTS,
    CONVERSION_ANALYSIS,
    COST_ANALYSIS,
    DAYS_AND_ZONE,
    PERFORMANCE,
    QUALITY_METRICS,
    QUALITY_REPORT,
    STATISTICS,
    TEAM_PERFORMANCE,
    CompanyReport,
)
from tests.integration.analytics_svc.recomputation_facts import ReportRequest

NOTHING: dict[CompanyReport, dict[str, Any]] = {
    STATISTICS: {
        "total_campaigns": 0,
        "active_campaigns": 0,
        "completed_campaigns": 0,
        "paused_campaigns": 0,
        "total_leads": 0,
        "total_calls": 0,
        "successful_calls": 0,
        "failed_calls": 0,
        "average_success_rate": 0,
        "total_call_duration": 0,
        "average_call_duration": 0,
        "total_cost": 0,
        "remaining_budget": 0,
        "campaigns_by_priority": {"high": 0, "medium": 0, "low": 0},
        "calls_by_hour": {},
        "daily_stats": [],
    },
    PERFORMANCE: {
        "summary": {"total_campaigns": 0, "total_calls": 0, "success_rate": 0, "average_call_duration": 0},
        "trends": {"calls_by_interval": [], "success_rate_trend": []},
        "campaign_rankings": [],
    },
    TEAM_PERFORMANCE: {
        "team_summary": {"total_team_members": 0, "active_members": 0, "total_calls_handled": 0},
        "member_performance": [],
        "campaign_distribution": [],
    },
    COST_ANALYSIS: {
        "overall_costs": {
            "total_budget_allocated": 0,
            "total_spent": 0,
            "remaining_budget": 0,
            "average_cost_per_call": 0,
            "average_cost_per_success": 0,
        },
        "campaign_costs": [],
        "cost_trends": [],
        "roi_analysis": {
            "total_conversion_value": 0,
            "total_cost": 0,
            "roi_percentage": 0,
            "cost_to_conversion_ratio": 0,
        },
    },
    QUALITY_METRICS: {
        "overall_quality": {
            "average_call_score": None,
            "compliance_rate": None,
            "customer_satisfaction": None,
            "call_clarity_score": None,
        },
        "campaign_quality": [],
        "quality_trends": [],
        "compliance_metrics": {
            "script_adherence": None,
            "regulatory_compliance": None,
            "data_protection": None,
            "call_time_compliance": None,
        },
    },
    ANALYTICS: {
        "lead_funnel": {"total_leads": 0, "contacted": 0, "qualified": 0, "converted": 0, "conversion_rate": 0},
        "lead_sources": [],
        "lead_scoring": {"average_score": None, "score_distribution": {"high": 0, "medium": 0, "low": 0}},
        "conversion_timeline": [],
    },
    QUALITY_REPORT: {
        "overall_quality": {"average_lead_score": None, "qualification_rate": 0, "conversion_potential": 0},
        "lead_quality_distribution": {"excellent": 0, "good": 0, "fair": 0, "poor": 0},
        "quality_by_source": [],
        "improvement_suggestions": [],
    },
    ASSIGNMENT_STATISTICS: {
        "assignment_summary": {
            "total_leads": 0,
            "assigned_leads": 0,
            "unassigned_leads": 0,
            "average_response_time": 0,
        },
        "agent_performance": [],
        "assignment_distribution": {
            "by_priority": {"high": 0, "medium": 0, "low": 0},
            "by_status": {
                "pending": 0,
                "in_progress": 0,
                "completed": 0,
                "failed": 0,
                "scheduled": 0,
                "blacklisted": 0,
            },
        },
    },
    CONVERSION_ANALYSIS: {
        "conversion_summary": {
            "total_leads": 0,
            "total_conversions": 0,
            "conversion_rate": 0,
            "average_conversion_value": 0,
            "total_revenue": 0,
        },
        "conversion_by_campaign": [],
        "conversion_factors": [
            {
                "factor": factor,
                "leads": 0,
                "coefficient": None,
                "impact_score": None,
                "correlation": None,
                "recommendation": None,
            }
            for factor in ("Response Time", "Lead Score", "Call Attempts", "Priority", "Interest Level")
        ],
        "timeline_analysis": [],
    },
}

BAD_VALUES: dict[str, list[dict[str, str]]] = {
    "start_date": [{"start_date": value} for value in ("yesterday", "", "2024-3-1", "2024-02-30", "20240301")],
    "end_date": [
        *({"end_date": value} for value in ("tomorrow", "", "2024-02-30")),
        {"start_date": "2024-03-02", "end_date": "2024-03-01"},
    ],
    "time_zone": [{"time_zone": value} for value in ("Mars/Olympus", "", "CEST+2", "../UTC")],
    "interval": [{"interval": value} for value in ("yearly", "", "Daily")],
    "campaign_ids": [{"campaign_ids": value} for value in ("x", "1,x", "1.5", "1;2")],
    "status": [{"status": value} for value in ("running", "", "Active")],
}

EVERY_REPORT = pytest.mark.parametrize("report", COMPANY_REPORTS, ids=lambda report: report.path.rsplit("/", 1)[-1])


def _named(report: CompanyReport) -> str:
    return report.path.rsplit("/", 1)[-1]


@EVERY_REPORT
async def test_a_company_without_facts_has_zeros_and_empty_lists(
    analytics_database: Database, reports_api: ReportsApi, report: CompanyReport
) -> None:
    await project_all(
        analytics_database,
        CampaignCreated(campaign=campaign(1, company_id=2, budget=100, team_members=[1])),
        LeadCreated(leads=[lead(1, company_id=2)]),
        LeadCallAttempted(call_attempts=[call(1, company_id=2, agent_id=1)]),
    )
    assert await report.get(reports_api, ReportRequest(1)) == NOTHING[report]


@pytest.mark.parametrize(
    ("report", "name", "parameters"),
    [
        pytest.param(report, name, parameters, id=f"{_named(report)}-{'-'.join(map('='.join, parameters.items()))}")
        for report in COMPANY_REPORTS
        for name in sorted(DAYS_AND_ZONE | report.extra_parameters)
        for parameters in BAD_VALUES[name]
    ],
)
async def test_a_bad_parameter_is_named(
    reports_api: ReportsApi, report: CompanyReport, name: str, parameters: dict[str, str]
) -> None:
    answer = await reports_api.get(report.path.format(1), 1, **parameters)
    assert answer.status_code == 400
    body = answer.json()
    assert body["message"]
    assert body["error"]
    assert [error["field"] for error in body["errors"]] == [name]


@EVERY_REPORT
async def test_the_token_of_another_company_is_forbidden(reports_api: ReportsApi, report: CompanyReport) -> None:
    answer = await reports_api.get(report.path.format(2), 1)
    assert answer.status_code == 403
    assert answer.json()["message"] == "Access denied"


@pytest.mark.parametrize("interval", ["hourly", "daily", "weekly", "monthly"])
async def test_days_are_the_default_interval(
    analytics_database: Database, reports_api: ReportsApi, interval: str
) -> None:
    await project_all(analytics_database, LeadCallAttempted(call_attempts=[call(1)]))
    default = (await reports_api.get(PERFORMANCE.path.format(1), 1)).json()
    requested = (await reports_api.get(PERFORMANCE.path.format(1), 1, interval=interval)).json()
    assert (default == requested) == (interval == "daily")
