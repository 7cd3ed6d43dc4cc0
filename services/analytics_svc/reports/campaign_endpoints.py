"""Reports of campaigns over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from services.analytics_svc.reports.campaign_lookup import CampaignInPath
from services.analytics_svc.reports.costs import CostAnalysis, cost_analysis
from services.analytics_svc.reports.openapi import REFUSED_CAMPAIGN, REFUSED_CAMPAIGN_IDS, REFUSED_PERIOD, figures
from services.analytics_svc.reports.parameters import CampaignsScope, CompanyScope
from services.analytics_svc.reports.performance import CompanyPerformance, Interval, company_performance
from services.analytics_svc.reports.quality import QualityMetrics, campaign_metrics, quality_metrics
from services.analytics_svc.reports.service import AnswersOfApp
from services.analytics_svc.reports.statistics import (
    CampaignStatistics,
    CompanyStatistics,
    campaign_statistics,
    company_statistics,
)
from services.analytics_svc.reports.team import TeamPerformance, team_performance
from shared.events.campaigns import CampaignStatus

router = APIRouter(tags=["Reports"], default_response_class=Response)


@router.get(
    "/api/voice-campaigns/company/{companyId}/stats",
    summary="Statistics of a company's campaigns",
    responses=figures(CompanyStatistics) | REFUSED_PERIOD,
)
async def company_campaign_statistics(
    answers: AnswersOfApp,
    scope: CompanyScope,
    status: Annotated[CampaignStatus | None, Query(description="Only campaigns with this status now.")] = None,
) -> Response:
    """Leads are counted by the day they were created, calls by the day they started; campaigns whatever the days."""
    return await answers.answer(scope.company_id, company_statistics, scope=scope, status=status)


@router.get(
    "/api/voice-campaigns/company/{companyId}/performance",
    summary="Performance of a company's campaigns",
    responses=figures(CompanyPerformance) | REFUSED_PERIOD,
)
async def company_campaign_performance(
    answers: AnswersOfApp,
    scope: CompanyScope,
    interval: Annotated[Interval, Query(description="How the calls are grouped.")] = "daily",
) -> Response:
    """Calls by hour, day, ISO week or month, and campaigns by their success."""
    return await answers.answer(scope.company_id, company_performance, scope=scope, interval=interval)


@router.get(
    "/api/voice-campaigns/company/{companyId}/team-performance",
    summary="Performance of a company's people",
    responses=figures(TeamPerformance) | REFUSED_PERIOD,
)
async def company_team_performance(answers: AnswersOfApp, scope: CompanyScope) -> Response:
    """Calls by the agent they name. Names are those of the company's directory of members."""
    return await answers.answer(scope.company_id, team_performance, scope=scope)


@router.get(
    "/api/voice-campaigns/company/{companyId}/cost-analysis",
    summary="Costs of a company's campaigns",
    responses=figures(CostAnalysis) | REFUSED_CAMPAIGN_IDS,
)
async def company_cost_analysis(answers: AnswersOfApp, scope: CampaignsScope) -> Response:
    """A call costs what its report says, else what its campaign said when it was made."""
    return await answers.answer(scope.company_id, cost_analysis, scope=scope)


@router.get(
    "/api/voice-campaigns/company/{companyId}/quality-metrics",
    summary="Quality of a company's calls",
    responses=figures(QualityMetrics) | REFUSED_CAMPAIGN_IDS,
)
async def company_quality_metrics(answers: AnswersOfApp, scope: CampaignsScope) -> Response:
    """What quality reports say of calls, and whether calls kept to their campaign's hours; else null."""
    return await answers.answer(scope.company_id, quality_metrics, scope=scope)


@router.get(
    "/api/voice-campaigns/{id}/stats",
    summary="Statistics of a campaign",
    responses=figures(CampaignStatistics) | REFUSED_CAMPAIGN,
)
async def one_campaigns_statistics(answers: AnswersOfApp, campaign: CampaignInPath) -> Response:
    """Leads, calls and costs of a campaign, of all its days."""
    return await answers.answer(campaign.company_id, campaign_statistics, campaign=campaign)


@router.get("/internal/voice-campaigns/{id}/metrics", include_in_schema=False)
async def one_campaigns_metrics(answers: AnswersOfApp, campaign: CampaignInPath) -> Response:
    """How good a campaign's calls were; campaign_svc shows it with the campaign."""
    return await answers.answer(campaign.company_id, campaign_metrics, campaign=campaign)
