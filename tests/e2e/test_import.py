"""The product's main job: a file of leads becomes leads, events and figures."""

import io
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from tests.fixtures.gateway import Caller, many_leads, phone_number
from tests.fixtures.waiting import eventually

CONTRACT_FILE = """\
first_name,last_name,phone,email,company_name,job_title
John,Doe,+1234567890,john@example.com,ABC Corp,Manager
Jane,Smith,1234567890,jane@example.com,XYZ Inc,Director
"""
CONTRACT_DEFAULTS = {"status": "pending", "source": "bulk_import"}
CONTRACT_LEADS = [
    {
        "first_name": "John",
        "last_name": "Doe",
        "phone": "+1234567890",
        "email": "john@example.com",
        "company_name": "ABC Corp",
        "job_title": "Manager",
        "status": "pending",
        "source": "bulk_import",
    },
    {
        "first_name": "Jane",
        "last_name": "Smith",
        "phone": "+11234567890",
        "email": "jane@example.com",
        "company_name": "XYZ Inc",
        "job_title": "Director",
        "status": "pending",
        "source": "bulk_import",
    },
]


def contract_csv() -> bytes:
    return CONTRACT_FILE.encode()


def contract_xlsx() -> bytes:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for number, line in enumerate(CONTRACT_FILE.splitlines()):
            sheet.write_row(number, 0, line.split(","))
    return content.getvalue()


def contract_xls() -> bytes:
    """The same, as xlwt wrote it once: no maintained library writes .xls any more."""
    return Path(__file__).with_name("contract_example.xls").read_bytes()


@pytest.mark.parametrize(
    ("filename", "content"), [("leads.csv", contract_csv), ("leads.xlsx", contract_xlsx), ("leads.xls", contract_xls)]
)
async def test_the_contracts_example_gets_the_contracts_answer(
    caller: Caller, filename: str, content: Callable[[], bytes]
) -> None:
    campaign_id = await caller.create_campaign()

    response = await caller.import_file(content(), campaign_id, filename=filename, default_values=CONTRACT_DEFAULTS)

    assert response.status_code == 201, response.text
    assert response.headers["Content-Type"] == "application/json"
    body = response.json()
    assert body["message"] == "Leads imported successfully"
    assert body["imported_count"] == 2
    assert set(body) == {"message", "imported_count", "leads"}
    leads = body["leads"]
    expected = [lead | {"campaign_id": campaign_id, "company_id": caller.company_id} for lead in CONTRACT_LEADS]
    assert [{name: lead[name] for name in expected[0]} for lead in leads] == expected
    assert isinstance(leads[0]["id"], int)
    assert leads[0]["id"] < leads[1]["id"]
    for lead in leads:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", lead["created_at"])
        assert abs(datetime.now(UTC) - datetime.fromisoformat(lead["created_at"])) < timedelta(minutes=5)
        assert lead["updated_at"] == lead["created_at"]


async def test_imported_leads_are_listed_and_read_one_by_one(caller: Caller) -> None:
    first_campaign, second_campaign = await caller.create_campaign(), await caller.create_campaign()
    first = await caller.imported(many_leads(3), first_campaign)
    second = await caller.imported(contract_csv(), second_campaign)

    assert await caller.leads() == first + second
    assert await caller.leads(campaign_id=second_campaign) == second
    for lead in first + second:
        response = await caller.get(f"/api/voice-leads/{lead['id']}")
        assert (response.status_code, response.json()) == (200, lead)


async def test_the_statistics_show_the_campaigns_and_their_leads(caller: Caller) -> None:
    high, low = await caller.create_campaign(priority="high"), await caller.create_campaign(priority="low")
    await caller.imported(many_leads(7), high)
    await caller.imported(many_leads(5), low)

    async def statistics() -> dict[str, Any] | None:
        response = await caller.get(f"/api/voice-campaigns/company/{caller.company_id}/stats")
        assert response.status_code == 200, response.text
        figures: dict[str, Any] = response.json()
        return figures if (figures["total_campaigns"], figures["total_leads"]) == (2, 12) else None

    figures = await eventually(statistics)
    assert figures is not None
    assert figures["campaigns_by_priority"] == {"high": 1, "medium": 0, "low": 1}
    assert figures["total_calls"] == 0


async def test_a_thousand_leads_are_answered_in_the_order_of_the_file(caller: Caller) -> None:
    leads = await caller.imported(many_leads(1000), await caller.create_campaign())

    assert [lead["phone"] for lead in leads] == [phone_number(n) for n in range(1000)]
    ids = [lead["id"] for lead in leads]
    assert ids == sorted(set(ids))


async def test_more_than_a_thousand_leads_are_refused_with_the_limit_and_the_way_out(caller: Caller) -> None:
    response = await caller.import_file(many_leads(1001), await caller.create_campaign())

    assert response.status_code == 400
    assert response.json()["message"] == "Error importing leads"
    assert "1,000" in response.json()["error"]
    assert "Prefer: respond-async" in response.json()["error"]
    assert await caller.leads() == []
