"""Random histories of two companies."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TypeVar, get_args

from hypothesis import strategies as st

from shared.events.campaigns import (
    Campaign,
    CampaignCreated,
    CampaignDeleted,
    CampaignEvent,
    CampaignStatus,
    CampaignStatusChanged,
    CampaignUpdated,
)
from shared.events.envelope import EventData
from shared.events.leads import CallAttempt, Lead, LeadCallAttempted, LeadCreated
from tests.fixtures.events import call, campaign, lead

T = TypeVar("T")

FIRST_DAY = date(2024, 2, 27)
DAYS = 5  # over a leap day
COMPANIES = (1, 2)
NO_ONES_CAMPAIGN = 99
"""A campaign whose own events never come."""
STATUSES: tuple[CampaignStatus, ...] = get_args(CampaignStatus)

times = st.builds(
    lambda day, of_day: datetime.combine(FIRST_DAY + timedelta(days=day), of_day, UTC),
    st.integers(0, DAYS - 1),
    st.sampled_from([time(0), time(0, 0, 0, 1), time(9, 30), time(9, 59, 59), time(23, 59, 59, 999_999)]) | st.times(),
)
amounts = st.none() | st.decimals(0, 1000, places=2)


@st.composite
def campaign_histories(draw: st.DrawFn, campaign_id: int) -> list[CampaignEvent]:
    """One campaign: created, changed a few times, perhaps deleted."""
    company_id = draw(st.sampled_from(COMPANIES))
    moments = sorted(draw(st.lists(times, min_size=1, max_size=4)))
    deleted = draw(st.booleans())
    events: list[CampaignEvent] = []
    for version, moment in enumerate(moments, 1):
        state = campaign(
            campaign_id,
            version=version,
            company_id=company_id,
            status=draw(st.sampled_from(STATUSES)),
            priority=draw(st.sampled_from(["low", "medium", "high"])),
            budget=draw(amounts),
            cost_per_call=draw(amounts),
            created_at=moments[0],
            updated_at=moment,
        )
        events.append(_campaign_event(state, draw, last=deleted and version == len(moments)))
    return events


def _campaign_event(state: Campaign, draw: st.DrawFn, *, last: bool) -> CampaignEvent:
    if state.version == 1:
        return CampaignCreated(campaign=state)
    if last:
        return CampaignDeleted(campaign=state)
    if draw(st.booleans()):
        return CampaignStatusChanged(campaign=state, previous_status="draft")
    return CampaignUpdated(campaign=state)


@st.composite
def histories(draw: st.DrawFn) -> list[EventData]:
    """Campaigns, their leads and the calls to them, in the order things happened to each."""
    campaigns = [event for number in range(1, 4) for event in draw(campaign_histories(number))]
    owners = {event.campaign.id: event.campaign.company_id for event in campaigns} | {NO_ONES_CAMPAIGN: 1}
    of_campaign = st.sampled_from(sorted(owners))

    def lead_versions(lead_id: int) -> list[Lead]:
        campaign_id = draw(of_campaign)
        fixed: dict[str, Any] = {
            "campaign_id": campaign_id,
            "company_id": owners[campaign_id],
            "created_at": draw(times),
        }
        statuses = draw(st.lists(st.sampled_from(["pending", "scheduled", "failed"]), min_size=1, max_size=3))
        return [lead(lead_id, version=version, status=status, **fixed) for version, status in enumerate(statuses, 1)]

    def attempt(call_id: int) -> CallAttempt:
        campaign_id = draw(of_campaign)
        return call(
            call_id,
            campaign_id=campaign_id,
            company_id=owners[campaign_id],
            started_at=draw(times),
            duration=draw(st.integers(0, 7200)),
            successful=draw(st.booleans()),
            agent_id=draw(st.none() | st.integers(1, 3)),
            cost=draw(amounts),
        )

    leads = [version for lead_id in range(1, draw(st.integers(0, 6)) + 1) for version in lead_versions(lead_id)]
    calls = [attempt(call_id) for call_id in range(1, draw(st.integers(0, 12)) + 1)]
    return [
        *campaigns,
        *(LeadCreated(leads=part) for part in _parts(draw, leads)),
        *(LeadCallAttempted(call_attempts=part) for part in _parts(draw, calls)),
    ]


def _parts(draw: st.DrawFn, things: Sequence[T]) -> list[Sequence[T]]:
    """Cut into lists of one to four."""
    parts = []
    start = 0
    while start < len(things):
        size = draw(st.integers(1, 4))
        parts.append(things[start : start + size])
        start += size
    return parts


@st.composite
def disorders(draw: st.DrawFn, told: Sequence[EventData]) -> list[list[EventData]]:
    """The same events as batches: in any order, some of them several times."""
    shuffled = draw(st.permutations([*told, *draw(st.lists(st.sampled_from(told), max_size=5))]))
    return [list(part) for part in _parts(draw, shuffled)]
