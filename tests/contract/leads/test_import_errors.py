"""Every message with which the contract rejects a file, word for word."""

import io
import zipfile

import httpx
import pytest

from tests.contract.leads.rejections import GOOD_FILE, rejected
from tests.fixtures.gateway import Caller, csv_of

INVALID_TYPE = "Invalid file type. Only CSV and Excel files are allowed."
INVALID_CAMPAIGN = "Invalid campaign_id or campaign does not belong to company"
NO_LEADS = "No valid leads found in the file"
MAX_ID = 2**63 - 1

Form = dict[str, tuple[str | None, bytes]]


async def post_form(caller: Caller, form: Form) -> httpx.Response:
    """Post a form with parts of name, filename and content."""
    return await caller.gateway.http.post(caller.import_path, files=list(form.items()), headers=caller.headers)


def zip_of(name: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(name, "<document/>")
    return content.getvalue()


@pytest.mark.parametrize(
    "form",
    [
        pytest.param({}, id="no part at all"),
        pytest.param({"leads": ("leads.csv", GOOD_FILE)}, id="a file of another name"),
        pytest.param({"file": (None, GOOD_FILE)}, id="a text instead of a file"),
        pytest.param({"file": ("", b"")}, id="the empty choice of a browser"),
    ],
)
async def test_no_file_uploaded(caller: Caller, form: Form) -> None:
    campaign: Form = {"campaign_id": (None, str(await caller.create_campaign()).encode())}
    rejected(await post_form(caller, {**campaign, **form}), "No file uploaded")


async def test_a_request_that_is_not_a_form_has_no_file(caller: Caller) -> None:
    http, path = caller.gateway.http, caller.import_path
    rejected(await http.post(path, headers=caller.headers), "No file uploaded")
    rejected(await http.post(path, json={"campaign_id": 1}, headers=caller.headers), "No file uploaded")
    rejected(await http.post(path, data={"campaign_id": "1"}, headers=caller.headers), "No file uploaded")


@pytest.mark.parametrize(
    ("filename", "content"),
    [
        pytest.param("leads.txt", GOOD_FILE, id="text with another ending"),
        pytest.param("leads", GOOD_FILE, id="no ending"),
        pytest.param("leads.csv.exe", GOOD_FILE, id="a program"),
        pytest.param("leads.csv", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", id="a PDF named csv"),
        pytest.param("leads.xlsx", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", id="a picture named xlsx"),
        pytest.param("leads.xlsx", zip_of("word/document.xml"), id="a letter named xlsx"),
        pytest.param("leads.xls", b"<html><table><tr><td>phone</td></tr></table></html>", id="a web page named xls"),
    ],
)
async def test_invalid_file_type(caller: Caller, filename: str, content: bytes) -> None:
    rejected(await caller.import_file(content, await caller.create_campaign(), filename=filename), INVALID_TYPE)


async def test_file_size_exceeds_the_limit(caller: Caller) -> None:
    content = b"phone\n" + b"4155550100\n" * 953_251
    assert len(content) > 10 * 1024 * 1024
    rejected(await caller.import_file(content, await caller.create_campaign()), "File size exceeds 10MB limit")


@pytest.mark.parametrize("form", [{}, {"campaign_id": (None, b"")}, {"campaign_id": (None, b"  ")}])
async def test_campaign_id_is_required(caller: Caller, form: Form) -> None:
    rejected(await post_form(caller, {"file": ("leads.csv", GOOD_FILE), **form}), "campaign_id is required")


@pytest.mark.parametrize(
    "campaign_id", [0, -1, MAX_ID, MAX_ID + 1, 2**64 + 1, "9" * 5000, "abc", "1.0", "1e3", "١", "1 OR 1=1"]
)
async def test_an_invalid_campaign_id_is_rejected(caller: Caller, campaign_id: int | str) -> None:
    rejected(await caller.import_file(GOOD_FILE, campaign_id), INVALID_CAMPAIGN)


async def test_a_campaign_of_another_company_is_rejected(caller: Caller, stranger: Caller) -> None:
    theirs = await stranger.create_campaign()
    rejected(await caller.import_file(GOOD_FILE, theirs), INVALID_CAMPAIGN)
    assert len(await stranger.imported(GOOD_FILE, theirs)) == 1
    rejected(await caller.import_file(GOOD_FILE, theirs), INVALID_CAMPAIGN)
    rejected(await caller.import_file(GOOD_FILE, theirs, respond_async=True), INVALID_CAMPAIGN)
    assert await caller.leads() == []


async def test_a_campaign_of_another_company_of_the_token_is_rejected(caller: Caller, stranger: Caller) -> None:
    response = await caller.gateway.http.post(
        caller.import_path,
        files={"file": ("leads.csv", GOOD_FILE)},
        data={"campaign_id": str(await stranger.create_campaign())},
        headers=caller.gateway.headers(caller.company_id, stranger.company_id),
    )
    rejected(response, INVALID_CAMPAIGN)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\n\n", id="blank lines"),
        pytest.param(b"phone,email\n", id="header only"),
        pytest.param(b"phone,email\n,\n\n  ,\n", id="header and blank rows"),
    ],
)
async def test_no_valid_leads_found(caller: Caller, content: bytes) -> None:
    rejected(await caller.import_file(content, await caller.create_campaign()), NO_LEADS)


@pytest.mark.parametrize(
    ("row", "error"),
    [
        ({"phone": "123"}, "Invalid phone number format: 123"),
        ({"phone": "", "first_name": "John"}, "Missing required fields: phone"),
        ({"email": "john@example.com"}, "Missing required fields: phone"),
        ({"phone": "4155550100", "email": "john.example.com"}, "Invalid email format"),
        ({"phone": "4155550100", "lead_score": 101}, "Lead score must be between 0 and 100"),
        ({"phone": "4155550100", "status": "running"}, "Invalid status value"),
        ({"phone": "4155550100", "interest_level": "huge"}, "Invalid interest level"),
    ],
)
async def test_an_invalid_row_is_rejected_with_the_contracts_message(
    caller: Caller, row: dict[str, object], error: str
) -> None:
    response = await caller.import_file(csv_of([row]), await caller.create_campaign())

    rejected(response, error)
    [row_error] = response.json()["errors"]
    assert set(row_error) == {"row", "field", "value", "code", "message"}
    assert row_error["message"] == error
    assert row_error["field"] == next(
        field
        for field in ("phone", "email", "lead_score", "status", "interest_level")
        if field.replace("_", " ") in error.lower()
    )


async def test_one_invalid_row_fails_the_whole_file(caller: Caller) -> None:
    rows: list[dict[str, object]] = [{"phone": f"415555{number:04d}", "email": ""} for number in range(500)]
    rows[321]["email"] = "no-address"

    response = await caller.import_file(csv_of(rows), await caller.create_campaign())

    rejected(response, "Invalid email format")
    assert [(row_error["row"], row_error["field"], row_error["value"]) for row_error in response.json()["errors"]] == [
        (323, "email", "no-address")
    ]
    assert await caller.leads() == []


async def test_every_error_of_a_file_is_reported_at_once(caller: Caller) -> None:
    rows = [{"phone": "1", "email": "@", "lead_score": "999", "status": "x", "interest_level": "y"}] * 3

    response = await caller.import_file(csv_of(rows), await caller.create_campaign())

    rejected(response, "Invalid phone number format: 1")
    assert [(row_error["row"], row_error["message"]) for row_error in response.json()["errors"]] == [
        (row, message)
        for row in (2, 3, 4)
        for message in (
            "Invalid phone number format: 1",
            "Invalid email format",
            "Lead score must be between 0 and 100",
            "Invalid status value",
            "Invalid interest level",
        )
    ]


async def test_a_cell_of_deeply_nested_json_is_an_error_of_its_row(caller: Caller) -> None:
    row = {"phone": "4155550100", "custom_fields": '{"a":' * 300 + "1" + "}" * 300}

    response = await caller.import_file(csv_of([row]), await caller.create_campaign())

    assert response.status_code == 400
    assert [(row_error["row"], row_error["field"]) for row_error in response.json()["errors"]] == [(2, "custom_fields")]
