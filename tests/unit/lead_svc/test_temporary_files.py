"""The temporary files of large workbooks."""

from typing import Any

import yaml

from tests.fixtures.servers import ROOT


def test_lead_api_has_its_temporary_files_on_a_disk() -> None:
    compose: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    lead_api = compose["services"]["lead-api"]

    assert lead_api["tmpfs"] == []  # instead of the tmpfs that every process has
    [volume] = [mount.partition(":")[0] for mount in lead_api["volumes"] if mount.endswith(":/tmp")]
    assert volume in compose["volumes"]
