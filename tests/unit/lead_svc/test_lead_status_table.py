"""The table of a lead's status transitions in the documentation."""

import re

from services.lead_svc.domain.lead_status import ALLOWED_TRANSITIONS
from tests.fixtures.servers import ROOT

SECTION = "## Status transitions"
ROW = re.compile(r"^\| `(?P<status>\w+)` \| (?P<next>.*) \|$", re.MULTILINE)


def test_documentation_has_the_table_of_allowed_transitions() -> None:
    section = (ROOT / "docs/leads.md").read_text().partition(SECTION)[2].partition("\n## ")[0]
    documented = {row["status"]: tuple(re.findall(r"`(\w+)`", row["next"])) for row in ROW.finditer(section)}
    assert documented == {status.value: tuple(after) for status, after in ALLOWED_TRANSITIONS.items()}
