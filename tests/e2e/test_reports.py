"""A change in one service is in all reports of the other services a moment later."""

from typing import Any

from tests.fixtures.gateway import Caller, csv_of
from tests.fixtures.waiting import eventually

LEADS, CAMPAIGNS = "/api/voice-leads", "/api/voice-campaigns"


async def _post(caller: Caller, path: str, body: dict[str, Any]) -> None:
    answer = await caller.gateway.http.post(path, json=body, headers=caller.headers)
    assert answer.is_success, answer.text


async def _change(caller: Caller, path: str, body: dict[str, Any]) -> None:
    answer = await caller.gateway.http.patch(path, json=body, headers=caller.headers)
    assert answer.is_success, answer.text


async def _report(caller: Caller, path: str, **parameters: str) -> dict[str, Any]:
    answer = await caller.get(path, **parameters)
    assert answer.status_code == 200, answer.text
    report: dict[str, Any] = answer.json()
    return report


async def test_every_report_has_the_same_figures_of_a_campaign(caller: Caller) -> None:
    company = caller.company_id
    member = await caller.gateway.http.put(
        f"{CAMPAIGNS}/company/{company}/members/7", json={"name": "Grace Hopper"}, headers=caller.headers
    )
    assert member.status_code == 201
    campaign = await caller.create_campaign(status="active", budget=100, cost_per_call=0.5, team_members=[7, 8])
    rows = [{"phone": f"+1415555010{number}", "source": "Fair", "lead_score": 70} for number in range(3)]
    first, second, _ = await caller.imported(csv_of(rows), campaign)
    quality = {"accuracy": 95, "clarity": 88, "sentiment_score": 7.5, "response_time_seconds": 8.46}
    for lead, successful in ((first, True), (first, True), (second, False)):
        attempt = {
            "duration": 60,
            "agent_id": 7,
            "successful": successful,
            "notes": "inquired about pricing",
            "quality": quality,
        }
        await _post(caller, f"{LEADS}/{lead['id']}/call-attempt", attempt)
    await _change(caller, f"{LEADS}/{first['id']}/assign", {"assigned_to": 7})
    await _change(caller, f"{LEADS}/{first['id']}/convert", {"value": 250.25})

    async def converted() -> bool:
        analysis = await _report(caller, f"{LEADS}/company/{company}/conversion-analysis")
        return bool(analysis["conversion_summary"]["total_revenue"] == 250.25)

    await eventually(converted)
    statistics = await _report(caller, f"{CAMPAIGNS}/company/{company}/stats")
    assert (statistics["total_leads"], statistics["total_calls"], statistics["successful_calls"]) == (3, 3, 2)
    assert (statistics["total_cost"], statistics["remaining_budget"]) == (1.5, 98.5)
    own = await _report(caller, f"{CAMPAIGNS}/{campaign}/stats")
    assert (own["completed_calls"], own["success_rate"], own["remaining_budget"]) == (3, "66.67", 98.5)
    performance = await _report(caller, f"{CAMPAIGNS}/company/{company}/performance", interval="monthly")
    assert performance["campaign_rankings"] == [
        {"campaign_id": campaign, "name": "Customer Survey Campaign", "success_rate": 66.67, "total_calls": 3}
    ]
    team = await _report(caller, f"{CAMPAIGNS}/company/{company}/team-performance")
    assert [(one["member_id"], one["name"], one["total_calls"]) for one in team["member_performance"]] == [
        (7, "Grace Hopper", 3),
        (8, None, 0),
    ]
    costs = await _report(caller, f"{CAMPAIGNS}/company/{company}/cost-analysis", campaign_ids=str(campaign))
    assert costs["roi_analysis"]["total_conversion_value"] == 250.25
    assert costs["campaign_costs"][0]["spent"] == 1.5
    scores = await _report(caller, f"{CAMPAIGNS}/company/{company}/quality-metrics")
    assert scores["overall_quality"]["call_clarity_score"] == 88
    analytics = await _report(caller, f"{LEADS}/company/{company}/analytics")
    assert analytics["lead_funnel"]["total_leads"] == 3
    assert analytics["lead_funnel"]["converted"] == 1
    assert analytics["lead_sources"][0]["source"] == "Fair"
    lead_quality = await _report(caller, f"{LEADS}/company/{company}/quality-report")
    assert lead_quality["lead_quality_distribution"] == {"excellent": 0, "good": 3, "fair": 0, "poor": 0}
    assigned = await _report(caller, f"{LEADS}/company/{company}/assignment-stats")
    assert [(one["agent_id"], one["name"]) for one in assigned["agent_performance"]] == [(7, "Grace Hopper")]
    of_campaign = await _report(caller, f"{LEADS}/campaign/{campaign}/stats")
    assert (of_campaign["total_leads"], of_campaign["converted_leads"]) == (3, 1)
    report = await _report(caller, f"{CAMPAIGNS}/{campaign}", company_id=str(company))
    assert report["data"]["metrics"] == {
        "accuracy": 95,
        "clarity": 88,
        "engagement": None,
        "adherenceToScript": None,
        "sentimentScore": 7.5,
        "averageCallQuality": 91.5,
        "positiveResponseRate": 100,
        "negativeResponseRate": 0,
        "averageResponseTime": "8.5s",
        "commonKeywords": [{"word": "inquired", "count": 3}, {"word": "pricing", "count": 3}],
    }


async def test_a_new_campaign_has_statistics_at_once(caller: Caller) -> None:
    """No event of it need have arrived."""
    campaign = await caller.create_campaign(budget=100)
    statistics = await _report(caller, f"{CAMPAIGNS}/{campaign}/stats")
    assert (statistics["completed_calls"], statistics["remaining_budget"]) == (0, 100)
    assert (await _report(caller, f"{LEADS}/campaign/{campaign}/stats"))["total_leads"] == 0


async def test_internal_paths_end_at_the_gateway(caller: Caller) -> None:
    campaign = await caller.create_campaign()
    assert (await caller.get(f"/internal/voice-campaigns/{campaign}/metrics")).status_code == 404
