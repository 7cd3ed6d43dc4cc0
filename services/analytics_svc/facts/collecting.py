"""From events to facts: what a batch of events says, each thing once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

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
    LeadScheduled,
    LeadStatusChanged,
    LeadUpdated,
)

LEAD_KINDS = (LeadCreated, LeadUpdated, LeadStatusChanged, LeadAssigned, LeadScheduled, LeadConverted)
"""Events that tell leads as they are now."""
BEGINNING = datetime.min.replace(tzinfo=UTC)
"""A campaign's first price holds from here on, so that a call reported with an earlier start has a price too."""

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
    created_at: datetime
    deleted: bool


@dataclass(frozen=True, slots=True)
class Price:
    """What a call costs by one version of a campaign, from a time on."""

    campaign_id: int
    version: int
    since: datetime
    cost_per_call: Decimal | None


@dataclass(frozen=True, slots=True)
class CallFact:
    """A call as it was reported."""

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


@dataclass(frozen=True, slots=True)
class Facts:
    """What a batch says: no two of one thing, each list in the order of ids.

    The order is the same in every batch, so that two writers of overlapping batches cannot wait for each other.
    """

    campaigns: Sequence[CampaignFact]
    prices: Sequence[Price]
    leads: Sequence[Lead]
    calls: Sequence[CallFact]


def collect(events: Iterable[Envelope]) -> Facts:
    """Read events into facts; of several versions of one thing the newest is kept, of prices every one.

    Types that tell nothing reports are made of are passed over.

    Raises
    ------
    pydantic.ValidationError
        If the data of an event is not what its type promises.
    """
    campaigns: dict[int, CampaignFact] = {}
    prices: dict[tuple[int, int], Price] = {}
    leads: dict[int, Lead] = {}
    calls: dict[int, CallFact] = {}
    for event in events:
        kind = CATALOGUE.get(event.type)
        if kind is None:
            # A producer newer than this consumer; a rebuild from the history makes up for it.
            logger.warning("event_type_unknown", type=event.type, event_id=str(event.id))
        elif issubclass(kind, CampaignEvent):
            campaign, price = _campaign(kind.model_validate(event.data), deleted=kind is CampaignDeleted)
            prices[price.campaign_id, price.version] = price
            if campaign.id not in campaigns or campaigns[campaign.id].version < campaign.version:
                campaigns[campaign.id] = campaign
        elif issubclass(kind, LEAD_KINDS):
            for lead in kind.model_validate(event.data).leads:
                if lead.id not in leads or leads[lead.id].version < lead.version:
                    leads[lead.id] = lead
        elif kind is LeadCallAttempted:
            calls.update((call.id, _call(call)) for call in LeadCallAttempted.model_validate(event.data).call_attempts)
    return Facts(
        campaigns=[campaigns[key] for key in sorted(campaigns)],
        prices=[prices[key] for key in sorted(prices)],
        leads=[leads[key] for key in sorted(leads)],
        calls=[calls[key] for key in sorted(calls)],
    )


def _campaign(data: CampaignEvent, *, deleted: bool) -> tuple[CampaignFact, Price]:
    campaign = data.campaign
    fact = CampaignFact(
        id=campaign.id,
        version=campaign.version,
        company_id=campaign.company_id,
        name=campaign.name,
        status=campaign.status,
        priority=campaign.priority,
        budget=campaign.budget,
        cost_per_call=campaign.cost_per_call,
        created_at=campaign.created_at,
        deleted=deleted,
    )
    since = BEGINNING if campaign.version == 1 else campaign.updated_at
    return fact, Price(campaign.id, campaign.version, since, campaign.cost_per_call)


def _call(attempt: CallAttempt) -> CallFact:
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
    )
