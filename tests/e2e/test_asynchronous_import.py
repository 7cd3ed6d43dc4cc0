"""Imports that the caller does not wait for: accepted at once, followed at their own address."""

from typing import Any

import pytest

from tests.fixtures.gateway import Caller, csv_of, many_leads, phone_number

MEGABYTES_10 = 10 * 1024 * 1024


async def accepted(caller: Caller, content: bytes | str, **options: Any) -> str:
    """Post a file that must be accepted; returns where its job is."""
    campaign_id = await caller.create_campaign()
    response = await caller.import_file(content, campaign_id, respond_async=True, **options)
    assert response.status_code == 202, response.text
    return response.headers["Location"]


async def test_the_job_is_accepted_and_completed(caller: Caller) -> None:
    campaign_id = await caller.create_campaign()

    response = await caller.import_file(many_leads(3), campaign_id, filename="my leads.csv", respond_async=True)

    assert response.status_code == 202
    assert response.headers["Preference-Applied"] == "respond-async"
    job = response.json()["data"]
    location = f"/api/company/voice-leads/company/{caller.company_id}/imports/{job['id']}"
    assert response.headers["Location"] == location
    assert (job["status"], job["finished_at"], job["imported_count"]) == ("queued", None, 0)
    assert job["progress"] == {"rows_done": 0, "rows_total": None, "percent": 0}

    ended = await caller.ended_job(location)
    assert ended["id"] == job["id"]
    assert (ended["company_id"], ended["campaign_id"]) == (caller.company_id, campaign_id)
    assert (ended["filename"], ended["size_bytes"]) == ("my leads.csv", len(many_leads(3)))
    assert (ended["status"], ended["error"], ended["errors"], ended["error_count"]) == ("completed", None, [], 0)
    assert (ended["row_count"], ended["imported_count"]) == (3, 3)
    assert ended["progress"] == {"rows_done": 3, "rows_total": 3, "percent": 100}
    assert ended["created_at"] <= ended["started_at"] <= ended["finished_at"]
    leads = await caller.leads()
    assert [lead["phone"] for lead in leads] == [phone_number(n) for n in range(3)]
    assert {lead["import_id"] for lead in leads} == {job["id"]}


async def test_a_file_with_errors_fails_with_every_one_of_them_and_imports_nothing(caller: Caller) -> None:
    content = csv_of(
        [
            {"first_name": "Good", "phone": "+14155550100", "email": "good@example.com", "lead_score": "100"},
            {"first_name": "Bad", "phone": "12345", "email": "not an address", "lead_score": "101"},
            {"first_name": "None", "phone": "", "email": "", "lead_score": ""},
            {"first_name": "Good", "phone": "4155550101", "email": "", "lead_score": "0"},
            {"first_name": "Bad", "phone": "4155550102", "email": "", "lead_score": "-1"},
        ]
    )

    job = await caller.ended_job(await accepted(caller, content))

    assert job["status"] == "failed"
    assert job["error"] == "Invalid phone number format: 12345"
    assert (job["error_count"], job["imported_count"]) == (5, 0)
    assert [(error["row"], error["field"], error["value"], error["message"]) for error in job["errors"]] == [
        (3, "phone", "12345", "Invalid phone number format: 12345"),
        (3, "email", "not an address", "Invalid email format"),
        (3, "lead_score", "101", "Lead score must be between 0 and 100"),
        (4, "phone", None, "Missing required fields: phone"),
        (6, "lead_score", "-1", "Lead score must be between 0 and 100"),
    ]
    assert all(error["code"] for error in job["errors"])
    assert await caller.leads() == []


@pytest.mark.parametrize("count", [1001, 20_000])
async def test_a_file_may_have_more_rows_than_a_waiting_request(caller: Caller, count: int) -> None:
    job = await caller.ended_job(await accepted(caller, many_leads(count)))

    assert (job["status"], job["imported_count"]) == ("completed", count)
    assert [lead["phone"] for lead in await caller.leads()] == [phone_number(n) for n in range(count)]


async def test_a_file_of_exactly_ten_megabytes_is_accepted(caller: Caller) -> None:
    content, count = file_of(MEGABYTES_10)

    job = await caller.ended_job(await accepted(caller, content))

    assert (job["status"], job["size_bytes"], job["imported_count"]) == ("completed", MEGABYTES_10, count)


@pytest.mark.parametrize("size", [MEGABYTES_10 + 1, 12 * 1024 * 1024])
async def test_a_larger_file_is_refused(caller: Caller, size: int) -> None:
    content, _ = file_of(size)

    response = await caller.import_file(content, await caller.create_campaign(), respond_async=True)

    assert response.status_code == 400
    assert response.json() == {"message": "Error importing leads", "error": "File size exceeds 10MB limit"}


def file_of(size: int) -> tuple[bytes, int]:
    """A valid file of exactly so many bytes, and how many leads it has."""
    head, row = b"phone,notes\n", b"%b," + b"n" * 4986 + b"\n"
    count, rest = divmod(size - len(head), len(row) - 2 + len(phone_number(0)))
    rows = [row % phone_number(n).encode() for n in range(count)]
    content = head + b"".join(rows)[:-1] + b"n" * rest + b"\n"
    assert len(content) == size
    return content, count
