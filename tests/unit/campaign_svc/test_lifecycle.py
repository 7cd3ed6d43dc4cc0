"""The lifecycle of a campaign: the table of transitions and its diagram."""

import re
from typing import get_args

import pytest

from services.campaign_svc.campaigns.lifecycle import TRANSITIONS, can_transition, next_statuses
from shared.events.campaigns import CampaignStatus
from tests.fixtures.servers import ROOT

STATUSES: tuple[CampaignStatus, ...] = get_args(CampaignStatus)
ARROW = re.compile(r"^    (?P<source>\w+) --> (?P<target>\w+): (?P<transition>\w+)$", re.MULTILINE)


def test_the_diagram_equals_the_table() -> None:
    drawn = {
        arrow.group("source", "target", "transition")
        for arrow in ARROW.finditer((ROOT / "docs/lifecycle.md").read_text())
    }
    assert drawn == {
        (source, transition.target, transition.name) for transition in TRANSITIONS for source in transition.sources
    }


@pytest.mark.parametrize("status", STATUSES)
def test_each_status_has_its_transitions_and_no_others(status: CampaignStatus) -> None:
    after = {
        "draft": ("active",),
        "active": ("paused", "completed"),
        "paused": ("active", "completed"),
        "completed": (),
    }
    assert next_statuses(status) == after[status]
    assert {target for target in STATUSES if can_transition(status, target)} == set(after[status])
