"""The sums that a batch of lead events adds to the totals of campaigns."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from shared.events.envelope import Envelope
from shared.events.leads import LeadCallAttempted, LeadCreated, LeadDeleted
from shared.ids import CampaignId

QUARTER: Final = timedelta(minutes=15)
"""Every time zone's day begins on a quarter of an hour."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class Sums:
    """What to add to one campaign; negative where leads were deleted."""

    leads: int = 0
    calls: int = 0
    successful_calls: int = 0


@dataclass
class Additions:
    """What to add to all campaigns."""

    totals: defaultdict[CampaignId, Sums] = field(default_factory=lambda: defaultdict(Sums))
    """By campaign."""
    calls: defaultdict[tuple[CampaignId, datetime], int] = field(default_factory=lambda: defaultdict(int))
    """By campaign and the quarter of an hour in which the calls started."""


def aggregate(events: Iterable[Envelope]) -> Additions:
    """Sum up events. Types that do not change totals are skipped.

    Raises
    ------
    pydantic.ValidationError
        If the data of an event does not match the schema of its type.
    """
    additions = Additions()
    for event in events:
        if event.type == LeadCreated.event_type:
            for lead in LeadCreated.model_validate(event.data).leads:
                additions.totals[CampaignId(lead.campaign_id)].leads += 1
        elif event.type == LeadDeleted.event_type:
            for lead in LeadDeleted.model_validate(event.data).leads:
                additions.totals[CampaignId(lead.campaign_id)].leads -= 1
        elif event.type == LeadCallAttempted.event_type:
            for attempt in LeadCallAttempted.model_validate(event.data).call_attempts:
                campaign_id = CampaignId(attempt.campaign_id)
                sums = additions.totals[campaign_id]
                sums.calls += 1
                sums.successful_calls += attempt.successful
                additions.calls[campaign_id, quarter_of(attempt.started_at)] += 1
    return additions


def quarter_of(moment: datetime) -> datetime:
    """Return the first moment, in UTC, of the quarter of an hour in which a moment falls."""
    return _EPOCH + (moment - _EPOCH) // QUARTER * QUARTER
