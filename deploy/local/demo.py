"""The product's main job, done through the gateway as an API client would: campaign, file of leads, statistics."""

import json
import time
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from deploy.local.errors import StackError

COMPANY = 1
SAMPLE = Path(__file__).with_name("sample_leads.csv")
CAMPAIGN = Path(__file__).with_name("sample_campaign.json")
POLL_S = 0.2
IMPORT_SECONDS = 120.0
STATISTICS_SECONDS = 60.0
SHOWN_LEADS = 5
LEAD_COLUMNS = ("id", "first_name", "last_name", "phone", "city", "priority", "status")


def run_demo(gateway_url: str, token: str, console: Console) -> None:
    """Create a campaign, import the sample file into it and show the company's statistics.

    Raises
    ------
    StackError
        A step was rejected or did not end in time; the text has the response of the API.
    """
    campaign_body = json.loads(CAMPAIGN.read_text(encoding="utf-8")) | {"company_id": COMPANY}
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=gateway_url, headers=headers, timeout=90, trust_env=False) as api:
        before = _read(api.get(f"/api/voice-campaigns/company/{COMPANY}/stats"), "read the statistics")["total_leads"]
        campaign = _read(api.post("/api/voice-campaigns", json=campaign_body), "create a campaign")["data"]
        console.print(f"Created campaign {campaign['id']}: {campaign['name']}")
        job = _import(api, campaign["id"], console)
        console.print(f"Imported {job['imported_count']} leads of {SAMPLE.name} into campaign {campaign['id']}")
        _show_leads(api, campaign["id"], console)
        _show_statistics(_statistics(api, before + job["imported_count"]), console)


def _import(api: httpx.Client, campaign_id: int, console: Console) -> dict[str, Any]:
    """Post the file, follow the job to its end, and return it."""
    answer = api.post(
        f"/api/company/voice-leads/company/{COMPANY}/import",
        headers={"Prefer": "respond-async"},
        files={"file": (SAMPLE.name, SAMPLE.read_bytes(), "text/csv")},
        data={"campaign_id": str(campaign_id), "default_values": '{"source":"sample file"}'},
    )
    _read(answer, "import the file")
    deadline = time.monotonic() + IMPORT_SECONDS
    with Progress(console=console) as progress:
        bar = progress.add_task("Importing", total=100)
        while time.monotonic() < deadline:
            job: dict[str, Any] = _read(api.get(answer.headers["Location"]), "follow the import")
            progress.update(bar, completed=job["progress"]["percent"])
            if job["status"] == "completed":
                return job
            if job["status"] in {"failed", "aborted"}:
                msg = f"the import {job['status']}: {job['error']}"
                raise StackError(msg)
            time.sleep(POLL_S)
    msg = f"the import did not end within {IMPORT_SECONDS:.0f} s"
    raise StackError(msg)


def _show_leads(api: httpx.Client, campaign_id: int, console: Console) -> None:
    leads = _read(api.get(f"/api/voice-leads/company/{COMPANY}", params={"campaign_id": campaign_id}), "read the leads")
    table = Table(*LEAD_COLUMNS, title=f"{SHOWN_LEADS} of {len(leads)} leads of campaign {campaign_id}")
    table.columns[LEAD_COLUMNS.index("phone")].no_wrap = True
    for lead in leads[:SHOWN_LEADS]:
        table.add_row(*("" if lead[column] is None else str(lead[column]) for column in LEAD_COLUMNS))
    console.print(table)


def _statistics(api: httpx.Client, expected_leads: int) -> dict[str, Any]:
    """The statistics once they show the imported leads: they are made from events, a moment after the import."""
    deadline = time.monotonic() + STATISTICS_SECONDS
    path = f"/api/voice-campaigns/company/{COMPANY}/stats"
    while True:
        statistics: dict[str, Any] = _read(api.get(path), "read the statistics")
        if statistics["total_leads"] >= expected_leads:
            return statistics
        if time.monotonic() > deadline:
            msg = (
                f"the statistics show {statistics['total_leads']} leads after {STATISTICS_SECONDS:.0f} s, "
                f"not {expected_leads}: see make logs"
            )
            raise StackError(msg)
        time.sleep(POLL_S)


def _show_statistics(statistics: dict[str, Any], console: Console) -> None:
    table = Table("figure", "value", title=f"Statistics of company {COMPANY}")
    for name, value in statistics.items():
        text = ", ".join(f"{key} {count}" for key, count in value.items()) if isinstance(value, dict) else value
        table.add_row(name.replace("_", " "), "–" if text in ("", [], None) else str(text))
    console.print(table)


def _read(answer: httpx.Response, step: str) -> Any:  # noqa: ANN401 - whatever JSON the API answers
    if not answer.is_success:
        msg = f"could not {step}: {answer.status_code} {answer.text[:500]}"
        raise StackError(msg)
    return answer.json()
