"""Webhooks across services: an event of one service is posted to the subscribers of another."""

import base64
import hashlib
import hmac
from collections.abc import AsyncIterator
from typing import Any

import httpx
import orjson
import pytest

from deploy.local.stack import Stack
from tests.fixtures.gateway import Caller
from tests.fixtures.waiting import eventually
from tests.fixtures.webhooks import Receiver, running_receiver


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A receiver on this machine, which the stack without Docker may send to."""
    async with running_receiver() as running:
        yield running


async def _send(caller: Caller, method: str, path: str = "", body: object = None) -> httpx.Response:
    url = f"/api/webhooks/company/{caller.company_id}/subscriptions{path}"
    response = await caller.gateway.http.request(method, url, json=body, headers=caller.headers)
    assert response.is_success, response.text
    return response


async def _log(caller: Caller, subscription: int) -> list[dict[str, Any]]:
    log: list[dict[str, Any]] = (await _send(caller, "GET", f"/{subscription}/deliveries")).json()["data"]
    return log


@pytest.mark.usefixtures("local_stack")
async def test_a_new_lead_is_posted_to_subscribers_of_its_company_only(
    caller: Caller, stranger: Caller, receiver: Receiver
) -> None:
    created = (await _send(caller, "POST", body={"url": receiver.url, "types": ["lead.*"]})).json()["data"]
    await _send(stranger, "POST", body={"url": f"{receiver.url}/stranger", "types": ["*"]})
    campaign = await caller.create_campaign()
    [lead] = await caller.imported("phone\n+14155552671\n", campaign)

    [request] = await receiver.wait_for_requests(1)
    assert request.path == "/hook"
    event = orjson.loads(request.body)
    assert (event["type"], event["companyid"], event["id"]) == ("lead.created.v1", caller.company_id, request.event_id)
    assert [posted["id"] for posted in event["data"]["leads"]] == [lead["id"]]
    key = base64.b64decode(created["secret"].removeprefix("whsec_"))
    content = f"{request.event_id}.{request.headers['webhook-timestamp']}.".encode() + request.body
    digest = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    assert request.headers["webhook-signature"] == f"v1,{digest}"

    async def logged() -> bool:
        return [delivery["status"] for delivery in await _log(caller, created["id"])] == ["delivered"]

    await eventually(logged)


async def test_a_killed_process_delivers_every_event_after_its_restart(
    local_stack: Stack, caller: Caller, receiver: Receiver
) -> None:
    created = (await _send(caller, "POST", body={"url": receiver.url, "types": ["campaign.*"]})).json()["data"]
    local_stack.process("webhook-events").kill()
    campaigns = [await caller.create_campaign() for _ in range(10)]

    async def all_delivered() -> bool:
        return [delivery["status"] for delivery in await _log(caller, created["id"])] == ["delivered"] * len(campaigns)

    await eventually(all_delivered, deadline=90)
    received = [orjson.loads(request.body)["data"]["campaign"]["id"] for request in receiver.requests]
    assert sorted(set(received)) == sorted(campaigns)
