"""Where workbooks are made that are larger than memory."""

import re

from tests.fixtures.servers import ROOT


def test_in_a_container_they_are_made_on_a_disk() -> None:
    compose = (ROOT / "docker-compose.yml").read_text()
    [lead_api] = re.findall(r"^  lead-api:\n(.*?)^  \S", compose, re.MULTILINE | re.DOTALL)

    assert "    tmpfs: []\n" in lead_api  # instead of what every process has
    [volume] = re.findall(r"^    volumes: \[([\w-]+):/tmp\]$", lead_api, re.MULTILINE)
    assert re.search(rf"^volumes:\n(?:  [\w-]+:\n)*  {volume}:$", compose, re.MULTILINE)
