"""Rules of the reports on the quality of calls, each by an example worked out by hand."""

from collections.abc import Sequence
from typing import Any

import pytest

from shared.database.engine import Database
from shared.events.campaigns import CampaignCreated
from shared.events.leads import LeadCallAttempted, QualityReport
from tests.fixtures.analytics import ReportsApi, project_all
from tests.fixtures.events import call, campaign
from tests.integration.analytics_svc.recomputation import CAMPAIGN_METRICS, QUALITY_METRICS
from tests.integration.analytics_svc.recomputation_facts import ReportRequest


def calls_with(*quality: QualityReport | None) -> LeadCallAttempted:
    """Return calls of campaign 1 with these quality reports."""
    return LeadCallAttempted(call_attempts=[call(number, quality=report) for number, report in enumerate(quality, 1)])


async def test_the_score_of_a_call_is_the_mean_of_the_reported_scores(
    analytics_database: Database, reports_api: ReportsApi
) -> None:
    """(100 + 50) / 2 = 75, (90 + 80 + 71 + 60) / 4 = 75.25; the third and the fourth call have none."""
    await project_all(
        analytics_database,
        CampaignCreated(campaign=campaign(1)),
        calls_with(
            QualityReport(accuracy=100, clarity=50),
            QualityReport(accuracy=90, clarity=80, engagement=71, adherence_to_script=60),
            QualityReport(customer_satisfaction=4.5),
            None,
        ),
    )
    quality = await QUALITY_METRICS.get(reports_api, ReportRequest(1))
    assert quality["overall_quality"]["average_call_score"] == 75.13  # 75.125
    assert quality["overall_quality"]["customer_satisfaction"] == 4.5
    assert quality["overall_quality"]["call_clarity_score"] == 65.0
    assert quality["compliance_metrics"]["script_adherence"] == 60.0
    assert [row["average_score"] for row in quality["quality_trends"]] == [75.13]


async def test_scores_are_stored_to_three_decimals(analytics_database: Database, reports_api: ReportsApi) -> None:
    """(0 + 1 + 1) / 3 is stored as 0.667, of which the mean with 0.003 is 0.335; of the exact score it would be less.
    0.0045 is stored as 0.005."""
    await project_all(
        analytics_database,
        CampaignCreated(campaign=campaign(1)),
        calls_with(
            QualityReport(accuracy=0, engagement=1, adherence_to_script=1),
            QualityReport(accuracy=0.003),
            QualityReport(customer_satisfaction=0.0045),
        ),
    )
    overall = (await QUALITY_METRICS.get(reports_api, ReportRequest(1)))["overall_quality"]
    assert (overall["average_call_score"], overall["customer_satisfaction"]) == (0.34, 0.01)


@pytest.mark.parametrize("outside_hours", [False, True])
async def test_a_call_is_compliant_when_no_known_check_failed(
    analytics_database: Database, reports_api: ReportsApi, outside_hours: bool
) -> None:
    """The calls start on a Friday at noon; those of a campaign without events have no calling hours."""
    days = ["Monday"] if outside_hours else ["Friday"]
    reports = [
        QualityReport(regulatory_compliance=True, data_protection=True),
        QualityReport(regulatory_compliance=True),
        QualityReport(regulatory_compliance=False, data_protection=True),
        QualityReport(accuracy=50),
        None,
    ]
    strangers = [call(10 + number, campaign_id=2, quality=report) for number, report in enumerate(reports)]
    await project_all(
        analytics_database,
        CampaignCreated(campaign=campaign(1, working_days=days)),
        calls_with(*reports),
        LeadCallAttempted(call_attempts=strangers),
    )
    quality = await QUALITY_METRICS.get(reports_api, ReportRequest(1))
    of_own, of_strangers = quality["campaign_quality"]
    assert of_own["compliance_rate"] == (0.0 if outside_hours else 80.0)
    assert of_strangers["compliance_rate"] == 66.67
    assert quality["overall_quality"]["compliance_rate"] == (25.0 if outside_hours else 75.0)
    assert quality["compliance_metrics"] == {
        "script_adherence": None,
        "regulatory_compliance": 66.67,
        "data_protection": 100.0,
        "call_time_compliance": 0.0 if outside_hours else 100.0,
    }


async def test_figures_without_reports_are_null(analytics_database: Database, reports_api: ReportsApi) -> None:
    await project_all(analytics_database, calls_with(None, QualityReport()))
    assert await QUALITY_METRICS.get(reports_api, ReportRequest(1)) == {
        "overall_quality": {
            "average_call_score": None,
            "compliance_rate": None,
            "customer_satisfaction": None,
            "call_clarity_score": None,
        },
        "campaign_quality": [
            {
                "campaign_id": 1,
                "name": None,
                "average_call_score": None,
                "compliance_rate": None,
                "quality_issues": [],
            }
        ],
        "quality_trends": [{"date": "2024-03-01", "average_score": None, "total_issues": 0, "resolution_rate": None}],
        "compliance_metrics": {
            "script_adherence": None,
            "regulatory_compliance": None,
            "data_protection": None,
            "call_time_compliance": None,
        },
    }


async def test_an_issue_counts_once_per_call_and_its_frequency_decides_its_severity(
    analytics_database: Database, reports_api: ReportsApi
) -> None:
    """Of 20 calls with a report: 4 with interruptions, 3 with silences and with deviations, 1 with noise; of 21 without
    the last, noise is in less than 5 %."""
    issues: Sequence[list[str]] = [
        *[["interruption", "silence", "interruption"]] * 3,
        *[["deviation"]] * 3,
        ["interruption", "noise"],
        *[[]] * 13,
    ]
    await project_all(analytics_database, calls_with(*(QualityReport(issues=kinds) for kinds in issues), None, None))
    quality = await QUALITY_METRICS.get(reports_api, ReportRequest(1))
    assert [row["total_issues"] for row in quality["quality_trends"]] == [11]
    expected: list[tuple[Any, ...]] = [
        ("interruption", 20.0, "high"),
        ("deviation", 15.0, "high"),
        ("silence", 15.0, "high"),
        ("noise", 5.0, "medium"),
    ]
    assert await _issues(reports_api) == expected
    await project_all(analytics_database, LeadCallAttempted(call_attempts=[call(99, quality=QualityReport())]))
    assert await _issues(reports_api) == [
        ("interruption", 19.05, "high"),
        ("deviation", 14.29, "medium"),
        ("silence", 14.29, "medium"),
        ("noise", 4.76, "low"),
    ]


async def _issues(api: ReportsApi) -> list[tuple[Any, ...]]:
    [of_campaign] = (await QUALITY_METRICS.get(api, ReportRequest(1)))["campaign_quality"]
    return [(row["issue_type"], row["occurrence_rate"], row["severity"]) for row in of_campaign["quality_issues"]]


async def test_metrics_of_a_campaign(analytics_database: Database, reports_api: ReportsApi) -> None:
    await project_all(
        analytics_database,
        CampaignCreated(campaign=campaign(1)),
        calls_with(
            QualityReport(accuracy=90, clarity=80, engagement=70, adherence_to_script=60, sentiment_score=7.5),
            QualityReport(accuracy=91, sentiment_score=-0.5, response_time_seconds=8.4),
            QualityReport(sentiment_score=0, response_time_seconds=8.5),
            None,
        ),
        LeadCallAttempted(call_attempts=[call(9, campaign_id=2, quality=QualityReport(accuracy=1))]),
    )
    assert await CAMPAIGN_METRICS.get(reports_api, 1) == {
        "accuracy": 90.5,
        "clarity": 80.0,
        "engagement": 70.0,
        "adherenceToScript": 60.0,
        "sentimentScore": 2.33,
        "averageCallQuality": 83.0,
        "positiveResponseRate": 33.33,
        "negativeResponseRate": 33.33,
        "averageResponseTime": "8.5s",  # 8.45
        "commonKeywords": [],
    }


async def test_common_words_are_those_of_the_most_calls(analytics_database: Database, reports_api: ReportsApi) -> None:
    texts: list[dict[str, Any]] = [
        {"notes": "Interested in the pricing. Pricing, PRICING!", "keywords": ["pricing"]},
        {"transcript": "This vendor and the pricing: see https://example.com/contract or write to anna@example.com."},
        {"notes": "Features", "transcript": "features", "keywords": ["Vendor contract"]},
        {"keywords": ["2024", "15", "ok", "the"]},
        {"notes": "Alpha bravo charlie delta foxtrot golf hotel india juliet"},
    ]
    await project_all(
        analytics_database,
        CampaignCreated(campaign=campaign(1)),
        LeadCallAttempted(call_attempts=[call(number, **fields) for number, fields in enumerate(texts, 1)]),
    )
    keywords = (await CAMPAIGN_METRICS.get(reports_api, 1))["commonKeywords"]
    assert [(row["word"], row["count"]) for row in keywords] == [
        ("pricing", 2),
        ("vendor", 2),
        *((word, 1) for word in ("alpha", "bravo", "charlie", "contract", "delta", "features", "foxtrot", "golf")),
    ]


async def test_metrics_of_a_campaign_without_calls(analytics_database: Database, reports_api: ReportsApi) -> None:
    await project_all(analytics_database, CampaignCreated(campaign=campaign(1)))
    metrics = await CAMPAIGN_METRICS.get(reports_api, 1)
    assert metrics.pop("commonKeywords") == []
    assert set(metrics.values()) == {None}
    assert len(metrics) == 9
