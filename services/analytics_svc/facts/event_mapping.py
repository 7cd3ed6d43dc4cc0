"""Maps a batch of events to facts: the newest version of each entity, once."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from decimal import ROUND_HALF_UP, Decimal
from typing import Final, TypeAlias, TypeVar

import structlog

from shared.events.campaigns import CampaignDeleted, CampaignEvent
from shared.events.catalogue import CATALOGUE
from shared.events.envelope import Envelope
from shared.events.leads import (
    CallAttempt,
    Lead,
    LeadAssigned,
    LeadCallAttempted,
    LeadConverted,
    LeadCreated,
    LeadDeleted,
    LeadScheduled,
    LeadStatusChanged,
    LeadUpdated,
    QualityReport,
)
from shared.events.members import MemberDeleted, MemberEvent

LeadEvent: TypeAlias = (
    LeadCreated | LeadUpdated | LeadStatusChanged | LeadAssigned | LeadScheduled | LeadConverted | LeadDeleted
)
"""The events that have leads in their state after the change."""
BEGINNING: Final = datetime.min.replace(tzinfo=UTC)
"""A campaign's first terms apply from here on, so that a call reported with an earlier start has terms too."""
_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MAX_RESPONSE: Final = 10**9
"""Seconds; a longer response time is stored as this one, because sums of it must fit into a bigint."""

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class CampaignFact:
    """A campaign, as of one version."""

    id: int
    version: int
    company_id: int
    name: str
    status: str
    priority: str
    budget: Decimal | None
    cost_per_call: Decimal | None
    team_members: list[int]
    deleted: bool


@dataclass(frozen=True, slots=True)
class Terms:
    """Price, calling hours and working days that one version of a campaign sets for its calls, from a moment on."""

    campaign_id: int
    version: int
    since: datetime
    cost_per_call: Decimal | None
    calling_hours_start: time
    calling_hours_end: time
    time_zone: str
    working_days: list[int]
    """ISO: Monday is 1."""


@dataclass(frozen=True, slots=True)
class LeadFact:
    """A lead, as of one version."""

    id: int
    version: int
    company_id: int
    campaign_id: int
    status: str
    priority: int
    source: str | None
    lead_score: int | None
    interest_level: str | None
    assigned_to: int | None
    has_email: bool
    has_first_name: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Assignment:
    """The assignment of a lead to an agent, or the removal of its agent, by one version of the lead."""

    lead_id: int
    version: int
    at: datetime


@dataclass(frozen=True, slots=True)
class ConversionFact:
    """The conversion of a lead, as of one version of the lead."""

    lead_id: int
    version: int
    conversion_value: Decimal
    converted_at: datetime


@dataclass(frozen=True, slots=True)
class CallFact:
    """A call attempt, as it was reported; scores are in thousandths."""

    id: int
    company_id: int
    campaign_id: int
    lead_id: int
    agent_id: int | None
    started_at: datetime
    duration: int
    """Seconds."""
    successful: bool
    reported_cost: Decimal | None
    reported: bool
    """Whether the call has a quality report."""
    accuracy: int | None
    clarity: int | None
    engagement: int | None
    adherence: int | None
    sentiment: int | None
    satisfaction: int | None
    response: int | None
    score: int | None
    regulatory: bool | None
    data_protection: bool | None
    issues: list[str]
    """Each kind of issue once."""
    text: str
    """Notes, transcript and keywords, from which words are counted."""


@dataclass(frozen=True, slots=True)
class MemberFact:
    """A member of a company, as of one version."""

    company_id: int
    id: int
    version: int
    name: str
    deleted: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts of a batch: unique by id, or by id and version where each version is a fact."""

    companies: set[int] = field(default_factory=set)
    """The companies whose facts the batch changes."""
    campaigns: dict[int, CampaignFact] = field(default_factory=dict)
    terms: dict[tuple[int, int], Terms] = field(default_factory=dict)
    leads: dict[int, LeadFact] = field(default_factory=dict)
    deleted_leads: set[int] = field(default_factory=set)
    assignments: dict[tuple[int, int], Assignment] = field(default_factory=dict)
    conversions: dict[int, ConversionFact] = field(default_factory=dict)
    calls: dict[int, CallFact] = field(default_factory=dict)
    members: dict[tuple[int, int], MemberFact] = field(default_factory=dict)


def map_events(events: Iterable[Envelope]) -> Facts:
    """Map events to facts; of several versions of one entity the newest counts.

    Event types that no report is computed from are ignored.

    Raises
    ------
    pydantic.ValidationError
        If the data of an event is not of its type's schema.
    """
    facts = Facts()
    for event in events:
        event_type = CATALOGUE.get(event.type)
        if event_type is None:
            # A producer newer than this consumer; a rebuild from the history makes up for it.
            logger.warning("event_type_unknown", type=event.type, event_id=str(event.id))
            continue
        if issubclass(event_type, CampaignEvent):
            _add_campaign(facts, event_type.model_validate(event.data))
        elif issubclass(event_type, LeadEvent):
            _add_leads(facts, event_type.model_validate(event.data))
        elif issubclass(event_type, LeadCallAttempted):
            _add_calls(facts, event_type.model_validate(event.data))
        elif issubclass(event_type, MemberEvent):
            _add_member(facts, event_type.model_validate(event.data))
    return facts


def _add_campaign(facts: Facts, data: CampaignEvent) -> None:
    campaign = data.campaign
    facts.companies.add(campaign.company_id)
    fact = CampaignFact(
        id=campaign.id,
        version=campaign.version,
        company_id=campaign.company_id,
        name=campaign.name,
        status=campaign.status,
        priority=campaign.priority,
        budget=campaign.budget,
        cost_per_call=campaign.cost_per_call,
        team_members=campaign.team_members,
        deleted=isinstance(data, CampaignDeleted),
    )
    _add_if_newer(facts.campaigns, campaign.id, fact)
    facts.terms[campaign.id, campaign.version] = Terms(
        campaign_id=campaign.id,
        version=campaign.version,
        since=BEGINNING if campaign.version == 1 else campaign.updated_at,
        cost_per_call=campaign.cost_per_call,
        calling_hours_start=time.fromisoformat(campaign.calling_hours_start),
        calling_hours_end=time.fromisoformat(campaign.calling_hours_end),
        time_zone=campaign.time_zone,
        working_days=[_DAYS.index(day) + 1 for day in campaign.working_days],
    )


def _add_leads(facts: Facts, data: LeadEvent) -> None:
    for lead in data.leads:
        facts.companies.add(lead.company_id)
        _add_if_newer(facts.leads, lead.id, _lead(lead))
    if isinstance(data, LeadDeleted):
        facts.deleted_leads.update(lead.id for lead in data.leads)
    if isinstance(data, LeadAssigned):
        for lead in data.leads:
            facts.assignments[lead.id, lead.version] = Assignment(lead.id, lead.version, lead.updated_at)
    elif isinstance(data, LeadConverted):
        for lead in data.leads:
            conversion = ConversionFact(lead.id, lead.version, lead.conversion_value, lead.converted_at)
            _add_if_newer(facts.conversions, lead.id, conversion)


def _add_calls(facts: Facts, data: LeadCallAttempted) -> None:
    for attempt in data.call_attempts:
        facts.companies.add(attempt.company_id)
        facts.calls[attempt.id] = _call(attempt)


def _add_member(facts: Facts, data: MemberEvent) -> None:
    member = data.member
    facts.companies.add(member.company_id)
    fact = MemberFact(
        company_id=member.company_id,
        id=member.id,
        version=member.version,
        name=member.name,
        deleted=isinstance(data, MemberDeleted),
    )
    _add_if_newer(facts.members, (member.company_id, member.id), fact)


K = TypeVar("K")
V = TypeVar("V", CampaignFact, LeadFact, ConversionFact, MemberFact)


def _add_if_newer(facts: dict[K, V], key: K, fact: V) -> None:
    present = facts.get(key)
    if present is None or present.version < fact.version:
        facts[key] = fact


def _lead(lead: Lead) -> LeadFact:
    return LeadFact(
        id=lead.id,
        version=lead.version,
        company_id=lead.company_id,
        campaign_id=lead.campaign_id,
        status=lead.status,
        priority=lead.priority,
        source=lead.source,
        lead_score=lead.lead_score,
        interest_level=lead.interest_level,
        assigned_to=lead.assigned_to,
        has_email=bool(lead.email),
        has_first_name=bool(lead.first_name),
        created_at=lead.created_at,
    )


def _call(attempt: CallAttempt) -> CallFact:
    quality = attempt.quality or QualityReport()
    ratings = (quality.accuracy, quality.clarity, quality.engagement, quality.adherence_to_script)
    scores = [score for score in ratings if score is not None]
    response = quality.response_time_seconds
    return CallFact(
        id=attempt.id,
        company_id=attempt.company_id,
        campaign_id=attempt.campaign_id,
        lead_id=attempt.lead_id,
        agent_id=attempt.agent_id,
        started_at=attempt.started_at,
        duration=attempt.duration,
        successful=attempt.successful,
        reported_cost=attempt.cost,
        reported=attempt.quality is not None,
        accuracy=_thousandths(quality.accuracy),
        clarity=_thousandths(quality.clarity),
        engagement=_thousandths(quality.engagement),
        adherence=_thousandths(quality.adherence_to_script),
        sentiment=_thousandths(quality.sentiment_score),
        satisfaction=_thousandths(quality.customer_satisfaction),
        response=_thousandths(None if response is None else min(response, _MAX_RESPONSE)),
        score=_thousandths(sum(map(_exact, scores)) / len(scores) if scores else None),
        regulatory=quality.regulatory_compliance,
        data_protection=quality.data_protection,
        issues=sorted(set(quality.issues)),
        text=" ".join(filter(None, (attempt.notes, attempt.transcript, *attempt.keywords))),
    )


def _thousandths(value: float | Decimal | None) -> int | None:
    return None if value is None else int((1000 * _exact(value)).quantize(Decimal(1), ROUND_HALF_UP))


def _exact(value: float | Decimal) -> Decimal:
    """Return the number as it is written in the event, not the binary fraction nearest to it."""
    return value if isinstance(value, Decimal) else Decimal(str(value))
