"""Endpoints of the reports on leads."""

from fastapi import APIRouter
from starlette.responses import Response

from services.analytics_svc.reports.conversions import ConversionAnalysis, conversion_analysis
from services.analytics_svc.reports.dependencies import CampaignOfLeadsInPath, Reports
from services.analytics_svc.reports.leads import (
    AssignmentStatistics,
    CampaignLeadStatistics,
    LeadAnalytics,
    LeadQualityReport,
    assignment_statistics,
    campaign_lead_statistics,
    lead_analytics,
    lead_quality_report,
)
from services.analytics_svc.reports.openapi import CAMPAIGN_ERRORS, CAMPAIGN_IDS_ERRORS, PERIOD_ERRORS, report_response
from services.analytics_svc.reports.parameters import CampaignsScope, CompanyScope
from shared.http.json import JsonResponse

router = APIRouter(prefix="/api/voice-leads", tags=["Reports"], default_response_class=Response)


@router.get(
    "/company/{companyId}/analytics",
    summary="Analytics of a company's leads",
    responses=report_response(LeadAnalytics) | CAMPAIGN_IDS_ERRORS,
)
async def company_lead_analytics(reports: Reports, scope: CampaignsScope) -> Response:
    """Leads created in the period: funnel, sources and scores."""
    return JsonResponse(await reports.get(scope.company_id, lead_analytics, scope=scope))


@router.get(
    "/company/{companyId}/quality-report",
    summary="Quality of a company's leads",
    responses=report_response(LeadQualityReport) | PERIOD_ERRORS,
)
async def company_lead_quality(reports: Reports, scope: CompanyScope) -> Response:
    """Leads created in the period: quality by score and source, with suggestions for improvement."""
    return JsonResponse(await reports.get(scope.company_id, lead_quality_report, scope=scope))


@router.get(
    "/company/{companyId}/assignment-stats",
    summary="Assignment of a company's leads",
    responses=report_response(AssignmentStatistics) | PERIOD_ERRORS,
)
async def company_lead_assignment(reports: Reports, scope: CompanyScope) -> Response:
    """Leads created in the period: by agent, with response times."""
    return JsonResponse(await reports.get(scope.company_id, assignment_statistics, scope=scope))


@router.get(
    "/company/{companyId}/conversion-analysis",
    summary="Conversions of a company's leads",
    responses=report_response(ConversionAnalysis) | CAMPAIGN_IDS_ERRORS,
)
async def company_conversions(reports: Reports, scope: CampaignsScope) -> Response:
    """Leads created in the period: conversions, their value, and the factors that correlate with them."""
    return JsonResponse(await reports.get(scope.company_id, conversion_analysis, scope=scope))


@router.get(
    "/campaign/{campaignId}/stats",
    summary="Statistics of a campaign's leads",
    responses=report_response(CampaignLeadStatistics) | CAMPAIGN_ERRORS,
)
async def one_campaigns_leads(reports: Reports, campaign: CampaignOfLeadsInPath) -> Response:
    """Leads of a campaign over its whole time."""
    return JsonResponse(await reports.get(campaign.company_id, campaign_lead_statistics, campaign=campaign))
