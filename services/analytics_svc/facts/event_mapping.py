"""From events to facts: what a batch of events says, each thing once."""

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
"""What tells leads as they are at that time."""
BEGINNING: Final = datetime.min.replace(tzinfo=UTC)
"""A campaign's first terms hold from here on, so that a call reported with an earlier start has terms too."""
_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_LONGEST_RESPONSE: Final = 10**9
"""Seconds; a longer response time is taken for this one, as sums of it must fit."""

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class CampaignFact:
    """A campaign in one of its versions."""

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
    """What holds for calls by one version of a campaign, from a time on."""

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
    """A lead in one of its versions."""

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
    """A lead's going to an agent, or to none, by one version of the lead."""

    lead_id: int
    version: int
    at: datetime


@dataclass(frozen=True, slots=True)
class ConversionFact:
    """What a lead was converted for, by one version of the lead."""

    lead_id: int
    version: int
    conversion_value: Decimal
    converted_at: datetime


@dataclass(frozen=True, slots=True)
class CallFact:
    """A call as it was reported; scores in thousandths."""

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
    """Whether its quality was."""
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
    """Each kind once."""
    text: str
    """What was said, and said of it."""


@dataclass(frozen=True, slots=True)
class MemberFact:
    """A person in one of their versions."""

    company_id: int
    id: int
    version: int
    name: str
    deleted: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """What a batch says: no two of one thing, by their ids (and versions, where each version is a fact)."""

    companies: set[int] = field(default_factory=set)
    """Those whose facts these are."""
    campaigns: dict[int, CampaignFact] = field(default_factory=dict)
    terms: dict[tuple[int, int], Terms] = field(default_factory=dict)
    leads: dict[int, LeadFact] = field(default_factory=dict)
    deleted_leads: set[int] = field(default_factory=set)
    assignments: dict[tuple[int, int], Assignment] = field(default_factory=dict)
    conversions: dict[int, ConversionFact] = field(default_factory=dict)
    calls: dict[int, CallFact] = field(default_factory=dict)
    members: dict[tuple[int, int], MemberFact] = field(default_factory=dict)


def collect(events: Iterable[Envelope]) -> Facts:
    """Read events into facts; of several versions of one thing the newest is kept.

    Types that tell nothing reports are made of are passed over.

    Raises
    ------
    pydantic.ValidationError
        If the data of an event is not what its type promises.
    """
    facts = Facts()
    for event in events:
        kind = CATALOGUE.get(event.type)
        if kind is None:
            # A producer newer than this consumer; a rebuild from the history makes up for it.
            logger.warning("event_type_unknown", type=event.type, event_id=str(event.id))
            continue
        if issubclass(kind, CampaignEvent):
            _collect_campaign(facts, kind.model_validate(event.data))
        elif issubclass(kind, LeadEvent):
            _collect_leads(facts, kind.model_validate(event.data))
        elif issubclass(kind, LeadCallAttempted):
            _collect_calls(facts, kind.model_validate(event.data))
        elif issubclass(kind, MemberEvent):
            _collect_member(facts, kind.model_validate(event.data))
    return facts


def _collect_campaign(facts: Facts, data: CampaignEvent) -> None:
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
    _keep_newer(facts.campaigns, campaign.id, fact)
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


def _collect_leads(facts: Facts, data: LeadEvent) -> None:
    for lead in data.leads:
        facts.companies.add(lead.company_id)
        _keep_newer(facts.leads, lead.id, _lead(lead))
    if isinstance(data, LeadDeleted):
        facts.deleted_leads.update(lead.id for lead in data.leads)
    if isinstance(data, LeadAssigned):
        for lead in data.leads:
            facts.assignments[lead.id, lead.version] = Assignment(lead.id, lead.version, lead.updated_at)
    elif isinstance(data, LeadConverted):
        for lead in data.leads:
            conversion = ConversionFact(lead.id, lead.version, lead.conversion_value, lead.converted_at)
            _keep_newer(facts.conversions, lead.id, conversion)


def _collect_calls(facts: Facts, data: LeadCallAttempted) -> None:
    for attempt in data.call_attempts:
        facts.companies.add(attempt.company_id)
        facts.calls[attempt.id] = _call(attempt)


def _collect_member(facts: Facts, data: MemberEvent) -> None:
    member = data.member
    facts.companies.add(member.company_id)
    fact = MemberFact(
        company_id=member.company_id,
        id=member.id,
        version=member.version,
        name=member.name,
        deleted=isinstance(data, MemberDeleted),
    )
    _keep_newer(facts.members, (member.company_id, member.id), fact)


K = TypeVar("K")
V = TypeVar("V", CampaignFact, LeadFact, ConversionFact, MemberFact)


def _keep_newer(kept: dict[K, V], key: K, fact: V) -> None:
    known = kept.get(key)
    if known is None or known.version < fact.version:
        kept[key] = fact


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
    rated = (quality.accuracy, quality.clarity, quality.engagement, quality.adherence_to_script)
    scores = [score for score in rated if score is not None]
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
        response=_thousandths(None if response is None else min(response, _LONGEST_RESPONSE)),
        score=_thousandths(sum(map(_exact, scores)) / len(scores) if scores else None),
        regulatory=quality.regulatory_compliance,
        data_protection=quality.data_protection,
        issues=sorted(set(quality.issues)),
        text=" ".join(filter(None, (attempt.notes, attempt.transcript, *attempt.keywords))),
    )


def _thousandths(value: float | Decimal | None) -> int | None:
    return None if value is None else int((1000 * _exact(value)).quantize(Decimal(1), ROUND_HALF_UP))


def _exact(value: float | Decimal) -> Decimal:
    """The number as it was written in the event, not the binary fraction next to it."""
    return value if isinstance(value, Decimal) else Decimal(str(value))
