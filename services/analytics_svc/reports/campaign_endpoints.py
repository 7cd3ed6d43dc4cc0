"""Endpoints of the reports on campaigns and calls."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from services.analytics_svc.reports.costs import CostAnalysis, cost_analysis
from services.analytics_svc.reports.dependencies import CampaignInPath, Reports
from services.analytics_svc.reports.openapi import CAMPAIGN_ERRORS, CAMPAIGN_IDS_ERRORS, PERIOD_ERRORS, report_response
from services.analytics_svc.reports.parameters import CampaignsScope, CompanyScope
from services.analytics_svc.reports.performance import CompanyPerformance, Interval, company_performance
from services.analytics_svc.reports.quality import QualityMetrics, campaign_metrics, quality_metrics
from services.analytics_svc.reports.statistics import (
    CampaignStatistics,
    CompanyStatistics,
    campaign_statistics,
    company_statistics,
)
from services.analytics_svc.reports.team import TeamPerformance, team_performance
from shared.events.campaigns import CampaignStatus
from shared.http.json import JsonResponse

router = APIRouter(tags=["Reports"], default_response_class=Response)


@router.get(
    "/api/voice-campaigns/company/{companyId}/stats",
    summary="Statistics of a company's campaigns",
    responses=report_response(CompanyStatistics) | PERIOD_ERRORS,
)
async def company_campaign_statistics(
    reports: Reports,
    scope: CompanyScope,
    status: Annotated[CampaignStatus | None, Query(description="Only campaigns with this current status.")] = None,
) -> Response:
    """Leads count on the day they were created, calls on the day they started; campaigns count in every period."""
    return JsonResponse(await reports.get(scope.company_id, company_statistics, scope=scope, status=status))


@router.get(
    "/api/voice-campaigns/company/{companyId}/performance",
    summary="Performance of a company's campaigns",
    responses=report_response(CompanyPerformance) | PERIOD_ERRORS,
)
async def company_campaign_performance(
    reports: Reports,
    scope: CompanyScope,
    interval: Annotated[Interval, Query(description="Interval by which calls are grouped.")] = "daily",
) -> Response:
    """Calls by hour, day, ISO week or month, and campaigns ranked by their success rate."""
    return JsonResponse(await reports.get(scope.company_id, company_performance, scope=scope, interval=interval))


@router.get(
    "/api/voice-campaigns/company/{companyId}/team-performance",
    summary="Performance of a company's team",
    responses=report_response(TeamPerformance) | PERIOD_ERRORS,
)
async def company_team_performance(reports: Reports, scope: CompanyScope) -> Response:
    """Calls by the agent that they name. Names come from the company's directory of members."""
    return JsonResponse(await reports.get(scope.company_id, team_performance, scope=scope))


@router.get(
    "/api/voice-campaigns/company/{companyId}/cost-analysis",
    summary="Costs of a company's campaigns",
    responses=report_response(CostAnalysis) | CAMPAIGN_IDS_ERRORS,
)
async def company_cost_analysis(reports: Reports, scope: CampaignsScope) -> Response:
    """A call costs what was reported for it, else the `cost_per_call` of its campaign at the time of the call."""
    return JsonResponse(await reports.get(scope.company_id, cost_analysis, scope=scope))


@router.get(
    "/api/voice-campaigns/company/{companyId}/quality-metrics",
    summary="Quality of a company's calls",
    responses=report_response(QualityMetrics) | CAMPAIGN_IDS_ERRORS,
)
async def company_quality_metrics(reports: Reports, scope: CampaignsScope) -> Response:
    """Scores and checks from the quality reports of calls, and compliance with calling hours; null where unknown."""
    return JsonResponse(await reports.get(scope.company_id, quality_metrics, scope=scope))


@router.get(
    "/api/voice-campaigns/{id}/stats",
    summary="Statistics of a campaign",
    responses=report_response(CampaignStatistics) | CAMPAIGN_ERRORS,
)
async def one_campaigns_statistics(reports: Reports, campaign: CampaignInPath) -> Response:
    """Leads, calls and costs of a campaign over its whole time."""
    return JsonResponse(await reports.get(campaign.company_id, campaign_statistics, campaign=campaign))


@router.get("/internal/voice-campaigns/{id}/metrics", include_in_schema=False)
async def one_campaigns_metrics(reports: Reports, campaign: CampaignInPath) -> Response:
    """Quality of a campaign's calls; campaign_svc includes it in the response with the campaign."""
    return JsonResponse(await reports.get(campaign.company_id, campaign_metrics, campaign=campaign))
