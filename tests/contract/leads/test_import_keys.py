"""Imports with an Idempotency-Key: a repeated request is imported once."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from tests.contract.leads.rejections import rejected
from tests.fixtures.gateway import Caller, many_leads
from tests.fixtures.lead_imports import post_file, post_json

USED = {
    "message": "Idempotency-Key already used",
    "error": "This Idempotency-Key came with another request before; a new request needs a new key",
}


async def _jobs(caller: Caller) -> list[dict[str, Any]]:
    jobs: list[dict[str, Any]] = (await caller.get(f"{caller.import_path}s")).json()["data"]
    return jobs


def _is_replay_of(again: httpx.Response, first: httpx.Response) -> None:
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert again.headers["Location"] == first.headers["Location"]
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"


async def test_the_same_file_is_imported_once(caller: Caller) -> None:
    campaign_id = await caller.create_campaign()
    first = await post_file(caller, many_leads(3), campaign_id, key="k")
    again = await post_file(caller, many_leads(3), campaign_id, key="k")

    assert first.status_code == 201, first.text
    assert first.json()["imported_count"] == 3
    _is_replay_of(again, first)
    assert len(await caller.leads()) == 3
    assert len(await _jobs(caller)) == 1


async def test_the_name_of_the_file_may_differ(caller: Caller) -> None:
    campaign_id = await caller.create_campaign()
    responses = [
        await post_file(caller, many_leads(1), campaign_id, filename=name, key="k")
        for name in ("upload-1.csv", "upload-2.csv")
    ]
    _is_replay_of(responses[1], responses[0])


async def test_the_same_leads_as_json_are_imported_once(caller: Caller) -> None:
    body = {"campaign_id": await caller.create_campaign(), "leads": [{"phone": "+14155550100"}]}
    first = await post_json(caller, body, key="k")
    again = await post_json(caller, dict(reversed(body.items())), key="k")

    assert first.status_code == 201, first.text
    _is_replay_of(again, first)
    assert len(await caller.leads()) == 1


async def test_a_caller_who_does_not_wait_gets_the_same_job(caller: Caller) -> None:
    campaign_id = await caller.create_campaign()
    first = await post_file(caller, many_leads(2), campaign_id, key="k", respond_async=True)
    again = await post_file(caller, many_leads(2), campaign_id, key="k", respond_async=True)
    waited = await post_file(caller, many_leads(2), campaign_id, key="k")

    assert {response.headers["Location"] for response in (first, again, waited)} == {first.headers["Location"]}
    assert (first.status_code, again.status_code, waited.status_code) == (202, 202, 201)
    assert waited.json()["imported_count"] == len(await caller.leads()) == 2


@pytest.mark.parametrize("change", ["content", "campaign", "option", "default"])
async def test_a_key_with_another_request_is_rejected(caller: Caller, change: str) -> None:
    campaign_id = await caller.create_campaign()
    assert (await post_file(caller, many_leads(2), campaign_id, key="k")).status_code == 201
    content = many_leads(3 if change == "content" else 2)
    other_campaign = await caller.create_campaign() if change == "campaign" else campaign_id
    form: dict[str, Any] = {
        "option": {"on_error": "skip"},
        "default": {"default_values": json.dumps({"city": "Rome"})},
    }.get(change, {})

    response = await post_file(caller, content, other_campaign, key="k", **form)

    assert (response.status_code, response.json()) == (422, USED)
    assert len(await caller.leads()) == 2


async def test_one_of_several_concurrent_requests_imports(caller: Caller) -> None:
    campaign_id = await caller.create_campaign()
    responses = await asyncio.gather(*(post_file(caller, many_leads(5), campaign_id, key="k") for _ in range(8)))

    assert {response.status_code for response in responses} <= {201, 409}
    imported = [response.json()["leads"] for response in responses if response.status_code == 201]
    assert imported
    assert all(leads == imported[0] for leads in imported)
    assert len(await caller.leads()) == 5


async def test_a_failed_import_frees_its_key(caller: Caller) -> None:
    campaign_id = await caller.create_campaign()
    for _ in range(2):
        rejected(await post_file(caller, "phone\n12\n", campaign_id, key="k"), "Invalid phone number format: 12")

    corrected = await post_file(caller, many_leads(1), campaign_id, key="k")

    assert corrected.status_code == 201, corrected.text
    assert "Idempotency-Replayed" not in corrected.headers
    assert [job["status"] for job in await _jobs(caller)] == ["completed", "failed", "failed"]
    _is_replay_of(await post_file(caller, many_leads(1), campaign_id, key="k"), corrected)


async def test_an_undone_import_is_not_repeated(caller: Caller) -> None:
    campaign_id = await caller.create_campaign()
    first = await post_file(caller, many_leads(2), campaign_id, key="k")
    undone = await caller.gateway.http.delete(first.headers["Location"], headers=caller.headers)
    assert undone.status_code == 200

    again = await post_file(caller, many_leads(2), campaign_id, key="k")

    assert (again.status_code, again.json()["imported_count"], again.json()["leads"]) == (201, 2, [])
    assert await caller.leads() == []


async def test_keys_of_two_companies_are_independent(caller: Caller, stranger: Caller) -> None:
    for company in (caller, stranger):
        response = await post_file(company, many_leads(1), await company.create_campaign(), key="k")
        assert response.status_code == 201, response.text
        assert "Idempotency-Replayed" not in response.headers


@pytest.mark.parametrize("key", ["x" * 256, "two words", '"'])
async def test_a_malformed_key_is_rejected(caller: Caller, key: str) -> None:
    response = await post_file(caller, many_leads(1), await caller.create_campaign(), key=key)

    assert response.status_code == 400
    assert [row_error["field"] for row_error in response.json()["errors"]] == ["Idempotency-Key"]
    assert await caller.leads() == []
