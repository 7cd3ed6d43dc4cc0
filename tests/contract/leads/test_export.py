"""A company's leads as a file."""

import csv
import io
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import fastexcel
import httpx
import pytest

from tests.fixtures.gateway import Caller, many_leads, phone_number
from tests.fixtures.leads import LeadCompany

MAX_ID = 2**63 - 1
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
COLUMNS = [
    "first_name", "last_name", "phone", "alternate_phone", "email", "company_name", "job_title", "industry", "status",
    "priority", "best_time_to_call", "timezone", "preferred_language", "country", "state", "city", "address",
    "postal_code", "source", "source_details", "annual_revenue", "company_size", "lead_score", "interest_level",
    "pain_points", "requirements", "tags", "custom_fields", "assigned_to", "notes",
]  # fmt: skip


async def export(company: LeadCompany, **parameters: str | int) -> httpx.Response:
    query = str(httpx.QueryParams(parameters))
    return await company.send("GET", f"{company.path}/export?{query}")


def rows_of(answer: httpx.Response) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))


async def exported_phones(company: LeadCompany, **parameters: str | int) -> list[str]:
    return [row["phone"] for row in rows_of(await export(company, **parameters))]


async def created_at(company: LeadCompany, lead: Mapping[str, Any], moment: str) -> None:
    """Have a lead been created at another time."""
    await company.api.rows("UPDATE leads SET created_at = $1 WHERE id = $2", datetime.fromisoformat(moment), lead["id"])


async def test_a_csv_file_is_announced_as_one(company: LeadCompany) -> None:
    before = datetime.now(UTC).date()
    answer = await export(company)
    days = {before, datetime.now(UTC).date()}

    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] in {
        f'attachment; filename="leads-{company.id}-{day.isoformat()}.csv"' for day in days
    }
    assert answer.headers["Cache-Control"] == "no-store"


async def test_a_workbook_is_announced_as_one(company: LeadCompany) -> None:
    answer = await export(company, format="xlsx")

    assert answer.headers["Content-Type"] == XLSX
    assert answer.headers["Content-Disposition"].endswith('.xlsx"')


async def test_without_leads_there_is_a_header(company: LeadCompany) -> None:
    answer = await export(company)

    assert answer.content == b"\xef\xbb\xbf" + ",".join(COLUMNS).encode() + b"\n"


async def test_an_unknown_value_of_a_lead_is_an_empty_cell(company: LeadCompany) -> None:
    lead = await company.create(pain_points=None, requirements=None)
    assert (lead["pain_points"], lead["requirements"]) == (None, None)

    [row] = rows_of(await export(company))

    assert (row["pain_points"], row["requirements"]) == ("", "")


async def test_a_lead_is_exported_with_every_field(company: LeadCompany) -> None:
    await company.create(first_name="=HYPERLINK(1)", notes="two\nlines", last_name="O'Neil, Zoë")

    [row] = rows_of(await export(company))

    assert row == {
        "first_name": "'=HYPERLINK(1)",
        "last_name": "O'Neil, Zoë",
        "phone": "+1234567890",
        "alternate_phone": "+1987654321",
        "email": "john.doe@example.com",
        "company_name": "ABC Corp",
        "job_title": "Senior Manager",
        "industry": "Technology",
        "status": "pending",
        "priority": "1",
        "best_time_to_call": "14:00:00",
        "timezone": "America/New_York",
        "preferred_language": "en-US",
        "country": "United States",
        "state": "California",
        "city": "San Francisco",
        "address": "123 Main St, Suite 200",
        "postal_code": "94105",
        "source": "Website",
        "source_details": "Contact form submission - Enterprise Plan",
        "annual_revenue": "5000000.00",
        "company_size": "50-100",
        "lead_score": "85",
        "interest_level": "high",
        "pain_points": '["Current solution is too expensive", "Lacks automation features", "Poor customer support"]',
        "requirements": '["24/7 Support", "Cloud Hosting", "API Integration", "Custom Reporting"]',
        "tags": '["enterprise", "high-value", "immediate-follow-up"]',
        "custom_fields": '{"referred_by": "Jane Smith", "budget_range": "$50k-100k", '
        '"product_interest": "Enterprise Plan", "decision_timeline": "Q2 2024"}',
        "assigned_to": "123",
        "notes": "two\nlines",
    }


async def test_a_workbook_contains_texts_and_numbers(company: LeadCompany) -> None:
    await company.create(first_name="=1+1", notes="two\nlines")

    answer = await export(company, format="xlsx")

    sheet = fastexcel.read_excel(answer.content).load_sheet("Leads", header_row=0).to_polars()
    assert sheet.columns == COLUMNS
    [row] = sheet.to_dicts()
    assert row["first_name"] == "=1+1"
    assert row["phone"] == "+1234567890"
    assert row["notes"] == "two\nlines"
    assert (row["priority"], row["lead_score"], row["annual_revenue"]) == (1, 85, 5_000_000)
    assert row["assigned_to"] == "123"


async def test_several_filters_of_an_export_apply_together(company: LeadCompany) -> None:
    second = await company.add_campaign()
    third = await company.add_campaign()
    for number, (campaign, status) in enumerate(
        [(company.campaign_id, "pending"), (company.campaign_id, "failed"), (second, "pending"), (third, "failed")]
    ):
        await company.create(phone=phone_number(number), campaign_id=campaign, status=status)

    phones = [phone_number(number) for number in range(4)]
    assert await exported_phones(company) == phones
    assert await exported_phones(company, campaign_ids=second) == [phones[2]]
    assert await exported_phones(company, campaign_ids=f"{third},{company.campaign_id}") == [*phones[:2], phones[3]]
    assert await exported_phones(company, campaign_ids=f"{third}, {third}") == [phones[3]]
    assert await exported_phones(company, status="failed") == [phones[1], phones[3]]
    assert await exported_phones(company, status="failed", campaign_ids=company.campaign_id) == [phones[1]]
    assert await exported_phones(company, status="blacklisted") == []
    assert await exported_phones(company, campaign_ids=MAX_ID) == []


async def test_a_repeated_list_of_campaigns_counts_whole(company: LeadCompany) -> None:
    second = await company.add_campaign()
    for number, campaign in enumerate((company.campaign_id, second)):
        await company.create(phone=phone_number(number), campaign_id=campaign)

    answer = await company.send(
        "GET", f"{company.path}/export?campaign_ids={company.campaign_id}&campaign_ids={second}"
    )

    assert len(rows_of(answer)) == 2


async def test_days_are_whole_and_in_utc(company: LeadCompany) -> None:
    moments = [
        "2024-02-29T23:59:59.999999+00:00",
        "2024-03-01T00:00:00+00:00",
        "2024-03-02T23:59:59.999999+00:00",
        "2024-03-03T00:00:00+00:00",
    ]
    for number, moment in enumerate(moments):
        await created_at(company, await company.create(phone=phone_number(number)), moment)

    phones = [phone_number(number) for number in range(4)]
    assert await exported_phones(company, start_date="2024-03-01", end_date="2024-03-02") == phones[1:3]
    assert await exported_phones(company, start_date="2024-03-01") == phones[1:]
    assert await exported_phones(company, end_date="2024-03-02") == phones[:3]
    assert await exported_phones(company, start_date="2024-03-03", end_date="2024-03-03") == phones[3:]
    assert await exported_phones(company, end_date="9999-12-31") == phones


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("format", "pdf"),
        ("format", ""),
        ("format", "CSV"),
        ("campaign_ids", ""),
        ("campaign_ids", "abc"),
        ("campaign_ids", "1,,2"),
        ("campaign_ids", "1;2"),
        ("campaign_ids", "0"),
        ("campaign_ids", "-1"),
        ("campaign_ids", "1.5"),
        ("campaign_ids", "١"),
        ("campaign_ids", str(MAX_ID + 1)),
        ("campaign_ids", "1) OR (1=1"),
        ("status", "running"),
        ("status", ""),
        ("start_date", "2024-3-1"),
        ("start_date", "2024-02-30"),
        ("start_date", "1709251200"),
        ("start_date", "20240301"),
        ("start_date", ""),
        ("end_date", "2024-03-01T00:00:00Z"),
        ("end_date", "tomorrow"),
    ],
)
async def test_a_parameter_that_cannot_be_is_refused_by_name(company: LeadCompany, parameter: str, value: str) -> None:
    answer = await export(company, **{parameter: value})

    assert answer.status_code == 400
    body = answer.json()
    assert body["error"].startswith(f"{parameter}: ")
    assert [(error["field"], error["value"]) for error in body["errors"]] == [(parameter, value)]


async def test_a_period_that_ends_before_it_begins_is_refused(company: LeadCompany) -> None:
    answer = await export(company, start_date="2024-03-02", end_date="2024-03-01")

    assert answer.status_code == 400
    assert answer.json() == {
        "message": "Invalid request",
        "error": "end_date: must not be before start_date",
        "errors": [
            {
                "field": "end_date",
                "value": "2024-03-01",
                "code": "before_start_date",
                "message": "must not be before start_date",
            }
        ],
    }


@pytest.mark.parametrize("filtered", [False, True])
async def test_another_company_s_leads_are_in_no_export(
    company: LeadCompany, other_company: LeadCompany, *, filtered: bool
) -> None:
    await other_company.create()
    campaigns = {"campaign_ids": f"{company.campaign_id},{other_company.campaign_id}"} if filtered else {}

    workbook = await export(company, format="xlsx", **campaigns)

    assert await exported_phones(company, **campaigns) == []
    assert fastexcel.read_excel(workbook.content).load_sheet(0, header_row=0).height == 0


async def test_another_company_s_export_is_refused(company: LeadCompany, other_company: LeadCompany) -> None:
    answer = await company.send("GET", f"{other_company.path}/export")

    assert answer.status_code == 403
    assert answer.json()["error"] == f"The token does not cover company {other_company.id}"


async def test_an_export_needs_a_token(company: LeadCompany) -> None:
    answer = await company.api.client.get(f"{company.path}/export")

    assert answer.status_code == 401
    assert answer.json()["error"] == "No valid authentication token provided"


@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
async def test_a_file_passes_the_gateway_and_is_imported_again(caller: Caller, file_format: str) -> None:
    first, second = await caller.create_campaign(), await caller.create_campaign()
    leads = await caller.imported(many_leads(1000), first)
    path = f"/api/company/voice-leads/company/{caller.company_id}/export"

    answer = await caller.get(path, format=file_format, campaign_ids=first)
    again = await caller.imported(answer.content, second, filename=f"leads.{file_format}")

    exported = [{name: lead[name] for name in COLUMNS} for lead in leads]
    assert [{name: lead[name] for name in COLUMNS} for lead in again] == exported
    assert (await caller.get(path, format="csv", campaign_ids=second)).text == (
        await caller.get(path, format="csv", campaign_ids=first)
    ).text
