"""How good calls were: as they were reported, and as their campaigns' hours let it be known."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from services.analytics_svc.reports import repository
from services.analytics_svc.reports.campaign_lookup import KnownCampaign
from services.analytics_svc.reports.figures import mean, rate_of_known
from services.analytics_svc.reports.repository import Row
from services.analytics_svc.reports.scope import Scope
from services.analytics_svc.rollups.definitions import CALLS
from services.analytics_svc.rollups.measures import OUTCOMES, QUALITY
from shared.database.engine import Driver
from shared.formulas import percentage

Severity = Literal["low", "medium", "high"]

THOUSANDTHS: Final = 1000
SEVERE_FROM: Final[tuple[tuple[float, Severity], ...]] = ((15.0, "high"), (5.0, "medium"))
"""Percent of calls with an issue from which on it is that severe."""
COMMON_KEYWORDS: Final = 10
_MEASURES: Final = [*OUTCOMES, *QUALITY]
_TENTH: Final = Decimal("0.1")


class OverallQuality(BaseModel):
    """All calls; what no report says is null."""

    average_call_score: float | None
    compliance_rate: float | None = Field(description="Percent.")
    customer_satisfaction: float | None
    call_clarity_score: float | None


class QualityIssue(BaseModel):
    """A kind of what went wrong."""

    issue_type: str
    occurrence_rate: float = Field(description="Percent of the calls with a quality report.")
    severity: Severity = Field(description="By how often it occurs: high from 15 %, medium from 5 %.")


class CampaignQuality(BaseModel):
    """One campaign."""

    campaign_id: int
    name: str | None
    average_call_score: float | None
    compliance_rate: float | None = Field(description="Percent.")
    quality_issues: list[QualityIssue]


class DailyQuality(BaseModel):
    """One day."""

    date: str
    average_score: float | None
    total_issues: int
    resolution_rate: float | None = Field(description="Null: nothing tells that an issue was resolved.")


class ComplianceMetrics(BaseModel):
    """What must be kept; what is not known of any call is null."""

    script_adherence: float | None
    regulatory_compliance: float | None = Field(description="Percent.")
    data_protection: float | None = Field(description="Percent.")
    call_time_compliance: float | None = Field(description="Percent.")


class QualityMetrics(BaseModel):
    """How good a company's calls were. The formulas: docs/metrics.md."""

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
    """A word, and in how many calls it occurs."""

    word: str
    count: int


class CampaignMetrics(BaseModel):
    """How good a campaign's calls were; what no report says is null. The formulas: docs/metrics.md."""

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
    """How good a company's calls were; ``driver`` must see one state throughout."""
    names = {row["id"]: row["name"] for row in await repository.campaigns(driver, scope)}
    total = await repository.total(driver, CALLS, scope, _MEASURES)
    by_campaign = await repository.by_dimension(driver, CALLS, scope, _MEASURES, "campaign_id")
    days = await repository.by_time(driver, CALLS, scope, _MEASURES, "day")
    issues = await repository.issues_by_campaign(driver, scope)
    return QualityMetrics(
        overall_quality=OverallQuality(
            average_call_score=_score(total, "score"),
            compliance_rate=rate_of_known(total, "compliant"),
            customer_satisfaction=_score(total, "satisfaction"),
            call_clarity_score=_score(total, "clarity"),
        ),
        campaign_quality=[
            CampaignQuality(
                campaign_id=row["campaign_id"],
                name=names.get(row["campaign_id"]),
                average_call_score=_score(row, "score"),
                compliance_rate=rate_of_known(row, "compliant"),
                quality_issues=[
                    _issue(kind, count, row["reported"]) for kind, count in issues.get(row["campaign_id"], ())
                ],
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
            regulatory_compliance=rate_of_known(total, "regulatory"),
            data_protection=rate_of_known(total, "data_protection"),
            call_time_compliance=rate_of_known(total, "within_hours"),
        ),
    )


async def campaign_metrics(driver: Driver, campaign: KnownCampaign) -> CampaignMetrics:
    """How good a campaign's calls were; ``driver`` must see one state throughout."""
    scope = Scope(campaign.company_id, campaign_ids=(campaign.id,))
    sums = await repository.total(driver, CALLS, scope, _MEASURES)
    words = await repository.common_words(driver, campaign.id, COMMON_KEYWORDS)
    felt = sums["sentiment_known"]
    return CampaignMetrics(
        accuracy=_score(sums, "accuracy"),
        clarity=_score(sums, "clarity"),
        engagement=_score(sums, "engagement"),
        adherenceToScript=_score(sums, "adherence"),
        sentimentScore=_score(sums, "sentiment"),
        averageCallQuality=_score(sums, "score"),
        positiveResponseRate=percentage(sums["positive"], felt) if felt else None,
        negativeResponseRate=percentage(sums["negative"], felt) if felt else None,
        averageResponseTime=_seconds(sums),
        commonKeywords=[Keyword(word=row["word"], count=row["calls"]) for row in words],
    )


def _score(sums: Row, name: str) -> float | None:
    return mean(sums, name, unit=THOUSANDTHS)


def _issue(kind: str, count: int, reported: int) -> QualityIssue:
    rate = percentage(count, reported)
    severity = next((severity for least, severity in SEVERE_FROM if rate >= least), "low")
    return QualityIssue(issue_type=kind, occurrence_rate=rate, severity=severity)


def _seconds(sums: Row) -> str | None:
    count = sums["response_known"]
    if count == 0:
        return None
    seconds = Decimal(sums["response"]) / (count * THOUSANDTHS)
    return f"{seconds.quantize(_TENTH, ROUND_HALF_UP)}s"
