"""The lifecycle of a campaign: one table, and its drawing."""

import re
from typing import get_args

import pytest

from services.campaign_svc.campaigns.lifecycle import STEPS, statuses_after, step_between
from shared.events.campaigns import CampaignStatus
from tests.fixtures.servers import ROOT

STATUSES: tuple[CampaignStatus, ...] = get_args(CampaignStatus)
ARROW = re.compile(r"^    (?P<source>\w+) --> (?P<target>\w+): (?P<step>\w+)$", re.MULTILINE)


def test_the_drawing_shows_the_table() -> None:
    drawn = {
        arrow.group("source", "target", "step") for arrow in ARROW.finditer((ROOT / "docs/lifecycle.md").read_text())
    }
    assert drawn == {(source, step.target, step.name) for step in STEPS for source in step.sources}


@pytest.mark.parametrize("status", STATUSES)
def test_a_status_is_left_by_the_steps_that_begin_there_and_no_others(status: CampaignStatus) -> None:
    after = {
        "draft": ("active",),
        "active": ("paused", "completed"),
        "paused": ("active", "completed"),
        "completed": (),
    }
    assert statuses_after(status) == after[status]
    assert {wanted for wanted in STATUSES if step_between(status, wanted)} == set(after[status])
