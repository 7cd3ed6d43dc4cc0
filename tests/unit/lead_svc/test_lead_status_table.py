"""The table of a lead's statuses, and how the documentation shows it."""

import re

from services.lead_svc.domain.lead_status import ALLOWED_TRANSITIONS
from tests.fixtures.servers import ROOT

ROW = re.compile(r"^\| `(?P<status>\w+)` \| (?P<following>.*) \|$", re.MULTILINE)


def test_the_documentation_shows_the_table() -> None:
    shown = {
        row["status"]: tuple(re.findall(r"`(\w+)`", row["following"]))
        for row in ROW.finditer((ROOT / "docs/leads.md").read_text())
    }
    assert shown == {status.value: tuple(after) for status, after in ALLOWED_TRANSITIONS.items()}
