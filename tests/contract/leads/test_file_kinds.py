"""Files of every kind that customers send, imported through the whole product."""

import io
from collections.abc import Sequence
from datetime import date, time
from typing import Any

import pytest
import xlsxwriter

from tests.fixtures.gateway import Caller, csv_of

PEOPLE = [("Zoë", "+14155550100", "Curaçao"), ("Jürgen", "+14155550101", "Köln")]
TEXT = "".join(f"{','.join(cells)}\r\n" for cells in [("first_name", "phone", "city"), *PEOPLE])


def workbook(rows: Sequence[Sequence[Any]]) -> bytes:
    """An .xlsx file."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        formats = {date: book.add_format({"num_format": "yyyy-mm-dd"}), time: book.add_format({"num_format": "hh:mm"})}
        sheet = book.add_worksheet()
        for row, cells in enumerate(rows):
            for column, cell in enumerate(cells):
                sheet.write(row, column, cell, formats.get(type(cell)))
    return content.getvalue()


@pytest.mark.parametrize(
    ("content", "filename"),
    [
        pytest.param(TEXT.encode(), "leads.csv", id="UTF-8"),
        pytest.param(TEXT.encode("utf-8-sig"), "LEADS.CSV", id="UTF-8 with a byte order mark"),
        pytest.param(TEXT.encode("utf-16"), "leads.csv", id="UTF-16"),
        pytest.param(TEXT.encode("cp1252"), "leads.csv", id="Windows-1252"),
        pytest.param(TEXT.replace(",", ";").encode(), "leads.csv", id="semicolons"),
        pytest.param(TEXT.replace(",", "\t").encode("utf-16"), "leads.csv", id="tabs, as Excel's Unicode text"),
        pytest.param(TEXT.replace("\r\n", "\n\n").encode(), "leads.csv", id="blank lines"),
        pytest.param(TEXT.encode(), "leads.xlsx", id="CSV named xlsx"),
        pytest.param(workbook([("first_name", "phone", "city"), *PEOPLE]), "leads.csv", id="xlsx named csv"),
        pytest.param(TEXT.replace("first_name", "First Name").encode(), "my.leads.csv", id="header as people write it"),
    ],
)
async def test_every_kind_of_file_gives_the_same_leads(caller: Caller, content: bytes, filename: str) -> None:
    leads = await caller.imported(content, await caller.create_campaign(), filename=filename)

    assert [(lead["first_name"], lead["phone"], lead["city"]) for lead in leads] == PEOPLE


async def test_a_quoted_cell_may_contain_commas_quotes_and_line_ends(caller: Caller) -> None:
    notes = 'First, "maybe"\r\nthen no.\nThen yes; or so'

    [lead] = await caller.imported(csv_of([{"notes": notes, "phone": "4155550100"}]), await caller.create_campaign())

    assert lead["notes"] == notes
    assert (await caller.get(f"/api/voice-leads/{lead['id']}")).json()["notes"] == notes


async def test_other_columns_go_into_custom_fields(caller: Caller) -> None:
    rows = [
        {"phone": "4155550100", "Shoe Size": "44", "Grüße": 'a "b" \\ c', "tags": "vip, new"},
        {"phone": "4155550101", "Shoe Size": "", "Grüße": " x ", "tags": ""},
    ]

    first, second = await caller.imported(csv_of(rows), await caller.create_campaign())

    assert first["custom_fields"] == {"Shoe Size": "44", "Grüße": 'a "b" \\ c', "tags": ["vip", "new"]}
    assert first["tags"] == ["vip", "new"]
    assert second["custom_fields"] == {"Grüße": "x"}
    assert second["tags"] is None


async def test_numbers_dates_and_times_of_excel(caller: Caller) -> None:
    header = ("Phone Number", "lead_score", "annual_revenue", "best_time_to_call", "Renewal", "postal_code")
    row = (14155550100, 85.0, 5000000.25, time(14, 30), date(2024, 12, 31), "02139")

    [lead] = await caller.imported(workbook([header, row]), await caller.create_campaign(), filename="leads.xlsx")

    assert (lead["phone"], lead["lead_score"], lead["annual_revenue"]) == ("+14155550100", 85, 5000000.25)
    assert (lead["best_time_to_call"], lead["postal_code"]) == ("14:30:00", "02139")
    assert lead["custom_fields"] == {"Renewal": "2024-12-31"}


async def test_every_column_of_the_contract(caller: Caller) -> None:
    row = {
        "phone": " (415) 555-2671 ",
        "first_name": " John ",
        "last_name": "Doe",
        "email": "john.doe@example.com",
        "company_name": "ABC Corp",
        "job_title": "Senior Manager",
        "industry": "Technology",
        "priority": "1",
        "best_time_to_call": "14:00:00",
        "timezone": "America/New_York",
        "preferred_language": "en-GB",
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
        "notes": "High-priority lead",
        "tags": "enterprise,high-value",
    }

    [lead] = await caller.imported(csv_of([row]), await caller.create_campaign())

    expected = row | {
        "phone": "+14155552671",
        "first_name": "John",
        "priority": 1,
        "annual_revenue": 5000000.0,
        "lead_score": 85,
        "tags": ["enterprise", "high-value"],
        "custom_fields": {"tags": ["enterprise", "high-value"]},
        "status": "pending",
    }
    assert {name: lead[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("+1234567890", "+1234567890"),
        ("1234567890", "+11234567890"),
        ("442079460000", "+442079460000"),
        ("00442079460000", "+442079460000"),
        ("+44 (0)20 7946 0958", "+442079460958"),
        ("1-800-FLOWERS", "+18003569377"),
        ("14155552671.0", "+14155552671"),
        ("1.4155552671E10", "+14155552671"),
    ],
)
async def test_the_forms_of_a_phone_number(caller: Caller, written: str, stored: str) -> None:
    [lead] = await caller.imported(csv_of([{"phone": written}]), await caller.create_campaign())

    assert lead["phone"] == stored


async def test_the_extension_of_a_phone_number_goes_into_custom_fields(caller: Caller) -> None:
    [lead] = await caller.imported(csv_of([{"phone": "(415) 555-2671 ext. 12"}]), await caller.create_campaign())

    assert (lead["phone"], lead["custom_fields"]) == ("+14155552671", {"phone_extension": "12"})
