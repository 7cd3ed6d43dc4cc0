"""The reports on leads, recomputed as ``docs/metrics.md`` defines them."""

from collections.abc import Sequence
from decimal import Context, Decimal
from fractions import Fraction
from typing import Any, get_args

from shared.events.campaigns import Campaign
from shared.events.leads import LeadStatus
from tests.integration.analytics_svc.recomputation_facts import (
    Facts,
    KnownLead,
    ReportRequest,
    mean,
    money,
    percent,
    ratio,
    rounded,
    score,
    whole,
)

ENOUGH = 30
"""Number of leads from which on rates are compared."""
LEVELS = {"low": 1, "medium": 2, "high": 3}
BANDS = {"excellent": (80, 100), "good": (60, 79), "fair": (40, 59), "poor": (0, 39)}
PRECISE = Context(prec=60)


def analytics(facts: Facts, request: ReportRequest) -> dict[str, Any]:
    """``GET /api/voice-leads/company/{companyId}/analytics``."""
    leads = facts.leads_of(request)
    bands = _bands(leads)
    contacted = sum(lead.contacted for lead in leads)
    return {
        "lead_funnel": {
            "total_leads": len(leads),
            "contacted": contacted,
            "qualified": sum(lead.qualified for lead in leads),
            "converted": _converted(leads),
            "conversion_rate": percent(_converted(leads), contacted),
        },
        "lead_sources": [
            {
                "source": source,
                "count": len(of_source),
                "conversion_rate": percent(_converted(of_source), len(of_source)),
                "average_lead_score": _average_score(of_source),
            }
            for source, of_source in _by_source(leads)
        ],
        "lead_scoring": {
            "average_score": _average_score(leads),
            "score_distribution": {
                "high": bands["excellent"],
                "medium": bands["good"] + bands["fair"],
                "low": bands["poor"],
            },
        },
        "conversion_timeline": [{"date": day, **_new_leads(of_day)} for day, of_day in _by_day(leads, request)],
    }


def quality_report(facts: Facts, request: ReportRequest) -> dict[str, Any]:
    """``GET /api/voice-leads/company/{companyId}/quality-report``."""
    leads = facts.leads_of(request)
    return {
        "overall_quality": {
            "average_lead_score": _average_score(leads),
            "qualification_rate": percent(sum(lead.qualified for lead in leads), len(leads)),
            "conversion_potential": percent(sum(lead.promising for lead in leads), len(leads)),
        },
        "lead_quality_distribution": _bands(leads),
        "quality_by_source": [
            {
                "source": source,
                "average_score": _average_score(of_source),
                "conversion_rate": percent(_converted(of_source), len(of_source)),
                "lead_count": len(of_source),
            }
            for source, of_source in _by_source(leads)
        ],
        "improvement_suggestions": _suggestions(leads),
    }


def _suggestions(leads: Sequence[KnownLead]) -> list[dict[str, Any]]:
    """Return the suggestions; their wording is not compared, so the texts are empty."""
    data = "Data Completeness"
    properties = [
        (data, [lead.now.email is not None for lead in leads]),
        (data, [lead.now.first_name is not None for lead in leads]),
        (data, [lead.now.source is not None for lead in leads]),
        (data, [lead.now.lead_score is not None for lead in leads]),
        (data, [lead.now.interest_level is not None for lead in leads]),
        ("Contact Rate", [lead.calls > 0 for lead in leads]),
        ("Assignment", [lead.now.assigned_to is not None for lead in leads]),
    ]
    rows: list[tuple[Fraction, dict[str, Any]]] = []
    for category, has in properties:
        if not leads or 100 * sum(has) >= 90 * len(leads):
            continue
        impact = _impact(leads, has)
        row = {
            "category": category,
            "current_score": 100 * sum(has) // len(leads),
            "suggestion": "",
            "potential_impact": f"{rounded(impact, 2):.2f}" if impact > 0 else None,
        }
        rows.append((impact, row))
    # Sorting is stable.
    return [row for _, row in sorted(rows, key=lambda pair: -pair[0])]


def _impact(leads: Sequence[KnownLead], has: Sequence[bool]) -> Fraction:
    """Return by how many percentage points more of the leads with the property converted; 0 for too few leads."""
    with_it = [lead for lead, it in zip(leads, has, strict=True) if it]
    without = [lead for lead, it in zip(leads, has, strict=True) if not it]
    if len(with_it) < ENOUGH or len(without) < ENOUGH:
        return Fraction(0)
    difference = ratio(_converted(with_it), len(with_it)) - ratio(_converted(without), len(without))
    return max(100 * difference, Fraction(0))


def assignment_statistics(facts: Facts, request: ReportRequest) -> dict[str, Any]:
    """``GET /api/voice-leads/company/{companyId}/assignment-stats``."""
    leads = facts.leads_of(request)
    agents = sorted({lead.now.assigned_to for lead in leads if lead.now.assigned_to is not None})
    assigned = sum(lead.now.assigned_to is not None for lead in leads)
    return {
        "assignment_summary": {
            "total_leads": len(leads),
            "assigned_leads": assigned,
            "unassigned_leads": len(leads) - assigned,
            "average_response_time": _average_response_time(leads),
        },
        "agent_performance": [
            _agent(facts, request, agent, [lead for lead in leads if lead.now.assigned_to == agent]) for agent in agents
        ],
        "assignment_distribution": {
            "by_priority": {
                "high": sum(lead.now.priority in {1, 2} for lead in leads),
                "medium": sum(lead.now.priority == 3 for lead in leads),
                "low": sum(lead.now.priority in {4, 5} for lead in leads),
            },
            "by_status": {status: sum(lead.now.status == status for lead in leads) for status in get_args(LeadStatus)},
        },
    }


def _agent(facts: Facts, request: ReportRequest, agent: int, leads: Sequence[KnownLead]) -> dict[str, Any]:
    contacted = sum(lead.contacted for lead in leads)
    return {
        "agent_id": agent,
        "name": facts.names.get((request.company_id, agent)),
        "assigned_leads": len(leads),
        "contacted_leads": contacted,
        "converted_leads": _converted(leads),
        "average_response_time": _average_response_time(leads),
        "conversion_rate": percent(_converted(leads), contacted),
    }


def conversion_analysis(facts: Facts, request: ReportRequest) -> dict[str, Any]:
    """``GET /api/voice-leads/company/{companyId}/conversion-analysis``."""
    leads = facts.leads_of(request)
    by_campaign = []
    for campaign_id in sorted({lead.now.campaign_id for lead in leads}):
        of_campaign = [lead for lead in leads if lead.now.campaign_id == campaign_id]
        by_campaign.append(
            {
                "campaign_id": campaign_id,
                "name": facts.name_of_campaign(campaign_id),
                "leads": len(of_campaign),
                "conversions": _converted(of_campaign),
                "conversion_rate": percent(_converted(of_campaign), len(of_campaign)),
                "revenue": money(_revenue(of_campaign)),
            }
        )
    return {
        "conversion_summary": {
            "total_leads": len(leads),
            "total_conversions": _converted(leads),
            "conversion_rate": percent(_converted(leads), len(leads)),
            "average_conversion_value": money(ratio(_revenue(leads), _converted(leads))),
            "total_revenue": money(_revenue(leads)),
        },
        "conversion_by_campaign": by_campaign,
        "conversion_factors": _factors(leads),
        "timeline_analysis": [
            {"date": day, **_new_leads(of_day), "revenue": money(_revenue(of_day))}
            for day, of_day in _by_day(leads, request)
        ],
    }


def _factors(leads: Sequence[KnownLead]) -> list[dict[str, Any]]:
    numbers: dict[str, list[int | None]] = {
        "Response Time": [None if lead.response_time is None else lead.response_time // 60 for lead in leads],
        "Lead Score": [lead.now.lead_score for lead in leads],
        "Call Attempts": [lead.calls for lead in leads],
        "Priority": [lead.now.priority for lead in leads],
        "Interest Level": [LEVELS.get(lead.now.interest_level or "") for lead in leads],
    }
    rows = []
    for name, of_leads in numbers.items():
        known = [
            (number, int(lead.conversion is not None))
            for lead, number in zip(leads, of_leads, strict=True)
            if number is not None
        ]
        coefficient = _coefficient(known)
        amount = None if coefficient is None else abs(coefficient)
        level = None if amount is None else "high" if amount >= 0.5 else "medium" if amount >= 0.3 else "low"
        rows.append(
            {
                "factor": name,
                "leads": len(known),
                "coefficient": coefficient,
                "impact_score": None if amount is None else whole(100 * Fraction(str(amount))),
                "correlation": level,
                # The wording is not compared.
                "recommendation": "" if level in {"high", "medium"} else None,
            }
        )
    return rows


def _coefficient(pairs: Sequence[tuple[int, int]]) -> float | None:
    """Pearson's, to two decimals: https://en.wikipedia.org/wiki/Pearson_correlation_coefficient#For_a_sample."""
    if len(pairs) < ENOUGH:
        return None
    mean_x, mean_y = mean([x for x, _ in pairs]), mean([y for _, y in pairs])
    if mean_x is None or mean_y is None:
        return None
    together = sum(((x - mean_x) * (y - mean_y) for x, y in pairs), Fraction(0))
    of_x = sum(((x - mean_x) ** 2 for x, _ in pairs), Fraction(0))
    of_y = sum(((y - mean_y) ** 2 for _, y in pairs), Fraction(0))
    if not of_x or not of_y:
        return None
    root = PRECISE.sqrt(PRECISE.divide(Decimal((of_x * of_y).numerator), Decimal((of_x * of_y).denominator)))
    return rounded(together / Fraction(root), 2)


def campaign_lead_statistics(facts: Facts, campaign: Campaign) -> dict[str, Any]:
    """``GET /api/voice-leads/campaign/{campaignId}/stats``."""
    request = ReportRequest(campaign.company_id, campaign_ids=(campaign.id,))
    leads = facts.leads_of(request)
    calls = facts.calls_of(request)
    return {
        "total_leads": len(leads),
        "completed_leads": sum(lead.now.status == "completed" for lead in leads),
        "failed_leads": sum(lead.now.status == "failed" for lead in leads),
        "converted_leads": _converted(leads),
        "average_lead_score": _average_score(leads),
        "total_conversion_value": money(_revenue(leads)),
        "average_call_duration": whole(ratio(sum(call.attempt.duration for call in calls), len(calls))),
    }


def _bands(leads: Sequence[KnownLead]) -> dict[str, int]:
    scores = [lead.now.lead_score for lead in leads if lead.now.lead_score is not None]
    return {name: sum(low <= number <= high for number in scores) for name, (low, high) in BANDS.items()}


def _by_source(leads: Sequence[KnownLead]) -> list[tuple[str | None, list[KnownLead]]]:
    sources = {lead.now.source for lead in leads}
    parts = [(source, [lead for lead in leads if lead.now.source == source]) for source in sources]
    return sorted(parts, key=lambda part: (-len(part[1]), part[0] is None, part[0] or ""))


def _by_day(leads: Sequence[KnownLead], request: ReportRequest) -> list[tuple[str, list[KnownLead]]]:
    days = sorted({request.day(lead.now.created_at) for lead in leads})
    return [(day.isoformat(), [lead for lead in leads if request.day(lead.now.created_at) == day]) for day in days]


def _new_leads(leads: Sequence[KnownLead]) -> dict[str, Any]:
    return {
        "new_leads": len(leads),
        "conversions": _converted(leads),
        "conversion_rate": percent(_converted(leads), len(leads)),
    }


def _converted(leads: Sequence[KnownLead]) -> int:
    return sum(lead.conversion is not None for lead in leads)


def _revenue(leads: Sequence[KnownLead]) -> Decimal:
    return sum((lead.conversion.conversion_value for lead in leads if lead.conversion is not None), Decimal(0))


def _average_score(leads: Sequence[KnownLead]) -> float | None:
    return score([lead.now.lead_score for lead in leads if lead.now.lead_score is not None])


def _average_response_time(leads: Sequence[KnownLead]) -> int:
    times = [lead.response_time for lead in leads if lead.response_time is not None]
    return whole(mean(times) or 0)
