"""From events to sums: what a batch of events adds to the totals of campaigns."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from shared.events.envelope import Envelope
from shared.events.leads import LeadCallAttempted, LeadCreated, LeadDeleted

QUARTER: Final = timedelta(minutes=15)
"""Every time zone's day begins on a quarter of an hour."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class Sums:
    """What comes to a campaign; less than 0 where leads went."""

    leads: int = 0
    calls: int = 0
    successful_calls: int = 0


@dataclass
class Additions:
    """What comes to all campaigns together."""

    totals: defaultdict[int, Sums] = field(default_factory=lambda: defaultdict(Sums))
    """By campaign."""
    calls: defaultdict[tuple[int, datetime], int] = field(default_factory=lambda: defaultdict(int))
    """By campaign and the quarter of an hour in which they started."""


def collect(events: Iterable[Envelope]) -> Additions:
    """Add up events. Types that say nothing of totals are passed over.

    Raises
    ------
    pydantic.ValidationError
        If the data of an event is not what its type promises.
    """
    additions = Additions()
    for event in events:
        if event.type == LeadCreated.event_type:
            for lead in LeadCreated.model_validate(event.data).leads:
                additions.totals[lead.campaign_id].leads += 1
        elif event.type == LeadDeleted.event_type:
            for lead in LeadDeleted.model_validate(event.data).leads:
                additions.totals[lead.campaign_id].leads -= 1
        elif event.type == LeadCallAttempted.event_type:
            for attempt in LeadCallAttempted.model_validate(event.data).call_attempts:
                sums = additions.totals[attempt.campaign_id]
                sums.calls += 1
                sums.successful_calls += attempt.successful
                additions.calls[attempt.campaign_id, quarter_of(attempt.started_at)] += 1
    return additions


def quarter_of(moment: datetime) -> datetime:
    """The quarter of an hour in which a moment falls: its first moment, in UTC."""
    return _EPOCH + (moment - _EPOCH) // QUARTER * QUARTER
