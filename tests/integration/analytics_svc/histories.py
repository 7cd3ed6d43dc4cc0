"""Random histories of two companies: events of everything that a figure depends on."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, TypeVar, get_args

from hypothesis import strategies as st

from shared.events.campaigns import (
    CampaignCreated,
    CampaignDeleted,
    CampaignEvent,
    CampaignStatus,
    CampaignStatusChanged,
    CampaignUpdated,
)
from shared.events.envelope import EventData
from shared.events.leads import (
    Assignment,
    CallAttempt,
    Conversion,
    Lead,
    LeadAssigned,
    LeadCallAttempted,
    LeadConverted,
    LeadCreated,
    LeadDeleted,
    LeadScheduled,
    LeadStatus,
    LeadStatusChanged,
    LeadUpdated,
    QualityReport,
    Scheduling,
    StatusChange,
)
from shared.events.members import MemberDeleted, MemberEvent, MemberUpdated
from tests.fixtures.events import call, campaign, lead, member

T = TypeVar("T")

COMPANIES = (1, 2)
CAMPAIGNS = (1, 2, 3, 4)
UNKNOWN_CAMPAIGN_ID = 99
"""A campaign of company 1 whose own events never arrive."""
UNKNOWN_LEAD_IDS = 9900
"""First id of leads whose own events never arrive."""
STATUSES: tuple[CampaignStatus, ...] = get_args(CampaignStatus)
LEAD_STATUSES: tuple[LeadStatus, ...] = get_args(LeadStatus)
ZONES = ("UTC", "America/New_York", "Asia/Kolkata", "Europe/Berlin")
DAYS = (
    # Around the days on which clocks in Berlin change, and on which an ISO 8601 year begins before the calendar's.
    *(date(2024, 3, 30), date(2024, 3, 31), date(2024, 4, 1)),
    *(date(2024, 10, 26), date(2024, 10, 27), date(2024, 10, 28)),
    *(date(2024, 12, 29), date(2024, 12, 30), date(2025, 1, 1)),
)
WEEK = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
WORDS = ("pricing", "features", "interested", "contract", "vendor", "renewal", "discount", "training", "upgrade")
BESIDE_WORDS = ("the", "and", "with", "this", "2024", "15", "ok", "anna@example.com", "https://example.com/pricing")

times_of_day = (
    st.sampled_from(
        [
            *(time(0), time(0, 0, 0, 1), time(9, 30), time(9, 59, 59), time(23, 59, 59, 999_999)),
            # When a day ends in New York, in Kolkata and in Berlin, and when its clocks change.
            *(time(4), time(5), time(18, 30), time(22), time(23), time(0, 59, 59, 999_999), time(1)),
        ]
    )
    | st.times()
)
times = st.builds(lambda day, of_day: datetime.combine(day, of_day, UTC), st.sampled_from(DAYS), times_of_day)
money = st.decimals(0, 1000, places=2)
amounts = st.none() | money
people = st.none() | st.integers(1, 4)
hours = st.sampled_from(["00:00:00", "06:00:00", "09:00:00", "09:30:00", "17:00:00", "22:00:00", "23:59:59"])
texts = st.none() | st.lists(st.sampled_from(WORDS + BESIDE_WORDS), max_size=6).map(
    lambda words: ", ".join(words).capitalize() + "."
)
marks = st.none() | st.sampled_from([0, 33.3, 50, 66.6, 87.5, 99.9, 100])
answers = st.none() | st.booleans()

quality_reports = st.builds(
    QualityReport,
    accuracy=marks,
    clarity=marks,
    engagement=marks,
    adherence_to_script=marks,
    sentiment_score=st.none() | st.sampled_from([-10, -2.5, 0, 0.1, 7.8]),
    customer_satisfaction=st.none() | st.sampled_from([0, 2.5, 4.2, 5]),
    response_time_seconds=st.none() | st.sampled_from([0, 0.05, 1.2, 8.45, 30]),
    regulatory_compliance=answers,
    data_protection=answers,
    issues=st.lists(st.sampled_from(["interruption", "long_silence", "script_deviation"]), max_size=4),
)
campaign_states = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["Survey", "Renewals", "Reactivation"]),
        "status": st.sampled_from(STATUSES),
        "priority": st.sampled_from(["low", "medium", "high"]),
        "budget": amounts,
        "cost_per_call": amounts,
        "calling_hours": st.tuples(hours, hours).filter(lambda both: both[0] != both[1]),
        "time_zone": st.sampled_from(ZONES),
        "working_days": st.lists(st.sampled_from(WEEK), min_size=1, unique=True),
        "team_members": st.lists(st.integers(1, 4), max_size=3, unique=True),
    }
)
lead_states = st.fixed_dictionaries(
    {
        "first_name": st.sampled_from(["Jane", "John", None]),
        "email": st.sampled_from(["jane@example.com", None]),
        "source": st.sampled_from(["Fair", "Partner", "Website", None]),
        "lead_score": st.none() | st.sampled_from([0, 39, 40, 59, 60, 79, 80, 100]) | st.integers(0, 100),
        "interest_level": st.sampled_from(["low", "medium", "high", None]),
        "priority": st.integers(1, 5),
    }
)


@st.composite
def campaign_histories(draw: st.DrawFn, campaign_id: int) -> list[CampaignEvent]:
    """Draw the events of a campaign: created, changed a few times, perhaps deleted."""
    company_id = draw(st.sampled_from(COMPANIES))
    moments = sorted(draw(st.lists(times, min_size=1, max_size=4)))
    deleted = draw(st.booleans())
    events: list[CampaignEvent] = []
    values: dict[str, Any] = {}
    for version, moment in enumerate(moments, 1):
        drawn = draw(campaign_states)
        changed = draw(st.sets(st.sampled_from(sorted(drawn)))) if values else drawn.keys()
        values |= {name: drawn[name] for name in changed}
        begin, end = values["calling_hours"]
        state = campaign(
            campaign_id,
            version=version,
            company_id=company_id,
            **{name: value for name, value in values.items() if name != "calling_hours"},
            calling_hours_start=begin,
            calling_hours_end=end,
            created_at=moments[0],
            updated_at=moment,
        )
        if version == 1:
            events.append(CampaignCreated(campaign=state))
        elif deleted and version == len(moments):
            events.append(CampaignDeleted(campaign=state))
        elif changed == {"status"}:
            events.append(CampaignStatusChanged(campaign=state, previous_status="draft"))
        else:
            events.append(CampaignUpdated(campaign=state))
    return events


@st.composite
def member_histories(draw: st.DrawFn, company_id: int, member_id: int) -> list[MemberEvent]:
    """Draw the events of a member: perhaps named, renamed, removed from the directory and added again."""
    events: list[MemberEvent] = []
    for version, moment in enumerate(sorted(draw(st.lists(times, max_size=3))), 1):
        name = draw(st.sampled_from(["Jane Roe", "John Smith", "José Ortega"]))
        state = member(member_id, company_id=company_id, version=version, name=name, updated_at=moment)
        leaves = bool(events) and isinstance(events[-1], MemberUpdated) and draw(st.booleans())
        events.append(MemberDeleted(member=state) if leaves else MemberUpdated(member=state))
    return events


@dataclass(frozen=True, slots=True)
class LeadChange:
    """A step of a lead from one version to the next."""

    kind: str
    before: Lead
    after: Lead
    conversion_value: Decimal | None = None
    converted_at: datetime | None = None
    """When the lead was first converted; another conversion changes only the value."""


CHANGES = ("updated", "status changed", "assigned", "scheduled", "converted", "changed at once")


def _events_of(change: LeadChange) -> Iterator[EventData]:
    """Return the events of a step: as a rule one, several where several things changed."""
    after = change.after.model_dump()
    if change.after.status != change.before.status:
        yield LeadStatusChanged(leads=[StatusChange(**after, previous_status=change.before.status)])
    elif change.kind == "status changed":
        yield LeadUpdated(leads=[change.after])
    if change.kind in {"updated", "changed at once"}:
        yield LeadUpdated(leads=[change.after])
    if change.after.assigned_to != change.before.assigned_to:
        yield LeadAssigned(leads=[Assignment(**after, previous_assigned_to=change.before.assigned_to)])
    if change.kind == "scheduled":
        yield LeadScheduled(leads=[Scheduling(**after, next_contact_date=change.after.updated_at + timedelta(days=1))])
    if change.conversion_value is not None and change.converted_at is not None:
        of_conversion = {"conversion_value": change.conversion_value, "converted_at": change.converted_at}
        yield LeadConverted(leads=[Conversion(**after, **of_conversion)])
    if change.kind == "deleted":
        yield LeadDeleted(leads=[change.after])


@st.composite
def lead_histories(draw: st.DrawFn, lead_id: int, campaign_id: int, company_id: int) -> list[LeadChange]:
    """Draw the steps of a lead: created, changed in every way there is, perhaps deleted."""
    moments = sorted(draw(st.lists(times, min_size=1, max_size=5)))
    deleted = draw(st.booleans())
    first = lead(
        lead_id,
        campaign_id=campaign_id,
        company_id=company_id,
        status=draw(st.sampled_from(LEAD_STATUSES)),
        assigned_to=draw(people),
        created_at=moments[0],
        updated_at=moments[0],
        **draw(lead_states),
    )
    changes = [LeadChange("created", first, first)]
    converted_at: datetime | None = None
    for version, moment in enumerate(moments[1:], 2):
        before = changes[-1].after
        kind = "deleted" if deleted and version == len(moments) else draw(st.sampled_from(CHANGES))
        new: dict[str, Any] = {"version": version, "updated_at": moment}
        if kind in {"updated", "changed at once"}:
            new |= draw(lead_states)
        if kind in {"status changed", "changed at once"}:
            new["status"] = draw(st.sampled_from(LEAD_STATUSES))
        if kind in {"assigned", "changed at once"}:
            others = [agent for agent in (None, 1, 2, 3, 4) if agent != before.assigned_to]
            new["assigned_to"] = draw(st.sampled_from(others))
        if kind == "scheduled":
            new["status"] = "scheduled"
        after = before.model_copy(update=new)
        if kind == "converted":
            converted_at = converted_at or moment
            after = after.model_copy(update={"status": "completed"})
            changes.append(LeadChange(kind, before, after, draw(money), converted_at))
        else:
            changes.append(LeadChange(kind, before, after))
    return changes


@dataclass(frozen=True, slots=True)
class Called:
    """A lead that is called."""

    lead_id: int
    campaign_id: int
    company_id: int


@st.composite
def calls(draw: st.DrawFn, call_id: int, called: Sequence[Called]) -> CallAttempt:
    """Draw a call to one of these leads."""
    to = draw(st.sampled_from(called))
    return call(
        call_id,
        lead_id=to.lead_id,
        campaign_id=to.campaign_id,
        company_id=to.company_id,
        started_at=draw(times),
        duration=draw(st.integers(0, 7200)),
        successful=draw(st.booleans()),
        agent_id=draw(people),
        cost=draw(amounts),
        notes=draw(texts),
        transcript=draw(texts),
        keywords=draw(st.lists(st.sampled_from([*WORDS, "Vendor contract"]), max_size=3)),
        quality=draw(st.none() | quality_reports),
    )


@st.composite
def histories(draw: st.DrawFn) -> list[EventData]:
    """Draw the events of campaigns, members, leads and calls, in order for each of them.

    Sometimes with many leads, without which some figures are null.
    """
    campaigns = [event for number in CAMPAIGNS for event in draw(campaign_histories(number))]
    owners = {event.campaign.id: event.campaign.company_id for event in campaigns} | {UNKNOWN_CAMPAIGN_ID: COMPANIES[0]}
    members = [event for company in COMPANIES for number in (1, 2) for event in draw(member_histories(company, number))]
    changes: list[LeadChange] = []
    called = [
        Called(UNKNOWN_LEAD_IDS + campaign_id, campaign_id, owners[campaign_id])
        for campaign_id in (CAMPAIGNS[0], UNKNOWN_CAMPAIGN_ID)
    ]
    for lead_id in range(1, draw(st.integers(0, 8)) + 1):
        campaign_id = draw(st.sampled_from(sorted(owners)))
        changes += draw(lead_histories(lead_id, campaign_id, owners[campaign_id]))
        called.append(Called(lead_id, campaign_id, owners[campaign_id]))
    attempts = [draw(calls(call_id, called)) for call_id in range(1, draw(st.integers(0, 14)) + 1)]
    return [
        *campaigns,
        *members,
        *_created(draw, [change.after for change in changes if change.kind == "created"]),
        *(event for change in changes if change.kind != "created" for event in _events_of(change)),
        *(
            LeadCallAttempted(call_attempts=part)
            for campaign_id in sorted(owners)
            for part in _parts(draw, [attempt for attempt in attempts if attempt.campaign_id == campaign_id])
        ),
        *_crowd(draw, owners),
    ]


def _created(draw: st.DrawFn, leads: Sequence[Lead]) -> Iterator[LeadCreated]:
    for campaign_id in sorted({one.campaign_id for one in leads}):
        for part in _parts(draw, [one for one in leads if one.campaign_id == campaign_id]):
            yield LeadCreated(leads=part)


def _crowd(draw: st.DrawFn, owners: dict[int, int]) -> list[EventData]:
    size = draw(st.sampled_from([0, 0, 29, 30, 75, 120]))
    if not size:
        return []
    campaign_id = draw(st.sampled_from(sorted(owners)))
    start = datetime.combine(draw(st.sampled_from(DAYS)), time(20), UTC)
    return crowd(draw(st.integers(0, 2**16)), size, start, campaign_id=campaign_id, company_id=owners[campaign_id])


def crowd(seed: int, size: int, start: datetime, *, campaign_id: int, company_id: int) -> list[EventData]:
    """Draw many leads, created and called within hours. Those with an address and a good score convert more often."""
    chance = random.Random(seed)
    ids = {"campaign_id": campaign_id, "company_id": company_id}
    with_address = chance.choice([0.5, 0.95])
    created: list[Lead] = []
    called: list[CallAttempt] = []
    converted: list[Conversion] = []
    for lead_id in range(1000, 1000 + size):
        moment = start + timedelta(minutes=chance.randrange(600))
        one = lead(
            lead_id,
            email="jane@example.com" if chance.random() < with_address else None,
            source=chance.choice(["Fair", "Website", None]),
            lead_score=chance.choice([None, *range(0, 101, 5)]),
            interest_level=chance.choice(["low", "medium", "high", None]),
            priority=chance.randint(1, 5),
            assigned_to=chance.choice([1, 2, None]),
            created_at=moment,
            updated_at=moment,
            **ids,
        )
        created.append(one)
        for number in range(chance.choice([0, 1, 1, 3])):
            started_at = moment + timedelta(seconds=chance.randrange(20_000))
            called.append(call(10 * lead_id + number, lead_id=lead_id, started_at=started_at, cost="0.50", **ids))
        likely = (one.lead_score or 0) / 100 - (0 if one.email else 0.3)
        if chance.random() < likely:
            at = moment + timedelta(hours=12)
            after = one.model_dump() | {"version": 2, "status": "completed", "updated_at": at}
            converted.append(
                Conversion(**after, conversion_value=Decimal(chance.randrange(10_000)) / 100, converted_at=at)
            )
    return [
        LeadCreated(leads=created),
        *([LeadCallAttempted(call_attempts=called)] if called else []),
        *([LeadConverted(leads=converted)] if converted else []),
    ]


def _parts(draw: st.DrawFn, things: Sequence[T]) -> list[Sequence[T]]:
    """Split into lists of one to four."""
    parts = []
    start = 0
    while start < len(things):
        size = draw(st.integers(1, 4))
        parts.append(things[start : start + size])
        start += size
    return parts


@st.composite
def disorders(draw: st.DrawFn, events: Sequence[EventData]) -> list[list[EventData]]:
    """Draw the same events as batches: in any order, some of them repeated."""
    shuffled = draw(st.permutations([*events, *draw(st.lists(st.sampled_from(events), max_size=5))]))
    return [list(part) for part in _parts(draw, shuffled)]
