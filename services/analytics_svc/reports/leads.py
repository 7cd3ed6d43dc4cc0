"""Reports on leads: funnel and sources, quality, assignment, and the leads of one campaign."""

from datetime import date

from pydantic import BaseModel, ConfigDict, Field

from services.analytics_svc.reports import repository
from services.analytics_svc.reports.campaign_lookup import ReportCampaign
from services.analytics_svc.reports.scope import Scope
from services.analytics_svc.reports.suggestions import Suggestion, suggestions
from services.analytics_svc.reports.sums import Sums, mean_of
from services.analytics_svc.rollups import measures as m
from services.analytics_svc.rollups.rollup_tables import CALLS, LEADS
from shared.database.engine import Driver
from shared.report_formulas import average_seconds, money, percentage


class LeadFunnel(BaseModel):
    """Number of leads that reached each stage; no number exceeds the one before."""

    total_leads: int
    contacted: int
    qualified: int
    converted: int
    conversion_rate: float = Field(description="Percent of contacted leads.")


class LeadSource(BaseModel):
    """The leads of one source."""

    source: str | None = Field(description="Null for leads without a source.")
    count: int
    conversion_rate: float = Field(description="Percent of all leads of the source.")
    average_lead_score: float | None


class ScoreDistribution(BaseModel):
    """Number of leads by level of score."""

    high: int = Field(description="80 to 100.")
    medium: int = Field(description="40 to 79.")
    low: int = Field(description="0 to 39.")


class LeadScoring(BaseModel):
    """The scores of leads that have one."""

    average_score: float | None
    score_distribution: ScoreDistribution


class DailyConversions(BaseModel):
    """The leads created on one day, and how many of them are converted until now."""

    date: date
    new_leads: int
    conversions: int
    conversion_rate: float = Field(description="Percent.")


class LeadAnalytics(BaseModel):
    """Funnel, sources and scores of a company's leads. Formulas: docs/metrics.md."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "lead_funnel": {
                    "total_leads": 1000,
                    "contacted": 800,
                    "qualified": 400,
                    "converted": 200,
                    "conversion_rate": 25.00,
                },
                "lead_sources": [
                    {"source": "Website", "count": 500, "conversion_rate": 30.00, "average_lead_score": 75}
                ],
                "lead_scoring": {
                    "average_score": 65,
                    "score_distribution": {"high": 200, "medium": 500, "low": 300},
                },
                "conversion_timeline": [
                    {"date": "2024-03-01", "new_leads": 50, "conversions": 15, "conversion_rate": 30.00}
                ],
            }
        }
    )

    lead_funnel: LeadFunnel
    lead_sources: list[LeadSource]
    lead_scoring: LeadScoring
    conversion_timeline: list[DailyConversions] = Field(description="Days with new leads, oldest first.")


class OverallLeadQuality(BaseModel):
    """The quality of all leads."""

    average_lead_score: float | None
    qualification_rate: float = Field(description="Percent.")
    conversion_potential: float = Field(description="Percent of leads that are qualified and may still convert.")


class QualityDistribution(BaseModel):
    """Number of leads by band of score."""

    excellent: int
    good: int
    fair: int
    poor: int


class SourceQuality(BaseModel):
    """The leads of one source."""

    source: str | None = Field(description="Null for leads without a source.")
    average_score: float | None
    conversion_rate: float = Field(description="Percent of all leads of the source.")
    lead_count: int


class LeadQualityReport(BaseModel):
    """Quality of a company's leads, with suggestions. Formulas: docs/metrics.md."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "overall_quality": {
                    "average_lead_score": 75,
                    "qualification_rate": 60.00,
                    "conversion_potential": 40.00,
                },
                "lead_quality_distribution": {"excellent": 200, "good": 500, "fair": 200, "poor": 100},
                "quality_by_source": [
                    {"source": "Website", "average_score": 80, "conversion_rate": 35.00, "lead_count": 500}
                ],
                "improvement_suggestions": [
                    {
                        "category": "Data Completeness",
                        "current_score": 85,
                        "suggestion": "Improve email collection rate",
                        "potential_impact": "Leads that have it convert more often by 15.00 percentage points",
                    }
                ],
            }
        }
    )

    overall_quality: OverallLeadQuality
    lead_quality_distribution: QualityDistribution
    quality_by_source: list[SourceQuality]
    improvement_suggestions: list[Suggestion]


class AssignmentSummary(BaseModel):
    """The assignment of all leads."""

    total_leads: int
    assigned_leads: int
    unassigned_leads: int
    average_response_time: int = Field(description="Seconds; 0 without a call.")


class AgentPerformance(BaseModel):
    """The leads that are assigned to one agent now."""

    agent_id: int
    name: str | None = Field(description="Null if the company's directory of members lacks it.")
    assigned_leads: int
    contacted_leads: int
    converted_leads: int
    average_response_time: int = Field(description="Seconds; 0 without a call.")
    conversion_rate: float = Field(description="Percent of contacted leads.")


class ByPriority(BaseModel):
    """Number of leads by priority: high is 1 and 2, medium 3, low 4 and 5."""

    high: int
    medium: int
    low: int


class AssignmentDistribution(BaseModel):
    """Number of leads by priority and by status."""

    by_priority: ByPriority
    by_status: dict[str, int]


class AssignmentStatistics(BaseModel):
    """Assignment of a company's leads to agents. Formulas: docs/metrics.md."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "assignment_summary": {
                    "total_leads": 1000,
                    "assigned_leads": 900,
                    "unassigned_leads": 100,
                    "average_response_time": 120,
                },
                "agent_performance": [
                    {
                        "agent_id": 123,
                        "name": "John Smith",
                        "assigned_leads": 100,
                        "contacted_leads": 80,
                        "converted_leads": 40,
                        "average_response_time": 90,
                        "conversion_rate": 50.00,
                    }
                ],
                "assignment_distribution": {
                    "by_priority": {"high": 300, "medium": 500, "low": 200},
                    "by_status": {
                        "pending": 200,
                        "in_progress": 400,
                        "completed": 300,
                        "failed": 100,
                        "scheduled": 0,
                        "blacklisted": 0,
                    },
                },
            }
        }
    )

    assignment_summary: AssignmentSummary
    agent_performance: list[AgentPerformance]
    assignment_distribution: AssignmentDistribution


class CampaignLeadStatistics(BaseModel):
    """Figures of a campaign's leads. Formulas: docs/metrics.md."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "total_leads": 100,
                "completed_leads": 50,
                "failed_leads": 10,
                "converted_leads": 40,
                "average_lead_score": 75.5,
                "total_conversion_value": 40000.00,
                "average_call_duration": 180,
            }
        }
    )

    total_leads: int
    completed_leads: int
    failed_leads: int
    converted_leads: int
    average_lead_score: float | None
    total_conversion_value: float
    average_call_duration: int = Field(description="Seconds; 0 without calls.")


async def lead_analytics(driver: Driver, scope: Scope) -> LeadAnalytics:
    """Compute funnel, sources and scores of leads; ``driver`` must see one state throughout."""
    measures = [*m.LEADS, *m.FUNNEL, *m.CONVERSIONS, *m.LEAD_SCORES, *m.BANDS]
    total = await repository.total(driver, LEADS, scope, measures)
    days = await repository.by_time(driver, LEADS, scope, [*m.LEADS, *m.CONVERSIONS], "day")
    return LeadAnalytics(
        lead_funnel=LeadFunnel(
            total_leads=total["leads"],
            contacted=total["contacted"],
            qualified=total["qualified"],
            converted=total["converted"],
            conversion_rate=percentage(total["converted"], total["contacted"]),
        ),
        lead_sources=[
            LeadSource(
                source=row["source"] or None,
                count=row["leads"],
                conversion_rate=percentage(row["converted"], row["leads"]),
                average_lead_score=mean_of(row, "score"),
            )
            for row in await _by_source(driver, scope)
        ],
        lead_scoring=LeadScoring(
            average_score=mean_of(total, "score"),
            score_distribution=ScoreDistribution(
                high=total["excellent"], medium=total["good"] + total["fair"], low=total["poor"]
            ),
        ),
        conversion_timeline=[
            DailyConversions(
                date=row["bucket"],
                new_leads=row["leads"],
                conversions=row["converted"],
                conversion_rate=percentage(row["converted"], row["leads"]),
            )
            for row in days
        ],
    )


async def lead_quality_report(driver: Driver, scope: Scope) -> LeadQualityReport:
    """Compute the quality of leads; ``driver`` must see one state throughout."""
    measures = [*m.LEADS, *m.FUNNEL, *m.CONVERSIONS, *m.LEAD_SCORES, *m.BANDS, *m.COMPLETENESS]
    total = await repository.total(driver, LEADS, scope, measures)
    return LeadQualityReport(
        overall_quality=OverallLeadQuality(
            average_lead_score=mean_of(total, "score"),
            qualification_rate=percentage(total["qualified"], total["leads"]),
            conversion_potential=percentage(total["promising"], total["leads"]),
        ),
        lead_quality_distribution=QualityDistribution(
            excellent=total["excellent"], good=total["good"], fair=total["fair"], poor=total["poor"]
        ),
        quality_by_source=[
            SourceQuality(
                source=row["source"] or None,
                average_score=mean_of(row, "score"),
                conversion_rate=percentage(row["converted"], row["leads"]),
                lead_count=row["leads"],
            )
            for row in await _by_source(driver, scope)
        ],
        improvement_suggestions=suggestions(total),
    )


async def assignment_statistics(driver: Driver, scope: Scope) -> AssignmentStatistics:
    """Compute the assignment of leads; ``driver`` must see one state throughout."""
    measures = [*m.LEADS, *m.FUNNEL, *m.CONVERSIONS, *m.RESPONSES, *m.DISTRIBUTION]
    rows = await repository.by_dimension(driver, LEADS, scope, measures, "agent_id")
    names = await repository.member_names(driver, scope.company_id)
    assigned = [row for row in rows if row["agent_id"] != 0]

    def sum_of(name: str) -> int:
        return sum(row[name] for row in rows)

    return AssignmentStatistics(
        assignment_summary=AssignmentSummary(
            total_leads=sum_of("leads"),
            assigned_leads=sum(row["leads"] for row in assigned),
            unassigned_leads=sum_of("leads") - sum(row["leads"] for row in assigned),
            average_response_time=average_seconds(sum_of("response"), sum_of("response_known")),
        ),
        agent_performance=[
            AgentPerformance(
                agent_id=row["agent_id"],
                name=names.get(row["agent_id"]),
                assigned_leads=row["leads"],
                contacted_leads=row["contacted"],
                converted_leads=row["converted"],
                average_response_time=average_seconds(row["response"], row["response_known"]),
                conversion_rate=percentage(row["converted"], row["contacted"]),
            )
            for row in assigned
        ],
        assignment_distribution=AssignmentDistribution(
            by_priority=ByPriority(
                high=sum_of("priority_high"), medium=sum_of("priority_medium"), low=sum_of("priority_low")
            ),
            by_status={status: sum_of(f"status_{status}") for status in m.STATUSES},
        ),
    )


async def campaign_lead_statistics(driver: Driver, campaign: ReportCampaign) -> CampaignLeadStatistics:
    """Compute the statistics of a campaign's leads; ``driver`` must see one state throughout."""
    scope = Scope(campaign.company_id, campaign_ids=(campaign.id,))
    measures = [*m.LEADS, *m.CONVERSIONS, *m.LEAD_SCORES, *m.DISTRIBUTION]
    leads = await repository.total(driver, LEADS, scope, measures)
    calls = await repository.total(driver, CALLS, scope, m.OUTCOMES)
    return CampaignLeadStatistics(
        total_leads=leads["leads"],
        completed_leads=leads["status_completed"],
        failed_leads=leads["status_failed"],
        converted_leads=leads["converted"],
        average_lead_score=mean_of(leads, "score"),
        total_conversion_value=money(leads["value"]),
        average_call_duration=average_seconds(calls["duration"], calls["calls"]),
    )


async def _by_source(driver: Driver, scope: Scope) -> list[Sums]:
    """Return the sums by source: the most leads first, then by name, leads without a source last."""
    measures = [*m.LEADS, *m.CONVERSIONS, *m.LEAD_SCORES]
    rows = await repository.by_dimension(driver, LEADS, scope, measures, "source")
    return sorted(rows, key=lambda row: (-row["leads"], row["source"] == "", row["source"]))
