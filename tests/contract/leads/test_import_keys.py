"""Imports with an Idempotency-Key: a file that is sent again because its answer was lost is imported once."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from tests.contract.leads.refusals import refused
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


async def test_a_file_that_has_another_name_now_is_the_same(caller: Caller) -> None:
    campaign_id = await caller.create_campaign()
    answers = [
        await post_file(caller, many_leads(1), campaign_id, filename=name, key="k")
        for name in ("upload-1.csv", "upload-2.csv")
    ]
    _is_replay_of(answers[1], answers[0])


async def test_the_same_leads_as_json_are_imported_once(caller: Caller) -> None:
    body = {"campaign_id": await caller.create_campaign(), "leads": [{"phone": "+14155550100"}]}
    first = await post_json(caller, body, key="k")
    again = await post_json(caller, dict(reversed(body.items())), key="k")

    assert first.status_code == 201, first.text
    _is_replay_of(again, first)
    assert len(await caller.leads()) == 1


async def test_a_caller_who_does_not_wait_is_shown_the_same_job(caller: Caller) -> None:
    campaign_id = await caller.create_campaign()
    first = await post_file(caller, many_leads(2), campaign_id, key="k", respond_async=True)
    again = await post_file(caller, many_leads(2), campaign_id, key="k", respond_async=True)
    waited = await post_file(caller, many_leads(2), campaign_id, key="k")

    assert {answer.headers["Location"] for answer in (first, again, waited)} == {first.headers["Location"]}
    assert (first.status_code, again.status_code, waited.status_code) == (202, 202, 201)
    assert waited.json()["imported_count"] == len(await caller.leads()) == 2


@pytest.mark.parametrize("change", ["content", "campaign", "option", "default"])
async def test_a_key_that_came_with_something_else_is_refused(caller: Caller, change: str) -> None:
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


async def test_of_requests_at_the_same_moment_one_imports(caller: Caller) -> None:
    campaign_id = await caller.create_campaign()
    answers = await asyncio.gather(*(post_file(caller, many_leads(5), campaign_id, key="k") for _ in range(8)))

    assert {answer.status_code for answer in answers} <= {201, 409}
    imported = [answer.json()["leads"] for answer in answers if answer.status_code == 201]
    assert imported
    assert all(leads == imported[0] for leads in imported)
    assert len(await caller.leads()) == 5


async def test_a_file_that_was_refused_may_be_mended_under_its_key(caller: Caller) -> None:
    campaign_id = await caller.create_campaign()
    for _ in range(2):
        refused(await post_file(caller, "phone\n12\n", campaign_id, key="k"), "Invalid phone number format: 12")

    mended = await post_file(caller, many_leads(1), campaign_id, key="k")

    assert mended.status_code == 201, mended.text
    assert "Idempotency-Replayed" not in mended.headers
    assert [job["status"] for job in await _jobs(caller)] == ["completed", "failed", "failed"]
    _is_replay_of(await post_file(caller, many_leads(1), campaign_id, key="k"), mended)


async def test_an_import_that_was_undone_is_not_done_again(caller: Caller) -> None:
    campaign_id = await caller.create_campaign()
    first = await post_file(caller, many_leads(2), campaign_id, key="k")
    undone = await caller.gateway.http.delete(first.headers["Location"], headers=caller.headers)
    assert undone.status_code == 200

    again = await post_file(caller, many_leads(2), campaign_id, key="k")

    assert (again.status_code, again.json()["imported_count"], again.json()["leads"]) == (201, 2, [])
    assert await caller.leads() == []


async def test_keys_of_two_companies_have_nothing_to_do_with_each_other(caller: Caller, stranger: Caller) -> None:
    for company in (caller, stranger):
        response = await post_file(company, many_leads(1), await company.create_campaign(), key="k")
        assert response.status_code == 201, response.text
        assert "Idempotency-Replayed" not in response.headers


@pytest.mark.parametrize("key", ["x" * 256, "two words", '"'])
async def test_a_malformed_key_is_refused_by_name(caller: Caller, key: str) -> None:
    response = await post_file(caller, many_leads(1), await caller.create_campaign(), key=key)

    assert response.status_code == 400
    assert [fault["field"] for fault in response.json()["errors"]] == ["Idempotency-Key"]
    assert await caller.leads() == []
