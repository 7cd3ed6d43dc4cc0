"""From events to facts."""

from datetime import timedelta
from decimal import Decimal

from services.analytics_svc.facts.collecting import BEGINNING, Facts, Price, collect
from shared.events.campaigns import CampaignCreated, CampaignDeleted, CampaignUpdated
from shared.events.leads import LeadCallAttempted, LeadCreated
from tests.fixtures.events import NOON, call, campaign, lead, received


def test_each_thing_is_there_once_in_its_newest_version_and_in_the_order_of_ids() -> None:
    facts = collect(
        received(
            LeadCreated(leads=[lead(3), lead(1, version=2), lead(2)]),
            LeadCreated(leads=[lead(1, version=1), lead(3, version=2)]),
            LeadCallAttempted(call_attempts=[call(2), call(1), call(2)]),
            CampaignUpdated(campaign=campaign(2, version=2)),
            CampaignCreated(campaign=campaign(2)),
            CampaignCreated(campaign=campaign(1)),
        )
    )
    assert [(fact.id, fact.version) for fact in facts.leads] == [(1, 2), (2, 1), (3, 2)]
    assert [(fact.id, fact.version) for fact in facts.campaigns] == [(1, 1), (2, 2)]
    assert [fact.id for fact in facts.calls] == [1, 2]


def test_every_version_of_a_campaign_has_its_price_and_the_first_one_holds_from_the_beginning() -> None:
    facts = collect(
        received(
            CampaignUpdated(campaign=campaign(1, version=2, cost_per_call=2, updated_at=NOON + timedelta(hours=1))),
            CampaignCreated(campaign=campaign(1, cost_per_call=1)),
        )
    )
    assert facts.prices == [
        Price(campaign_id=1, version=1, since=BEGINNING, cost_per_call=Decimal(1)),
        Price(campaign_id=1, version=2, since=NOON + timedelta(hours=1), cost_per_call=Decimal(2)),
    ]


def test_only_the_event_of_a_deletion_says_deleted() -> None:
    facts = collect(received(CampaignCreated(campaign=campaign(1)), CampaignDeleted(campaign=campaign(2, version=2))))
    assert [(fact.id, fact.deleted) for fact in facts.campaigns] == [(1, False), (2, True)]


def test_nothing_comes_of_nothing() -> None:
    assert collect([]) == Facts(campaigns=[], prices=[], leads=[], calls=[])
