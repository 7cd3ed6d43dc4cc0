"""Every report: how it is requested, and its expected response, recomputed from the list of events."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from shared.events.campaigns import Campaign
from tests.fixtures.analytics import ReportsApi
from tests.integration.analytics_svc import recomputation_calls as of_calls
from tests.integration.analytics_svc import recomputation_leads as of_leads
from tests.integration.analytics_svc.recomputation_facts import Facts, ReportRequest

DAYS_AND_ZONE = {"start_date", "end_date", "time_zone"}
"""Parameters of every report on a company."""


@dataclass(frozen=True, slots=True)
class CompanyReport:
    """A report on a company, with the parameters that it has in addition to days and time zone."""

    path: str
    recompute: Callable[[Facts, ReportRequest], dict[str, Any]]
    extra_parameters: frozenset[str] = frozenset()

    def parameters(self, request: ReportRequest) -> dict[str, str]:
        """Return the query parameters of a request; UTC, the default, is left out."""
        ids = request.campaign_ids
        values = {
            "start_date": None if request.first is None else request.first.isoformat(),
            "end_date": None if request.last is None else request.last.isoformat(),
            "time_zone": None if request.time_zone == "UTC" else request.time_zone,
            "campaign_ids": None if ids is None else ",".join(map(str, ids)),
            "status": request.status,
            "interval": request.interval,
        }
        names = DAYS_AND_ZONE | self.extra_parameters
        return {name: value for name, value in values.items() if name in names and value is not None}

    async def get(self, api: ReportsApi, request: ReportRequest) -> Any:
        """Return the response of the API."""
        answer = await api.get(self.path.format(request.company_id), request.company_id, **self.parameters(request))
        assert answer.status_code == 200, answer.text
        return answer.json()

    def effective(self, request: ReportRequest) -> ReportRequest:
        """Return the request without the parameters that the report ignores."""
        return ReportRequest(
            company_id=request.company_id,
            first=request.first,
            last=request.last,
            campaign_ids=request.campaign_ids if "campaign_ids" in self.extra_parameters else None,
            status=request.status if "status" in self.extra_parameters else None,
            interval=request.interval,
            time_zone=request.time_zone,
        )


@dataclass(frozen=True, slots=True)
class CampaignReport:
    """A report on a campaign, over its whole time."""

    path: str
    recompute: Callable[[Facts, Campaign], dict[str, Any]]

    async def get(self, api: ReportsApi, campaign_id: int, company_id: int = 1) -> Any:
        """Return the response of the API."""
        answer = await api.get(self.path.format(campaign_id), company_id)
        assert answer.status_code == 200, answer.text
        return answer.json()


CAMPAIGNS, LEADS = "/api/voice-campaigns/company/{}", "/api/voice-leads/company/{}"
BY_CAMPAIGNS = frozenset({"campaign_ids"})

STATISTICS = CompanyReport(f"{CAMPAIGNS}/stats", of_calls.statistics, frozenset({"status"}))
PERFORMANCE = CompanyReport(f"{CAMPAIGNS}/performance", of_calls.performance, frozenset({"interval"}))
TEAM_PERFORMANCE = CompanyReport(f"{CAMPAIGNS}/team-performance", of_calls.team_performance)
COST_ANALYSIS = CompanyReport(f"{CAMPAIGNS}/cost-analysis", of_calls.cost_analysis, BY_CAMPAIGNS)
QUALITY_METRICS = CompanyReport(f"{CAMPAIGNS}/quality-metrics", of_calls.quality_metrics, BY_CAMPAIGNS)
ANALYTICS = CompanyReport(f"{LEADS}/analytics", of_leads.analytics, BY_CAMPAIGNS)
QUALITY_REPORT = CompanyReport(f"{LEADS}/quality-report", of_leads.quality_report)
ASSIGNMENT_STATISTICS = CompanyReport(f"{LEADS}/assignment-stats", of_leads.assignment_statistics)
CONVERSION_ANALYSIS = CompanyReport(f"{LEADS}/conversion-analysis", of_leads.conversion_analysis, BY_CAMPAIGNS)
COMPANY_REPORTS = (
    *(STATISTICS, PERFORMANCE, TEAM_PERFORMANCE, COST_ANALYSIS, QUALITY_METRICS),
    *(ANALYTICS, QUALITY_REPORT, ASSIGNMENT_STATISTICS, CONVERSION_ANALYSIS),
)

CAMPAIGN_STATISTICS = CampaignReport("/api/voice-campaigns/{}/stats", of_calls.campaign_statistics)
CAMPAIGN_METRICS = CampaignReport("/internal/voice-campaigns/{}/metrics", of_calls.campaign_metrics)
CAMPAIGN_LEAD_STATISTICS = CampaignReport("/api/voice-leads/campaign/{}/stats", of_leads.campaign_lead_statistics)
CAMPAIGN_REPORTS = (CAMPAIGN_STATISTICS, CAMPAIGN_METRICS, CAMPAIGN_LEAD_STATISTICS)


def without_wording(answer: Any) -> Any:
    """Return a response without the wording of texts, as a recomputation has it.

    Of a text remains whether it is present, and of a potential impact its number.
    """
    if isinstance(answer, list):
        return [without_wording(one) for one in answer]
    if not isinstance(answer, dict):
        return answer
    found = {name: without_wording(value) for name, value in answer.items()}
    for name in found.keys() & {"suggestion", "recommendation"}:
        if found[name] is not None:
            assert isinstance(found[name], str)
            assert found[name].strip()
            found[name] = ""
    if found.get("potential_impact") is not None:
        [found["potential_impact"]] = re.findall(r"\d+\.\d\d(?!\d)", found["potential_impact"])
    return found


def differences(answer: Any, expected: Any, where: str = "") -> list[str]:
    """Return where a response differs from the expected one, with both values."""
    if isinstance(answer, dict) and isinstance(expected, dict) and answer.keys() == expected.keys():
        return [found for name in expected for found in differences(answer[name], expected[name], f"{where}.{name}")]
    if isinstance(answer, list) and isinstance(expected, list) and len(answer) == len(expected):
        pairs = enumerate(zip(answer, expected, strict=True))
        return [found for number, (one, other) in pairs for found in differences(one, other, f"{where}[{number}]")]
    return [] if answer == expected else [f"{where} is {answer!r}, not {expected!r}"]
