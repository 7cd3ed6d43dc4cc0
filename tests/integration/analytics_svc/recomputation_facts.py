"""The facts of a list of events and the rounding of figures, recomputed in the slowest and plainest way."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from math import floor
from zoneinfo import ZoneInfo

from shared.events.campaigns import Campaign, CampaignDeleted, CampaignEvent
from shared.events.envelope import EventData
from shared.events.leads import (
    CallAttempt,
    Conversion,
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

Number = int | Decimal | Fraction


@dataclass(frozen=True, slots=True)
class ReportRequest:
    """A request for a report. A report ignores the parameters that it does not have."""

    company_id: int
    first: date | None = None
    last: date | None = None
    campaign_ids: tuple[int, ...] | None = None
    status: str | None = None
    interval: str = "daily"
    time_zone: str = "UTC"

    def clock(self, moment: datetime) -> datetime:
        """Return the local time in the requested time zone."""
        return moment.astimezone(ZoneInfo(self.time_zone))

    def day(self, moment: datetime) -> date:
        """Return the local day."""
        return self.clock(moment).date()

    def spans(self, moment: datetime) -> bool:
        """Return whether a moment is within the requested days."""
        day = self.day(moment)
        return (self.first is None or day >= self.first) and (self.last is None or day <= self.last)

    def includes(self, campaign_id: int) -> bool:
        """Return whether a campaign is among the requested ones."""
        return self.campaign_ids is None or campaign_id in self.campaign_ids


@dataclass(frozen=True, slots=True)
class KnownCampaign:
    """A campaign in its current state."""

    now: Campaign
    deleted: bool


@dataclass(frozen=True, slots=True)
class KnownCall:
    """A call, with what follows from its campaign's terms and from its quality report."""

    attempt: CallAttempt
    cost: Decimal | None
    within_hours: bool | None
    score: Fraction | None
    compliant: bool | None

    @property
    def quality(self) -> QualityReport:
        """The quality report; an empty one for a call without."""
        return self.attempt.quality or QualityReport()


@dataclass(frozen=True, slots=True)
class KnownLead:
    """A lead in its current state, with its calls and its conversion."""

    now: Lead
    calls: int
    conversion: Conversion | None
    response_time: int | None

    @property
    def contacted(self) -> bool:
        """Whether the lead was called or is converted."""
        return self.calls > 0 or self.conversion is not None

    @property
    def qualified(self) -> bool:
        """Whether the lead is contacted, and converted or good."""
        good_score = self.now.lead_score is not None and self.now.lead_score >= 60
        return self.contacted and (self.conversion is not None or good_score or self.now.interest_level == "high")

    @property
    def promising(self) -> bool:
        """Whether the lead is qualified and may still convert."""
        is_open = self.now.status in {"pending", "in_progress", "scheduled"}
        return self.qualified and self.conversion is None and is_open


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts of a history, of all companies; without deleted leads."""

    campaigns: dict[int, KnownCampaign]
    calls: list[KnownCall]
    leads: list[KnownLead]
    names: dict[tuple[int, int], str]
    """The directory of members: names by company and member."""

    def campaigns_of(self, request: ReportRequest) -> list[Campaign]:
        """Return the requested campaigns that are not deleted, in the order of ids."""
        return [
            known.now
            for _, known in sorted(self.campaigns.items())
            if not known.deleted and known.now.company_id == request.company_id and request.includes(known.now.id)
        ]

    def calls_of(self, request: ReportRequest) -> list[KnownCall]:
        """Return the requested calls."""
        return [call for call in self.calls_of_all_days(request) if request.spans(call.attempt.started_at)]

    def calls_of_all_days(self, request: ReportRequest) -> list[KnownCall]:
        """Return the requested calls of all days."""
        return [
            call
            for call in self.calls
            if call.attempt.company_id == request.company_id and request.includes(call.attempt.campaign_id)
        ]

    def leads_of(self, request: ReportRequest) -> list[KnownLead]:
        """Return the requested leads."""
        return [lead for lead in self.leads_of_all_days(request) if request.spans(lead.now.created_at)]

    def leads_of_all_days(self, request: ReportRequest) -> list[KnownLead]:
        """Return the requested leads of all days."""
        return [
            lead
            for lead in self.leads
            if lead.now.company_id == request.company_id and request.includes(lead.now.campaign_id)
        ]

    def name_of_campaign(self, campaign_id: int) -> str | None:
        """Return the current name of a campaign, deleted or not."""
        known = self.campaigns.get(campaign_id)
        return None if known is None else known.now.name


def facts_of(events: Sequence[EventData]) -> Facts:
    """Compute the facts of a list of events, in any order and with repetitions."""
    attempts = list({call.id: call for call in _calls(events)}.values())
    versions = [event.campaign for event in events if isinstance(event, CampaignEvent)]
    deleted_campaigns = {event.campaign.id for event in events if isinstance(event, CampaignDeleted)}
    newest = {one.id: one for one in sorted(versions, key=lambda campaign: campaign.version)}
    return Facts(
        campaigns={number: KnownCampaign(now, number in deleted_campaigns) for number, now in newest.items()},
        calls=[_known_call(attempt, versions) for attempt in attempts],
        leads=list(_known_leads(events, attempts)),
        names=_names(events),
    )


def _calls(events: Sequence[EventData]) -> Iterator[CallAttempt]:
    for event in events:
        if isinstance(event, LeadCallAttempted):
            yield from event.call_attempts


def _names(events: Sequence[EventData]) -> dict[tuple[int, int], str]:
    of_members = [event for event in events if isinstance(event, MemberEvent)]
    of_members.sort(key=lambda event: event.member.version)
    newest = {(event.member.company_id, event.member.id): event for event in of_members}
    return {person: event.member.name for person, event in newest.items() if not isinstance(event, MemberDeleted)}


def _known_call(attempt: CallAttempt, versions: Sequence[Campaign]) -> KnownCall:
    terms = _terms(attempt, versions)
    cost = attempt.cost
    if cost is None and terms is not None:
        cost = terms.cost_per_call
    within_hours = None if terms is None else _is_within_hours(attempt.started_at, terms)
    quality = attempt.quality or QualityReport()
    exact = mean(reported_values((quality.accuracy, quality.clarity, quality.engagement, quality.adherence_to_script)))
    checks = (within_hours, quality.regulatory_compliance, quality.data_protection)
    return KnownCall(
        attempt=attempt,
        cost=cost,
        within_hours=within_hours,
        score=None if exact is None else to_decimals(exact, 3),
        compliant=None if all(check is None for check in checks) else False not in checks,
    )


def _terms(attempt: CallAttempt, versions: Sequence[Campaign]) -> Campaign | None:
    of_campaign = sorted(
        (campaign for campaign in versions if campaign.id == attempt.campaign_id), key=lambda campaign: campaign.version
    )
    in_force = of_campaign[0] if of_campaign else None
    for campaign in of_campaign:
        if campaign.updated_at <= attempt.started_at:
            in_force = campaign
    return in_force


def _is_within_hours(moment: datetime, terms: Campaign) -> bool:
    clock = moment.astimezone(ZoneInfo(terms.time_zone))
    begin, end = time.fromisoformat(terms.calling_hours_start), time.fromisoformat(terms.calling_hours_end)
    works_today = f"{clock:%A}" in terms.working_days
    works_yesterday = f"{clock.date() - timedelta(days=1):%A}" in terms.working_days
    if begin < end:
        return works_today and begin <= clock.time() < end
    return (works_today and clock.time() >= begin) or (works_yesterday and clock.time() < end)


def _known_leads(events: Sequence[EventData], attempts: Sequence[CallAttempt]) -> Iterator[KnownLead]:
    newest = {lead.id: lead for lead in sorted(_leads(events), key=lambda lead: lead.version)}
    deleted = {lead.id for event in events if isinstance(event, LeadDeleted) for lead in event.leads}
    assigned = [lead for event in events if isinstance(event, LeadAssigned) for lead in event.leads]
    converted = [lead for event in events if isinstance(event, LeadConverted) for lead in event.leads]
    for number, now in sorted(newest.items()):
        if number in deleted:
            continue
        starts = [attempt.started_at for attempt in attempts if attempt.lead_id == number]
        conversions = [lead for lead in converted if lead.id == number]
        yield KnownLead(
            now=now,
            calls=len(starts),
            conversion=max(conversions, key=lambda lead: lead.version, default=None),
            response_time=_response_time(now, starts, [lead.updated_at for lead in assigned if lead.id == number]),
        )


def _leads(events: Sequence[EventData]) -> Iterator[Lead]:
    for event in events:
        if isinstance(
            event,
            LeadCreated | LeadUpdated | LeadStatusChanged | LeadAssigned | LeadScheduled | LeadConverted | LeadDeleted,
        ):
            yield from event.leads


def _response_time(lead: Lead, starts: Sequence[datetime], assignments: Sequence[datetime]) -> int | None:
    if not starts:
        return None
    first_call = min(starts)
    since = max((moment for moment in assignments if moment <= first_call), default=lead.created_at)
    return max((first_call - since) // timedelta(seconds=1), 0)


def reported_values(values: Iterable[float | None]) -> list[Fraction]:
    """Return the reported numbers as they are stored: the present ones, to three decimals."""
    return [to_decimals(Fraction(str(value)), 3) for value in values if value is not None]


def mean(values: Sequence[Number]) -> Fraction | None:
    """Return the exact mean; None without values."""
    return ratio(sum((Fraction(value) for value in values), Fraction(0)), len(values)) if values else None


def ratio(part: Number, whole: Number) -> Fraction:
    """Return the exact quotient; 0 if the divisor is 0."""
    return Fraction(part) / Fraction(whole) if whole else Fraction(0)


def to_decimals(value: Number, places: int) -> Fraction:
    """Round to decimals, halves away from zero."""
    exact = Fraction(value)
    units = floor(abs(exact) * 10**places + Fraction(1, 2))
    return Fraction(units if exact >= 0 else -units, 10**places)


def rounded(value: Number, places: int) -> float:
    """Round to decimals, halves away from zero, as a JSON number."""
    return float(to_decimals(value, places))


def whole(value: Number) -> int:
    """Round to a whole number, halves away from zero."""
    return int(to_decimals(value, 0))


def percent(part: Number, whole: Number) -> float:
    """Return a rate in percent."""
    return rounded(100 * ratio(part, whole), 2)


def percent_known(values: Sequence[bool]) -> float | None:
    """Return the percentage of true values among known ones; None without any."""
    return percent(sum(values), len(values)) if values else None


def score(values: Sequence[Number]) -> float | None:
    """Return the mean of reported values, to two decimals; None without any."""
    exact = mean(values)
    return None if exact is None else rounded(exact, 2)


def money(value: Number) -> float:
    """Return an amount of money."""
    return rounded(value, 2)


def spent(calls: Iterable[KnownCall]) -> Decimal:
    """Return the sum of the known costs."""
    return sum((call.cost for call in calls if call.cost is not None), Decimal(0))
