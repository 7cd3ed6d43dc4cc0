"""The reports on campaigns and calls, recomputed as ``docs/metrics.md`` defines them."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from shared.events.campaigns import Campaign
from tests.integration.analytics_svc.recomputation_facts import (
    Facts,
    KnownCall,
    ReportRequest,
    mean,
    money,
    percent,
    percent_known,
    ratio,
    reported_values,
    rounded,
    score,
    spent,
    whole,
)

STOP_WORDS = {"the", "and", "with", "this"}
"""The stop words that tests use."""


def statistics(facts: Facts, request: ReportRequest) -> dict[str, Any]:
    """``GET /api/voice-campaigns/company/{companyId}/stats``."""
    campaigns = [one for one in facts.campaigns_of(request) if request.status in (None, one.status)]
    counted = {one.id for one in campaigns}

    def counts(campaign_id: int) -> bool:
        return request.status is None or campaign_id in counted

    leads = [lead for lead in facts.leads_of(request) if counts(lead.now.campaign_id)]
    calls = [call for call in facts.calls_of(request) if counts(call.attempt.campaign_id)]
    hours = Counter(f"{request.clock(call.attempt.started_at):%H}:00" for call in calls)
    return {
        "total_campaigns": len(campaigns),
        "active_campaigns": sum(one.status == "active" for one in campaigns),
        "completed_campaigns": sum(one.status == "completed" for one in campaigns),
        "paused_campaigns": sum(one.status == "paused" for one in campaigns),
        "total_leads": len(leads),
        **_outcomes(calls),
        "average_success_rate": _success_rate(calls),
        "total_call_duration": _duration(calls),
        "average_call_duration": _average_duration(calls),
        "total_cost": money(spent(calls)),
        "remaining_budget": _remaining_budget(facts, request, campaigns),
        "campaigns_by_priority": {
            name: sum(one.priority == name for one in campaigns) for name in ("high", "medium", "low")
        },
        "calls_by_hour": dict(hours),
        "daily_stats": [
            {"date": day, **_outcomes(of_day), "success_rate": _success_rate(of_day)}
            for day, of_day in _by_day(calls, request)
        ],
    }


def performance(facts: Facts, request: ReportRequest) -> dict[str, Any]:
    """``GET /api/voice-campaigns/company/{companyId}/performance``."""
    calls = facts.calls_of(request)
    intervals = _by_time(calls, request, INTERVALS[request.interval])
    rankings = [
        {
            "campaign_id": campaign_id,
            "name": facts.name_of_campaign(campaign_id),
            "success_rate": _success_rate(of_campaign),
            "total_calls": len(of_campaign),
        }
        for campaign_id, of_campaign in _by_campaign(calls)
    ]
    return {
        "summary": {
            "total_campaigns": len(facts.campaigns_of(request)),
            "total_calls": len(calls),
            "success_rate": _success_rate(calls),
            "average_call_duration": _average_duration(calls),
        },
        "trends": {
            "calls_by_interval": [
                {"interval": label, **_outcomes(part), "average_duration": _average_duration(part)}
                for label, part in intervals
            ],
            "success_rate_trend": [{"interval": label, "rate": _success_rate(part)} for label, part in intervals],
        },
        "campaign_rankings": sorted(
            rankings, key=lambda row: (-row["success_rate"], -row["total_calls"], row["campaign_id"])
        ),
    }


def team_performance(facts: Facts, request: ReportRequest) -> dict[str, Any]:
    """``GET /api/voice-campaigns/company/{companyId}/team-performance``."""
    campaigns = facts.campaigns_of(request)
    calls = facts.calls_of(request)
    active = {call.attempt.agent_id for call in calls if call.attempt.agent_id is not None}
    people = active.union(*(one.team_members for one in campaigns))
    distribution = []
    for campaign_id in sorted({one.id for one in campaigns} | {call.attempt.campaign_id for call in calls}):
        known = facts.campaigns.get(campaign_id)
        team = 0 if known is None else len(set(known.now.team_members))
        calls_made = sum(call.attempt.campaign_id == campaign_id for call in calls)
        distribution.append(
            {
                "campaign_id": campaign_id,
                "name": facts.name_of_campaign(campaign_id),
                "team_members": team,
                "calls_per_member": rounded(ratio(calls_made, team), 2),
            }
        )
    return {
        "team_summary": {
            "total_team_members": len(people),
            "active_members": len(active),
            "total_calls_handled": sum(call.attempt.agent_id is not None for call in calls),
        },
        "member_performance": [
            _member(facts, request, person, [call for call in calls if call.attempt.agent_id == person])
            for person in sorted(people)
        ],
        "campaign_distribution": distribution,
    }


def _member(facts: Facts, request: ReportRequest, person: int, calls: Sequence[KnownCall]) -> dict[str, Any]:
    return {
        "member_id": person,
        "name": facts.names.get((request.company_id, person)),
        "campaigns_assigned": sum(person in one.team_members for one in facts.campaigns_of(request)),
        "total_calls": len(calls),
        "successful_calls": sum(call.attempt.successful for call in calls),
        "success_rate": _success_rate(calls),
        "average_call_duration": _average_duration(calls),
        "total_talk_time": _duration(calls),
    }


def cost_analysis(facts: Facts, request: ReportRequest) -> dict[str, Any]:
    """``GET /api/voice-campaigns/company/{companyId}/cost-analysis``."""
    campaigns = facts.campaigns_of(request)
    calls = facts.calls_of(request)
    total = spent(calls)
    value = sum(
        (
            lead.conversion.conversion_value
            for lead in facts.leads_of_all_days(request)
            if lead.conversion is not None and request.spans(lead.conversion.converted_at)
        ),
        Decimal(0),
    )
    return {
        "overall_costs": {
            "total_budget_allocated": money(
                sum((one.budget for one in campaigns if one.budget is not None), Decimal(0))
            ),
            "total_spent": money(total),
            "remaining_budget": _remaining_budget(facts, request, campaigns),
            "average_cost_per_call": _average_cost(calls),
            "average_cost_per_success": money(ratio(total, sum(call.attempt.successful for call in calls))),
        },
        "campaign_costs": [
            _costs_of_campaign(
                facts, request, campaign_id, [call for call in calls if call.attempt.campaign_id == campaign_id]
            )
            for campaign_id in sorted({one.id for one in campaigns} | {call.attempt.campaign_id for call in calls})
        ],
        "cost_trends": [
            {
                "date": day,
                "total_spent": money(spent(of_day)),
                "calls_made": len(of_day),
                "average_cost": _average_cost(of_day),
            }
            for day, of_day in _by_day(calls, request)
        ],
        "roi_analysis": {
            "total_conversion_value": money(value),
            "total_cost": money(total),
            "roi_percentage": percent(value - total, total),
            "cost_to_conversion_ratio": rounded(ratio(total, value), 2),
        },
    }


def _costs_of_campaign(
    facts: Facts, request: ReportRequest, campaign_id: int, calls: Sequence[KnownCall]
) -> dict[str, Any]:
    known = facts.campaigns.get(campaign_id)
    budget = None if known is None or known.deleted else known.now.budget
    ever = spent(call for call in facts.calls_of_all_days(request) if call.attempt.campaign_id == campaign_id)
    total = spent(calls)
    on_success = spent(call for call in calls if call.attempt.successful)
    return {
        "campaign_id": campaign_id,
        "name": facts.name_of_campaign(campaign_id),
        "budget": None if budget is None else money(budget),
        "spent": money(total),
        "remaining": None if budget is None else money(budget - ever),
        "cost_per_call": _average_cost(calls),
        "cost_effectiveness_score": whole(100 * ratio(on_success, total)) if total else None,
    }


def quality_metrics(facts: Facts, request: ReportRequest) -> dict[str, Any]:
    """``GET /api/voice-campaigns/company/{companyId}/quality-metrics``."""
    calls = facts.calls_of(request)
    reports = [call.quality for call in calls]
    return {
        "overall_quality": {
            **_quality(calls),
            "customer_satisfaction": score(reported_values(report.customer_satisfaction for report in reports)),
            "call_clarity_score": score(reported_values(report.clarity for report in reports)),
        },
        "campaign_quality": [
            {
                "campaign_id": campaign_id,
                "name": facts.name_of_campaign(campaign_id),
                **_quality(of_campaign),
                "quality_issues": _issues(of_campaign),
            }
            for campaign_id, of_campaign in _by_campaign(calls)
        ],
        "quality_trends": [
            {
                "date": day,
                "average_score": _average_score(of_day),
                "total_issues": sum(len(set(call.quality.issues)) for call in of_day),
                "resolution_rate": None,
            }
            for day, of_day in _by_day(calls, request)
        ],
        "compliance_metrics": {
            "script_adherence": score(reported_values(report.adherence_to_script for report in reports)),
            "regulatory_compliance": percent_known(_answers(report.regulatory_compliance for report in reports)),
            "data_protection": percent_known(_answers(report.data_protection for report in reports)),
            "call_time_compliance": percent_known(_answers(call.within_hours for call in calls)),
        },
    }


def _quality(calls: Sequence[KnownCall]) -> dict[str, Any]:
    return {
        "average_call_score": _average_score(calls),
        "compliance_rate": percent_known(_answers(call.compliant for call in calls)),
    }


def _issues(calls: Sequence[KnownCall]) -> list[dict[str, Any]]:
    reported = sum(call.attempt.quality is not None for call in calls)
    counts = Counter(issue for call in calls for issue in set(call.quality.issues))
    rows = []
    for issue, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])):
        rate = percent(count, reported)
        severity = "high" if rate >= 15 else "medium" if rate >= 5 else "low"
        rows.append({"issue_type": issue, "occurrence_rate": rate, "severity": severity})
    return rows


def campaign_statistics(facts: Facts, campaign: Campaign) -> dict[str, Any]:
    """``GET /api/voice-campaigns/{id}/stats``."""
    request = ReportRequest(campaign.company_id, campaign_ids=(campaign.id,))
    calls = facts.calls_of(request)
    outcomes = _outcomes(calls)
    return {
        "total_leads": len(facts.leads_of(request)),
        "completed_calls": outcomes["total_calls"],
        "successful_calls": outcomes["successful_calls"],
        "failed_calls": outcomes["failed_calls"],
        "cost_per_call": None if campaign.cost_per_call is None else money(campaign.cost_per_call),
        "budget": None if campaign.budget is None else money(campaign.budget),
        "success_rate": f"{_success_rate(calls):.2f}",
        "total_cost": money(spent(calls)),
        "remaining_budget": None if campaign.budget is None else money(campaign.budget - spent(calls)),
    }


def campaign_metrics(facts: Facts, campaign: Campaign) -> dict[str, Any]:
    """``GET /internal/voice-campaigns/{id}/metrics``."""
    calls = facts.calls_of(ReportRequest(campaign.company_id, campaign_ids=(campaign.id,)))
    reports = [call.quality for call in calls]
    sentiments = reported_values(report.sentiment_score for report in reports)
    response_time = mean(reported_values(report.response_time_seconds for report in reports))
    words = Counter(word for call in calls for word in _words(call))
    return {
        "accuracy": score(reported_values(report.accuracy for report in reports)),
        "clarity": score(reported_values(report.clarity for report in reports)),
        "engagement": score(reported_values(report.engagement for report in reports)),
        "adherenceToScript": score(reported_values(report.adherence_to_script for report in reports)),
        "sentimentScore": score(sentiments),
        "averageCallQuality": _average_score(calls),
        "positiveResponseRate": percent_known([sentiment > 0 for sentiment in sentiments]),
        "negativeResponseRate": percent_known([sentiment < 0 for sentiment in sentiments]),
        "averageResponseTime": None if response_time is None else f"{rounded(response_time, 1):.1f}s",
        "commonKeywords": [
            {"word": word, "count": count}
            for word, count in sorted(words.items(), key=lambda pair: (-pair[1], pair[0]))[:10]
        ],
    }


def _words(call: KnownCall) -> set[str]:
    text = " ".join([call.attempt.notes or "", call.attempt.transcript or "", *call.attempt.keywords])
    without_addresses = re.sub(r"\S*(@|://)\S*", " ", text)
    return {word for word in re.findall(r"[a-z]{3,}", without_addresses.lower()) if word not in STOP_WORDS}


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"


def _hour(moment: datetime) -> str:
    begin = moment.replace(minute=0, second=0, microsecond=0)
    return begin.isoformat() if begin.utcoffset() else f"{begin:%Y-%m-%dT%H:%M:%SZ}"


def _week(moment: datetime) -> str:
    year, week, _ = moment.isocalendar()
    return f"{year}-W{week:02}"


def _month(moment: datetime) -> str:
    return f"{moment:%Y-%m}"


INTERVALS: dict[str, Callable[[datetime], str]] = {"hourly": _hour, "daily": _day, "weekly": _week, "monthly": _month}


def _by_time(
    calls: Sequence[KnownCall], request: ReportRequest, label: Callable[[datetime], str]
) -> list[tuple[str, list[KnownCall]]]:
    parts: dict[str, list[KnownCall]] = {}
    for call in sorted(calls, key=lambda call: call.attempt.started_at):
        parts.setdefault(label(request.clock(call.attempt.started_at)), []).append(call)
    return list(parts.items())


def _by_day(calls: Sequence[KnownCall], request: ReportRequest) -> list[tuple[str, list[KnownCall]]]:
    return _by_time(calls, request, _day)


def _by_campaign(calls: Sequence[KnownCall]) -> list[tuple[int, list[KnownCall]]]:
    ids = sorted({call.attempt.campaign_id for call in calls})
    return [(number, [call for call in calls if call.attempt.campaign_id == number]) for number in ids]


def _outcomes(calls: Sequence[KnownCall]) -> dict[str, int]:
    successful = sum(call.attempt.successful for call in calls)
    return {"total_calls": len(calls), "successful_calls": successful, "failed_calls": len(calls) - successful}


def _success_rate(calls: Sequence[KnownCall]) -> float:
    return percent(sum(call.attempt.successful for call in calls), len(calls))


def _duration(calls: Sequence[KnownCall]) -> int:
    return sum(call.attempt.duration for call in calls)


def _average_duration(calls: Sequence[KnownCall]) -> int:
    return whole(ratio(_duration(calls), len(calls)))


def _average_cost(calls: Sequence[KnownCall]) -> float:
    return money(ratio(spent(calls), sum(call.cost is not None for call in calls)))


def _average_score(calls: Sequence[KnownCall]) -> float | None:
    return score([call.score for call in calls if call.score is not None])


def _answers(values: Iterable[bool | None]) -> list[bool]:
    return [value for value in values if value is not None]


def _remaining_budget(facts: Facts, request: ReportRequest, campaigns: Sequence[Campaign]) -> float:
    with_budget = {one.id: one.budget for one in campaigns if one.budget is not None}
    ever = spent(call for call in facts.calls_of_all_days(request) if call.attempt.campaign_id in with_budget)
    return money(sum(with_budget.values(), Decimal(0)) - ever)
