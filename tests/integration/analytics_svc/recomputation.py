"""The statistics of a company, by going through the list of events: slow, and as plain as can be."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from shared.events.campaigns import CampaignDeleted, CampaignEvent
from shared.events.envelope import EventData
from shared.events.leads import CallAttempt, Lead, LeadCallAttempted, LeadCreated


def statistics(
    told: Sequence[EventData], company_id: int, first: date | None, last: date | None, status: str | None
) -> dict[str, Any]:
    """What ``GET …/company/{companyId}/stats`` is to answer."""
    campaigns = [
        event.campaign
        for event in _newest_campaign_events(told)
        if event.campaign.company_id == company_id
        and not isinstance(event, CampaignDeleted)
        and status in (None, event.campaign.status)
    ]
    counted_ids = {campaign.id for campaign in campaigns}

    def counts(thing: Lead | CallAttempt, moment: datetime) -> bool:
        day = moment.astimezone(UTC).date()
        return (
            thing.company_id == company_id
            and (status is None or thing.campaign_id in counted_ids)
            and (first is None or day >= first)
            and (last is None or day <= last)
        )

    leads = {lead.id for lead in _leads(told) if counts(lead, lead.created_at)}
    all_calls = {call.id: call for call in _calls(told)}.values()
    calls = [call for call in all_calls if counts(call, call.started_at)]
    with_budget = {campaign.id: campaign.budget for campaign in campaigns if campaign.budget is not None}
    spent = sum(cost(told, call) for call in all_calls if call.campaign_id in with_budget)
    return {
        "total_campaigns": len(campaigns),
        **{
            f"{name}_campaigns": sum(campaign.status == name for campaign in campaigns)
            for name in ("active", "completed", "paused")
        },
        "total_leads": len(leads),
        **_outcomes(calls, "average_success_rate"),
        "total_call_duration": sum(call.duration for call in calls),
        "average_call_duration": _rounded(sum(call.duration for call in calls), len(calls), "1"),
        "total_cost": float(sum(cost(told, call) for call in calls)),
        "remaining_budget": float(sum(with_budget.values()) - spent),
        "campaigns_by_priority": {
            name: sum(campaign.priority == name for campaign in campaigns) for name in ("high", "medium", "low")
        },
        "calls_by_hour": dict(Counter(f"{call.started_at:%H}:00" for call in calls)),
        "daily_stats": [
            {
                "date": day.isoformat(),
                **_outcomes([call for call in calls if call.started_at.date() == day], "success_rate"),
            }
            for day in sorted({call.started_at.date() for call in calls})
        ],
    }


def cost(told: Sequence[EventData], call: CallAttempt) -> Decimal:
    """What a call cost: as reported, else the price of its campaign when it was made, else nothing is known."""
    if call.cost is not None:
        return call.cost
    in_force = [
        event.campaign
        for event in told
        if isinstance(event, CampaignEvent)
        and event.campaign.id == call.campaign_id
        and (event.campaign.version == 1 or event.campaign.updated_at <= call.started_at)
    ]
    if not in_force:
        return Decimal(0)
    return max(in_force, key=lambda campaign: campaign.version).cost_per_call or Decimal(0)


def _outcomes(calls: Sequence[CallAttempt], rate: str) -> dict[str, Any]:
    successful = sum(call.successful for call in calls)
    return {
        "total_calls": len(calls),
        "successful_calls": successful,
        "failed_calls": len(calls) - successful,
        rate: _rounded(100 * successful, len(calls), "0.01"),
    }


def _rounded(total: int, count: int, unit: str) -> float:
    return float((Decimal(total) / count).quantize(Decimal(unit), ROUND_HALF_UP)) if count else 0


def _newest_campaign_events(told: Sequence[EventData]) -> Iterator[CampaignEvent]:
    newest: dict[int, CampaignEvent] = {}
    for event in told:
        if isinstance(event, CampaignEvent):
            known = newest.get(event.campaign.id)
            if known is None or known.campaign.version < event.campaign.version:
                newest[event.campaign.id] = event
    yield from newest.values()


def _leads(told: Sequence[EventData]) -> Iterator[Lead]:
    for event in told:
        if isinstance(event, LeadCreated):
            yield from event.leads


def _calls(told: Sequence[EventData]) -> Iterator[CallAttempt]:
    for event in told:
        if isinstance(event, LeadCallAttempted):
            yield from event.call_attempts
