"""Reports of leads over HTTP."""

from fastapi import APIRouter
from starlette.responses import Response

from services.analytics_svc.reports.campaign_lookup import CampaignOfLeadsInPath
from services.analytics_svc.reports.conversions import ConversionAnalysis, conversion_analysis
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
from services.analytics_svc.reports.openapi import REFUSED_CAMPAIGN, REFUSED_CAMPAIGN_IDS, REFUSED_PERIOD, figures
from services.analytics_svc.reports.parameters import CampaignsScope, CompanyScope
from services.analytics_svc.reports.service import AnswersOfApp

router = APIRouter(prefix="/api/voice-leads", tags=["Reports"], default_response_class=Response)


@router.get(
    "/company/{companyId}/analytics",
    summary="Analytics of a company's leads",
    responses=figures(LeadAnalytics) | REFUSED_CAMPAIGN_IDS,
)
async def company_lead_analytics(answers: AnswersOfApp, scope: CampaignsScope) -> Response:
    """Leads that were created in the period: how far they got, where they come from, and their scores."""
    return await answers.answer(scope.company_id, lead_analytics, scope=scope)


@router.get(
    "/company/{companyId}/quality-report",
    summary="Quality of a company's leads",
    responses=figures(LeadQualityReport) | REFUSED_PERIOD,
)
async def company_lead_quality(answers: AnswersOfApp, scope: CompanyScope) -> Response:
    """Leads that were created in the period: how good they are, and what would make them better."""
    return await answers.answer(scope.company_id, lead_quality_report, scope=scope)


@router.get(
    "/company/{companyId}/assignment-stats",
    summary="Assignment of a company's leads",
    responses=figures(AssignmentStatistics) | REFUSED_PERIOD,
)
async def company_lead_assignment(answers: AnswersOfApp, scope: CompanyScope) -> Response:
    """Leads that were created in the period: who works on them, and how soon they were called."""
    return await answers.answer(scope.company_id, assignment_statistics, scope=scope)


@router.get(
    "/company/{companyId}/conversion-analysis",
    summary="Conversions of a company's leads",
    responses=figures(ConversionAnalysis) | REFUSED_CAMPAIGN_IDS,
)
async def company_conversions(answers: AnswersOfApp, scope: CampaignsScope) -> Response:
    """Leads that were created in the period: which were converted, for how much, and what goes with it."""
    return await answers.answer(scope.company_id, conversion_analysis, scope=scope)


@router.get(
    "/campaign/{campaignId}/stats",
    summary="Statistics of a campaign's leads",
    responses=figures(CampaignLeadStatistics) | REFUSED_CAMPAIGN,
)
async def one_campaigns_leads(answers: AnswersOfApp, campaign: CampaignOfLeadsInPath) -> Response:
    """The leads of a campaign, of all its days."""
    return await answers.answer(campaign.company_id, campaign_lead_statistics, campaign=campaign)
