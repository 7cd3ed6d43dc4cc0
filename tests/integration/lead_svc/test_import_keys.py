"""What an Idempotency-Key of an import stands for while its job waits, and when nobody could do it."""

import asyncio

import httpx
import pytest

from tests.fixtures.gateway import Caller, Gateway, many_leads
from tests.fixtures.lead_imports import ASYNC, post_file
from tests.fixtures.leads import LeadService

COMPANY = 7


@pytest.fixture
async def campaign_id(lead_service: LeadService) -> int:
    """A campaign that the service knows."""
    return await lead_service.knows_campaign(1, COMPANY)


async def _send(api: Gateway, campaign_id: int, *, respond_async: bool = True) -> httpx.Response:
    return await post_file(Caller(api, COMPANY), many_leads(2), campaign_id, respond_async=respond_async, key="k")


async def test_what_is_sent_again_waits_for_the_job_of_the_first_time(
    lead_service: LeadService, campaign_id: int
) -> None:
    async with lead_service.api() as api:
        first = await _send(api, campaign_id)
        repeated = asyncio.create_task(_send(api, campaign_id, respond_async=False))
        async with lead_service.events(), lead_service.worker():
            again = await repeated

    assert (first.status_code, again.status_code) == (202, 201)
    assert again.headers["Location"] == first.headers["Location"]
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json()["imported_count"] == await lead_service.value("SELECT count(*) FROM leads") == 2


async def test_what_was_imported_is_answered_though_its_campaign_is_deleted_since(
    lead_service: LeadService, campaign_id: int
) -> None:
    async with lead_service.api() as api:
        first = await _send(api, campaign_id)
        await lead_service.execute("UPDATE campaigns SET deleted = true")
        again = await _send(api, campaign_id)

    assert (first.status_code, again.status_code) == (202, 202)
    assert again.headers["Location"] == first.headers["Location"]


@pytest.mark.parametrize("status", ["failed", "aborted"])
async def test_a_job_that_imported_nothing_leaves_its_key_free(
    lead_service: LeadService, campaign_id: int, status: str
) -> None:
    async with lead_service.api() as api:
        first = await _send(api, campaign_id)
        await lead_service.execute(f"UPDATE imports SET status = '{status}', finished_at = now()")
        again = await _send(api, campaign_id)

    assert (first.status_code, again.status_code) == (202, 202)
    assert again.headers["Location"] != first.headers["Location"]
    assert "Idempotency-Replayed" not in again.headers
    assert await lead_service.value("SELECT count(*) FROM imports") == 2


async def test_a_file_may_have_a_name_that_no_text_can_hold(lead_service: LeadService, campaign_id: int) -> None:
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
