"""Leads, as they are read."""

import pytest

from tests.contract.leads.rejections import GOOD_FILE
from tests.fixtures.gateway import Caller, csv_of, many_leads, phone_number

MAX_ID = 2**63 - 1

DOCUMENTED_FIELDS = {
    "id", "campaign_id", "first_name", "last_name", "phone", "alternate_phone", "email", "company_name",
    "job_title", "industry", "status", "priority", "best_time_to_call", "timezone", "preferred_language",
    "country", "state", "city", "address", "postal_code", "source", "source_details", "annual_revenue",
    "company_size", "lead_score", "interest_level", "pain_points", "requirements", "custom_fields", "assigned_to",
    "notes", "tags", "last_contact_date", "next_contact_date", "company_id", "created_at", "updated_at",
}  # fmt: skip


async def test_a_lead_has_every_documented_field(caller: Caller) -> None:
    [lead] = await caller.imported(GOOD_FILE, await caller.create_campaign())

    assert set(lead) >= DOCUMENTED_FIELDS


@pytest.mark.parametrize("lead_id", [MAX_ID, 999_999_999_999])
async def test_an_unknown_lead_is_not_found(caller: Caller, lead_id: int) -> None:
    response = await caller.get(f"/api/voice-leads/{lead_id}")

    assert response.status_code == 404
    assert response.json() == {"message": "Voice lead not found", "error": "Voice lead not found"}


@pytest.mark.parametrize("lead_id", ["abc", "0", "-1", MAX_ID + 1, "1.5"])
async def test_an_id_that_is_none_is_refused(caller: Caller, lead_id: str | int) -> None:
    response = await caller.get(f"/api/voice-leads/{lead_id}")

    assert response.status_code == 400
    assert response.json()["errors"][0]["field"] == "id"


async def test_several_filters_apply_together(caller: Caller) -> None:
    first, second = await caller.create_campaign(), await caller.create_campaign()
    for campaign in (first, second):
        rows = [
            {"phone": phone_number(number), "status": status, "assigned_to": agent}
            for number, (status, agent) in enumerate([("pending", 1), ("failed", 1), ("pending", 2), ("pending", "")])
        ]
        await caller.imported(csv_of(rows), campaign)

    async def found(**filters: str | int) -> list[tuple[int, str, int | None]]:
        leads = await caller.leads(**filters)
        return [(lead["campaign_id"], lead["status"], lead["assigned_to"]) for lead in leads]

    assert len(await found()) == 8
    assert await found(campaign_id=first, status="pending", assigned_to=1) == [(first, "pending", 1)]
    assert await found(status="failed") == [(first, "failed", 1), (second, "failed", 1)]
    assert await found(assigned_to=2) == [(first, "pending", 2), (second, "pending", 2)]
    assert await found(campaign_id=second, assigned_to=1) == [(second, "pending", 1), (second, "failed", 1)]
    assert await found(status="blacklisted") == []
    assert await found(campaign_id=MAX_ID) == []


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("campaign_id", "abc"),
        ("campaign_id", "0"),
        ("campaign_id", "-1"),
        ("campaign_id", str(MAX_ID + 1)),
        ("campaign_id", "1,2"),
        ("status", "running"),
        ("status", "Pending'--"),
        ("assigned_to", "me"),
        ("assigned_to", "1.5"),
    ],
)
async def test_a_filter_that_cannot_be_is_refused_by_name(caller: Caller, parameter: str, value: str) -> None:
    response = await caller.get(f"/api/voice-leads/company/{caller.company_id}", **{parameter: value})

    assert response.status_code == 400
    body = response.json()
    assert body["error"].startswith(f"{parameter}: ")
    assert [(error["field"], error["value"]) for error in body["errors"]] == [(parameter, value)]


async def test_a_long_list_is_complete(caller: Caller) -> None:
    campaign_id = await caller.create_campaign()
    for start in range(0, 2500, 1000):
        count = min(1000, 2500 - start)
        rows = [{"phone": phone_number(start + number), "notes": 'ü"\n' * 50} for number in range(count)]
        await caller.imported(csv_of(rows), campaign_id)

    leads = await caller.leads()

    assert [lead["phone"] for lead in leads] == [phone_number(number) for number in range(2500)]
    assert {lead["notes"] for lead in leads} == {('ü"\n' * 50).strip()}


async def test_no_leads_are_an_empty_list(caller: Caller) -> None:
    assert await caller.leads() == []


async def test_leads_are_listed_in_the_order_they_came(caller: Caller) -> None:
    campaigns = [await caller.create_campaign() for _ in range(2)]
    imported = []
    for number in range(6):
        imported += await caller.imported(many_leads(2), campaigns[number % 2])

    assert await caller.leads() == imported


@pytest.mark.parametrize("company", ["0", "-1", "abc", str(MAX_ID + 1)])
async def test_a_company_that_is_none_is_refused(caller: Caller, company: str) -> None:
    for path in (f"/api/voice-leads/company/{company}", f"/api/company/voice-leads/company/{company}/imports/1"):
        response = await caller.get(path)
        assert response.status_code == 400
        assert response.json()["errors"][0]["field"] == "companyId"
