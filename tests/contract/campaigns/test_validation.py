"""Endpoint 1: rejected bodies and their errors."""

from typing import Any

import httpx
import pytest

from tests.fixtures.campaigns import CampaignApi, bearer, campaign_body, claims

NEVER = "Never fires between the campaign's start and end"

WIRING: list[tuple[dict[str, Any], str, str]] = [
    ({"name": None}, "name", "Missing required field: name"),
    ({"tags": ["a\0"]}, "tags.0", "must not contain a NUL character"),
    ({"calls_per_day": "5"}, "calls_per_day", "Input should be a valid integer"),
    ({"budget": 10.001}, "budget", "Decimal input should have no more than 2 decimal places"),
    ({"end_date": "2024-03-01T09:59:00+01:00"}, "end_date", "Must be after start_date"),
    ({"recurrence_rule": "FREQ=DAILY;UNTIL=20240229"}, "recurrence_rule", NEVER),
    ({"colour": None}, "colour", "Unknown field: colour"),
]
"""One rule of each kind. All rules of the schema are in ``tests/unit/campaign_svc/test_campaign_schema.py``."""


@pytest.mark.parametrize(("changes", "field", "message"), WIRING)
async def test_an_invalid_campaign_is_rejected_with_the_field_and_not_stored(
    campaign_api: CampaignApi, company: int, changes: dict[str, Any], field: str, message: str
) -> None:
    response = await campaign_api.post(campaign_body(company, **changes), company)
    assert response.status_code == 400, response.text
    answer = response.json()
    assert [(error["field"], error["message"]) for error in answer["errors"]] == [(field, message)]
    assert answer["message"] == "Invalid request"
    assert answer["error"] == f"{field}: {message}"
    assert (await campaign_api.get("", company)).json() == []


async def test_one_response_contains_every_error_of_a_body(campaign_api: CampaignApi, company: int) -> None:
    body = campaign_body(
        company,
        name="",
        status="running",
        calls_per_day="many",
        calling_hours_end="09:00:00",
        working_days=["Monday", "Funday"],
        budget=-1,
        tags=["", "x" * 51],
        end_date="2024-01-01 00:00:00",
        recurrence_rule="FREQ=NEVER",
        colour="red",
    )
    del body["script_template"]
    answer = (await campaign_api.post(body, company)).json()
    assert {error["field"] for error in answer["errors"]} == {
        "name",
        "status",
        "calls_per_day",
        "calling_hours_end",
        "working_days.1",
        "script_template",
        "budget",
        "tags.0",
        "tags.1",
        "end_date",
        "recurrence_rule",
        "colour",
    }


async def test_an_error_contains_the_rejected_value(campaign_api: CampaignApi, company: int) -> None:
    long = "x" * 300
    answer = (await campaign_api.post(campaign_body(company, calls_per_day=True, name=long), company)).json()
    assert {error["field"]: error["value"] for error in answer["errors"]} == {
        "name": "x" * 100,
        "calls_per_day": "true",
    }
    missing = (await campaign_api.post(campaign_body(company, name=None), company)).json()
    assert missing["errors"][0]["value"] is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b"42",
        b"\xff\xfe",
        b"[" * 50_000,
        b'{"name": ' + b"9" * 5_000 + b"}",
        b'{"name": "\\ud800"}',
        b'{"\\ud800": 1}',
        b'{"budget": NaN, "cost_per_call": Infinity}',
    ],
    ids=lambda content: content[:20].decode(errors="replace"),
)
async def test_a_body_that_is_not_a_json_object_is_rejected(
    campaign_api: CampaignApi, company: int, content: bytes
) -> None:
    headers = {**bearer(claims(company)), "Content-Type": "application/json"}
    response = await campaign_api.client.post("/api/voice-campaigns", content=content, headers=headers)
    assert response.status_code == 400, response.text
    assert response.json().keys() >= {"message", "error"}


async def test_a_body_with_another_content_type_is_rejected(campaign_api: CampaignApi, company: int) -> None:
    content = httpx.Request("POST", "http://campaigns", json=campaign_body(company)).content
    headers = {**bearer(claims(company)), "Content-Type": "text/plain"}
    response = await campaign_api.client.post("/api/voice-campaigns", content=content, headers=headers)
    assert response.status_code == 400
    assert response.json()["error"] == "Must be a JSON object, sent as application/json"
