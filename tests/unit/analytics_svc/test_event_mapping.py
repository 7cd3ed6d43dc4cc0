"""Events are mapped to facts."""

from datetime import time, timedelta
from decimal import Decimal

import pytest

from services.analytics_svc.facts.event_mapping import BEGINNING, Facts, map_events
from shared.events.campaigns import CampaignCreated, CampaignDeleted, CampaignUpdated
from shared.events.leads import Assignment as AssignedLead
from shared.events.leads import LeadAssigned, LeadCallAttempted, LeadCreated, LeadDeleted, QualityReport
from tests.fixtures.events import NOON, call, campaign, lead, received


def test_each_entity_is_mapped_once_in_its_newest_version() -> None:
    facts = map_events(
        received(
            LeadCreated(leads=[lead(3), lead(1, version=2), lead(2)]),
            LeadCreated(leads=[lead(1, version=1), lead(3, version=2)]),
            LeadCallAttempted(call_attempts=[call(2), call(1), call(2)]),
            CampaignUpdated(campaign=campaign(2, version=2)),
            CampaignCreated(campaign=campaign(2)),
            CampaignCreated(campaign=campaign(1)),
        )
    )
    assert {number: fact.version for number, fact in facts.leads.items()} == {1: 2, 2: 1, 3: 2}
    assert {number: fact.version for number, fact in facts.campaigns.items()} == {1: 1, 2: 2}
    assert facts.calls.keys() == {1, 2}
    assert facts.companies == {1}


def test_every_version_of_a_campaign_has_terms_and_the_first_apply_from_the_beginning() -> None:
    later = NOON + timedelta(hours=1)
    facts = map_events(
        received(
            CampaignUpdated(campaign=campaign(1, version=2, cost_per_call=2, updated_at=later)),
            CampaignCreated(campaign=campaign(1, cost_per_call=1, working_days=["Sunday", "Monday"])),
        )
    )
    first, second = facts.terms[1, 1], facts.terms[1, 2]
    assert (first.since, first.cost_per_call, first.working_days) == (BEGINNING, Decimal(1), [7, 1])
    assert (second.since, second.cost_per_call, second.calling_hours_end) == (later, Decimal(2), time(17))


def test_every_assignment_of_a_lead_is_a_fact() -> None:
    versions = [
        AssignedLead(**lead(1, version=version, assigned_to=version).model_dump(), previous_assigned_to=None)
        for version in (2, 3)
    ]
    facts = map_events(received(LeadAssigned(leads=versions)))
    assert facts.assignments.keys() == {(1, 2), (1, 3)}
    assert facts.leads[1].assigned_to == 3


def test_only_a_deletion_event_marks_as_deleted() -> None:
    facts = map_events(
        received(
            CampaignCreated(campaign=campaign(1)),
            CampaignDeleted(campaign=campaign(2, version=2)),
            LeadCreated(leads=[lead(1), lead(2)]),
            LeadDeleted(leads=[lead(2)]),
        )
    )
    assert [facts.campaigns[number].deleted for number in (1, 2)] == [False, True]
    assert facts.deleted_leads == {2}


@pytest.mark.parametrize(
    ("scores", "score"),
    [
        ({}, None),
        ({"sentiment_score": 5}, None),
        ({"accuracy": 90.5}, 90_500),
        ({"accuracy": 90, "clarity": 91, "engagement": 92.5, "adherence_to_script": 0.002}, 68_376),
        ({"accuracy": 100, "clarity": 100, "engagement": 0}, 66_667),
    ],
)
def test_the_score_of_a_call_is_the_mean_of_the_reported_scores(scores: dict[str, float], score: int | None) -> None:
    attempt = call(1).model_copy(update={"quality": QualityReport.model_validate(scores)})
    assert map_events(received(LeadCallAttempted(call_attempts=[attempt]))).calls[1].score == score


def test_no_events_make_no_facts() -> None:
    assert map_events([]) == Facts()
