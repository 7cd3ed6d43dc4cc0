"""An Idempotency-Key of an import while its job waits, and after no worker could process it."""

import asyncio

import httpx
import pytest

from tests.fixtures.gateway import Caller, Gateway, many_leads
from tests.fixtures.lead_imports import ASYNC, post_file
from tests.fixtures.lead_service import LeadService

COMPANY = 7


@pytest.fixture
async def campaign_id(lead_service: LeadService) -> int:
    """A campaign that the service knows."""
    return await lead_service.knows_campaign(1, COMPANY)


async def _send(api: Gateway, campaign_id: int, *, respond_async: bool = True) -> httpx.Response:
    return await post_file(Caller(api, COMPANY), many_leads(2), campaign_id, respond_async=respond_async, key="k")


async def test_a_repeated_request_waits_for_the_first_job(lead_service: LeadService, campaign_id: int) -> None:
    async with lead_service.api() as api:
        first = await _send(api, campaign_id)
        repeated = asyncio.create_task(_send(api, campaign_id, respond_async=False))
        async with lead_service.events(), lead_service.worker():
            again = await repeated

    assert (first.status_code, again.status_code) == (202, 201)
    assert again.headers["Location"] == first.headers["Location"]
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json()["imported_count"] == await lead_service.value("SELECT count(*) FROM leads") == 2


async def test_a_repeated_request_succeeds_although_the_campaign_has_been_deleted(
    lead_service: LeadService, campaign_id: int
) -> None:
    async with lead_service.api() as api:
        first = await _send(api, campaign_id)
        await lead_service.execute("UPDATE campaigns SET deleted = true")
        again = await _send(api, campaign_id)

    assert (first.status_code, again.status_code) == (202, 202)
    assert again.headers["Location"] == first.headers["Location"]


@pytest.mark.parametrize("status", ["failed", "aborted"])
async def test_a_failed_or_aborted_job_frees_its_key(lead_service: LeadService, campaign_id: int, status: str) -> None:
    async with lead_service.api() as api:
        first = await _send(api, campaign_id)
        await lead_service.execute(f"UPDATE imports SET status = '{status}', finished_at = now()")
        again = await _send(api, campaign_id)

    assert (first.status_code, again.status_code) == (202, 202)
    assert again.headers["Location"] != first.headers["Location"]
    assert "Idempotency-Replayed" not in again.headers
    assert await lead_service.value("SELECT count(*) FROM imports") == 2


async def test_a_file_name_may_have_characters_that_postgresql_cannot_store(
    lead_service: LeadService, campaign_id: int
) -> None:
    """Half a surrogate pair, which a form in UTF-7 can write."""
    boundary = "b0undary"
    form = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="+2AA-.csv"\r\n\r\n{many_leads(1)}\r\n'
        f'--{boundary}\r\nContent-Disposition: form-data; name="campaign_id"\r\n\r\n{campaign_id}\r\n--{boundary}--\r\n'
    )
    async with lead_service.api() as api:
        caller = Caller(api, COMPANY)
        kind = {"Content-Type": f"multipart/form-data; boundary={boundary}; charset=utf-7"}
        response = await api.http.post(
            caller.import_path, content=form.encode(), headers=caller.headers | ASYNC | kind | {"Idempotency-Key": "k"}
        )

    assert response.status_code < httpx.codes.INTERNAL_SERVER_ERROR, response.text
