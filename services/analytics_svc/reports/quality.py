"""Quality of calls: reported scores and checks, and compliance with the campaigns' calling hours."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from services.analytics_svc.reports import repository
from services.analytics_svc.reports.campaign_lookup import ReportCampaign
from services.analytics_svc.reports.repository import IssueCount
from services.analytics_svc.reports.scope import Scope
from services.analytics_svc.reports.sums import Sums, mean_of, rate_of
from services.analytics_svc.rollups.measures import OUTCOMES, QUALITY
from services.analytics_svc.rollups.rollup_tables import CALLS
from shared.database.engine import Driver
from shared.report_formulas import percentage, percentage_or_none

Severity = Literal["low", "medium", "high"]

THOUSANDTHS: Final = 1000
SEVERE_FROM: Final[tuple[tuple[float, Severity], ...]] = ((15.0, "high"), (5.0, "medium"))
"""Percent of calls with an issue from which on the issue is that severe."""
COMMON_KEYWORDS: Final = 10
_MEASURES: Final = [*OUTCOMES, *QUALITY]
_TENTH: Final = Decimal("0.1")


class OverallQuality(BaseModel):
    """The quality of all calls; null where no call reports it."""

    average_call_score: float | None
    compliance_rate: float | None = Field(description="Percent.")
    customer_satisfaction: float | None
    call_clarity_score: float | None


class QualityIssue(BaseModel):
    """A kind of issue."""

    issue_type: str
    occurrence_rate: float = Field(description="Percent of the calls with a quality report.")
    severity: Severity = Field(description="By how often it occurs: high from 15 %, medium from 5 %.")


class CampaignQuality(BaseModel):
    """The quality of one campaign's calls."""

    campaign_id: int
    name: str | None
    average_call_score: float | None
    compliance_rate: float | None = Field(description="Percent.")
    quality_issues: list[QualityIssue]


class DailyQuality(BaseModel):
    """The quality of one day's calls."""

    date: str
    average_score: float | None
    total_issues: int
    resolution_rate: float | None = Field(description="Always null: no event reports that an issue was resolved.")


class ComplianceMetrics(BaseModel):
    """Compliance with script, rules and calling hours; null where it is unknown for all calls."""

    script_adherence: float | None
    regulatory_compliance: float | None = Field(description="Percent.")
    data_protection: float | None = Field(description="Percent.")
    call_time_compliance: float | None = Field(description="Percent.")


class QualityMetrics(BaseModel):
    """Quality of a company's calls. Formulas: docs/metrics.md."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "overall_quality": {
                    "average_call_score": 85,
                    "compliance_rate": 98.50,
                    "customer_satisfaction": 4.2,
                    "call_clarity_score": 90,
                },
                "campaign_quality": [
                    {
                        "campaign_id": 1,
                        "name": "Customer Survey Campaign",
                        "average_call_score": 87,
                        "compliance_rate": 99.00,
                        "quality_issues": [
                            {"issue_type": "script_deviation", "occurrence_rate": 2.5, "severity": "low"}
                        ],
                    }
                ],
                "quality_trends": [
                    {"date": "2024-03-01", "average_score": 86, "total_issues": 5, "resolution_rate": None}
                ],
                "compliance_metrics": {
                    "script_adherence": 97.00,
                    "regulatory_compliance": 100.00,
                    "data_protection": 100.00,
                    "call_time_compliance": 98.50,
                },
            }
        }
    )

    overall_quality: OverallQuality
    campaign_quality: list[CampaignQuality]
    quality_trends: list[DailyQuality] = Field(description="Days with calls, oldest first.")
    compliance_metrics: ComplianceMetrics


class Keyword(BaseModel):
    """A word, and the number of calls in which it occurs."""

    word: str
    count: int


class CampaignMetrics(BaseModel):
    """Quality of a campaign's calls; null where no call reports it. Formulas: docs/metrics.md."""

    accuracy: float | None
    clarity: float | None
    engagement: float | None
    adherenceToScript: float | None  # noqa: N815 - the contract's name
    sentimentScore: float | None  # noqa: N815
    averageCallQuality: float | None  # noqa: N815
    positiveResponseRate: float | None  # noqa: N815
    negativeResponseRate: float | None  # noqa: N815
    averageResponseTime: str | None  # noqa: N815
    commonKeywords: list[Keyword]  # noqa: N815


async def quality_metrics(driver: Driver, scope: Scope) -> QualityMetrics:
    """Compute the quality of a company's calls; ``driver`` must see one state throughout."""
    names = {campaign.id: campaign.name for campaign in await repository.campaigns(driver, scope)}
    total = await repository.total(driver, CALLS, scope, _MEASURES)
    by_campaign = await repository.by_dimension(driver, CALLS, scope, _MEASURES, "campaign_id")
    days = await repository.by_time(driver, CALLS, scope, _MEASURES, "day")
    issues = await repository.issues_by_campaign(driver, scope)
    return QualityMetrics(
        overall_quality=OverallQuality(
            average_call_score=_score(total, "score"),
            compliance_rate=rate_of(total, "compliant"),
            customer_satisfaction=_score(total, "satisfaction"),
            call_clarity_score=_score(total, "clarity"),
        ),
        campaign_quality=[
            CampaignQuality(
                campaign_id=row["campaign_id"],
                name=names.get(row["campaign_id"]),
                average_call_score=_score(row, "score"),
                compliance_rate=rate_of(row, "compliant"),
                quality_issues=[_issue(issue, row["reported"]) for issue in issues.get(row["campaign_id"], ())],
            )
            for row in by_campaign
        ],
        quality_trends=[
            DailyQuality(
                date=row["bucket"].isoformat(),
                average_score=_score(row, "score"),
                total_issues=row["issues"],
                resolution_rate=None,
            )
            for row in days
        ],
        compliance_metrics=ComplianceMetrics(
            script_adherence=_score(total, "adherence"),
            regulatory_compliance=rate_of(total, "regulatory"),
            data_protection=rate_of(total, "data_protection"),
            call_time_compliance=rate_of(total, "within_hours"),
        ),
    )


async def campaign_metrics(driver: Driver, campaign: ReportCampaign) -> CampaignMetrics:
    """Compute the quality of a campaign's calls; ``driver`` must see one state throughout."""
    scope = Scope(campaign.company_id, campaign_ids=(campaign.id,))
    sums = await repository.total(driver, CALLS, scope, _MEASURES)
    words = await repository.common_words(driver, campaign.id, COMMON_KEYWORDS)
    with_sentiment = sums["sentiment_known"]
    return CampaignMetrics(
        accuracy=_score(sums, "accuracy"),
        clarity=_score(sums, "clarity"),
        engagement=_score(sums, "engagement"),
        adherenceToScript=_score(sums, "adherence"),
        sentimentScore=_score(sums, "sentiment"),
        averageCallQuality=_score(sums, "score"),
        positiveResponseRate=percentage_or_none(sums["positive"], with_sentiment),
        negativeResponseRate=percentage_or_none(sums["negative"], with_sentiment),
        averageResponseTime=_seconds(sums),
        commonKeywords=[Keyword(word=word.word, count=word.calls) for word in words],
    )


def _score(sums: Sums, name: str) -> float | None:
    return mean_of(sums, name, units=THOUSANDTHS)


def _issue(issue: IssueCount, reported: int) -> QualityIssue:
    rate = percentage(issue.calls, reported)
    severity = next((severity for minimum, severity in SEVERE_FROM if rate >= minimum), "low")
    return QualityIssue(issue_type=issue.issue, occurrence_rate=rate, severity=severity)


def _seconds(sums: Sums) -> str | None:
    count = sums["response_known"]
    if count == 0:
        return None
    seconds = Decimal(sums["response"]) / (count * THOUSANDTHS)
    return f"{seconds.quantize(_TENTH, ROUND_HALF_UP)}s"
