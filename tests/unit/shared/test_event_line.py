"""An event as one line of text."""

from datetime import UTC, datetime

import pytest

from shared.events.campaigns import CampaignStatusChanged
from shared.events.envelope import Envelope, EventData
from shared.events.imports import Import, ImportFailed
from shared.events.leads import LeadAssigned, LeadCallAttempted, LeadConverted, LeadCreated
from shared.events.members import MemberUpdated
from shared.messaging.event_line import event_line
from tests.fixtures.events import NOON, assignment, call, campaign, conversion, lead, member, received

JOB = Import(id=5, company_id=1, campaign_id=2, filename="leads.csv", imported_count=0, error_count=3)


def description_of(data: EventData) -> str:
    """The line after time, type and company."""
    (event,) = received(data)
    return event_line(event).partition("  company 1  ")[2]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (
            CampaignStatusChanged(campaign=campaign(3, name="Spring"), previous_status="draft"),
            "campaign 3 v1: Spring, active; was draft",
        ),
        (LeadCreated(leads=[lead(7, version=2)]), "lead 7 v2: campaign 1, pending"),
        (LeadCreated(leads=[lead(1), lead(2)]), "leads 1, 2: campaign 1, pending"),
        (
            LeadCreated(leads=[*(lead(number) for number in range(1, 7)), lead(9, status="blacklisted")]),
            "leads 1 … 9 (7): campaign 1, 6 pending, 1 blacklisted",
        ),
        (LeadAssigned(leads=[assignment(lead(7, assigned_to=4), NOON)]), "lead 7 v1: campaign 1, agent none → 4"),
        (LeadConverted(leads=[conversion(lead(7), 250, NOON)]), "lead 7 v1: campaign 1, worth 250.0"),
        (LeadCallAttempted(call_attempts=[call(4)]), "call 4 of lead 1: campaign 1, successful, 60 s"),
        (
            LeadCallAttempted(call_attempts=[call(4), call(5, successful=False)]),
            "calls 4, 5: campaign 1, 1 successful, 1 not successful",
        ),
        (MemberUpdated(member=member(8)), "member 8 v1: Member 8"),
        (
            ImportFailed(job=JOB, reason="Row 2: no phone"),
            "import 5: leads.csv, campaign 2, 0 leads, 3 errors; Row 2: no phone",
        ),
    ],
)
def test_a_line_describes_the_change(data: EventData, expected: str) -> None:
    assert description_of(data) == expected


def test_begins_with_time_type_and_company() -> None:
    (event,) = received(LeadCreated(leads=[lead(7)]))
    at = event.model_copy(update={"time": datetime(2024, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)})
    assert event_line(at).startswith("2024-03-01 12:00:00.123Z  lead.created.v1             company 1  lead 7")


def test_a_name_cannot_control_the_terminal() -> None:
    line = description_of(MemberUpdated(member=member(8, name="\x1b[2J\nforged")))
    assert line == "member 8 v1: \N{REPLACEMENT CHARACTER}[2J\N{REPLACEMENT CHARACTER}forged"


@pytest.mark.parametrize("data", [{"leads": []}, {"leads": [{"id": 1}]}, {"campaign": 5}, {"news": 1}, {}])
def test_an_event_of_an_unknown_schema_is_displayed_too(data: dict[str, object]) -> None:
    (event,) = received(LeadCreated(leads=[lead(7)]))
    line = event_line(Envelope(**event.model_dump() | {"type": "lead.created.v2", "data": data}))
    assert "lead.created.v2" in line
    assert line.endswith("unknown shape") == bool(data.keys() - {"news"})
