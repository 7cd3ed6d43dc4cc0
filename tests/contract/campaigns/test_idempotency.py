"""Endpoint 1 with an Idempotency-Key: the same request is executed once and then replayed."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import orjson
import pytest
from structlog.testing import capture_logs

from shared.database.engine import Database
from shared.database.idempotency_keys import delete_expired
from tests.fixtures.campaigns import CONTRACT_EXAMPLE, CampaignApi, bearer, campaign_body, claims
from tests.fixtures.waiting import eventually

REPEATED = ("etag", "location", "content-type")


async def _create(
    api: CampaignApi, body: object, *companies: int, key: str | bytes, subject: str = "tests"
) -> httpx.Response:
    """Send a body or its bytes with a key."""
    headers = [
        (b"Authorization", bearer(claims(*companies, sub=subject))["Authorization"].encode()),
        (b"Content-Type", b"application/json"),
        (b"Idempotency-Key", key.encode() if isinstance(key, str) else key),
    ]
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    return await api.client.post("/api/voice-campaigns", content=content, headers=headers)


async def _count(api: CampaignApi, company: int) -> tuple[int, int]:
    """Return how many campaigns and how many events a company has."""
    return len((await api.get("", company)).json()), len(await api.events(company))


def _is_replay_of(again: httpx.Response, first: httpx.Response) -> None:
    assert again.status_code == first.status_code == 201
    assert again.content == first.content
    assert {name: again.headers[name] for name in REPEATED} == {name: first.headers[name] for name in REPEATED}
    assert again.headers["Idempotency-Replayed"] == "true"


async def test_the_first_response_is_as_without_a_key(campaign_api: CampaignApi, company: int) -> None:
    response = await _create(campaign_api, campaign_body(company), company, key="first")
    assert response.status_code == 201
    created = response.json()["data"]
    assert response.json() == {"message": "Voice campaign created successfully", "data": created}
    assert response.headers["Location"] == f"/api/voice-campaigns/{created['id']}"
    assert response.headers["ETag"] == '"1"'
    assert "Idempotency-Replayed" not in response.headers
    assert await campaign_api.read(created) == created


async def test_the_location_of_a_created_campaign_returns_it(campaign_api: CampaignApi, company: int) -> None:
    response = await campaign_api.post(campaign_body(company), company)
    current = await campaign_api.client.get(response.headers["Location"], headers=bearer(claims(company)))
    assert current.json() == response.json()["data"]


async def test_the_same_request_is_executed_once_and_replayed(campaign_api: CampaignApi, company: int) -> None:
    first, *others = [
        await _create(campaign_api, campaign_body(company), company, key=f"again-{company}") for _ in range(3)
    ]
    assert "Idempotency-Replayed" not in first.headers
    for again in others:
        _is_replay_of(again, first)
    assert await _count(campaign_api, company) == (1, 1)


async def test_a_response_that_an_earlier_version_stored_is_replayed(campaign_api: CampaignApi, company: int) -> None:
    """Before version 0.2 the whole response was stored, with its status and headers."""
    key = f"earlier-{company}"
    first = await _create(campaign_api, campaign_body(company), company, key=key)
    headers = {"ETag": first.headers["ETag"], "Location": first.headers["Location"]}
    await campaign_api.rows(
        "UPDATE idempotency_keys SET status = 201, headers = $2::text::jsonb, body = $3 WHERE key = $1",
        key,
        orjson.dumps(headers).decode(),
        first.content,
    )
    _is_replay_of(await _create(campaign_api, campaign_body(company), company, key=key), first)


async def test_without_a_key_the_same_request_is_executed_again(campaign_api: CampaignApi, company: int) -> None:
    for _ in range(2):
        await campaign_api.post(campaign_body(company), company)
    assert await _count(campaign_api, company) == (2, 2)


async def test_another_key_is_another_request(campaign_api: CampaignApi, company: int) -> None:
    for key in ("one", "two", "ONE"):
        response = await _create(campaign_api, campaign_body(company), company, key=f"{key}-{company}")
        assert "Idempotency-Replayed" not in response.headers
    assert await _count(campaign_api, company) == (3, 3)


async def test_the_first_response_is_replayed_after_the_campaign_has_changed(
    campaign_api: CampaignApi, company: int
) -> None:
    first = await _create(campaign_api, campaign_body(company), company, key=f"changed-{company}")
    await campaign_api.transition("start", first.json()["data"]["id"], company)
    _is_replay_of(await _create(campaign_api, campaign_body(company), company, key=f"changed-{company}"), first)
    assert (await campaign_api.read(first.json()["data"]))["status"] == "active"


async def test_a_deleted_campaign_is_not_created_again(campaign_api: CampaignApi, company: int) -> None:
    first = await _create(campaign_api, campaign_body(company), company, key=f"deleted-{company}")
    await campaign_api.delete(first.json()["data"]["id"], company)
    _is_replay_of(await _create(campaign_api, campaign_body(company), company, key=f"deleted-{company}"), first)
    assert (await campaign_api.get("", company)).json() == []


@pytest.mark.parametrize(
    "second",
    [
        pytest.param(lambda body: orjson.dumps(body | {"name": "Other"}), id="another value"),
        pytest.param(lambda body: orjson.dumps(body) + b" ", id="the same with another space"),
        pytest.param(lambda body: orjson.dumps(body, option=orjson.OPT_SORT_KEYS), id="the same in another order"),
        pytest.param(lambda body: orjson.dumps(body | {"notes": None}), id="a field less"),
    ],
)
async def test_other_content_with_a_used_key_is_rejected(campaign_api: CampaignApi, company: int, second: Any) -> None:
    body = campaign_body(company)
    await _create(campaign_api, body, company, key=f"used-{company}")
    before = await campaign_api.stored(company)
    response = await _create(campaign_api, second(body), company, key=f"used-{company}")
    assert response.status_code == 422
    assert response.json()["message"] == "Idempotency-Key already used"
    assert response.json().keys() == {"message", "error"}
    assert "Idempotency-Replayed" not in response.headers
    assert await campaign_api.stored(company) == before


async def test_a_used_key_is_replayed_after_a_rejected_request(campaign_api: CampaignApi, company: int) -> None:
    first = await _create(campaign_api, campaign_body(company), company, key=f"still-{company}")
    await _create(campaign_api, campaign_body(company, name="Other"), company, key=f"still-{company}")
    _is_replay_of(await _create(campaign_api, campaign_body(company), company, key=f"still-{company}"), first)


async def test_two_callers_may_use_the_same_key(campaign_api: CampaignApi, company: int) -> None:
    responses = [
        await _create(campaign_api, campaign_body(company), company, key=f"own-{company}", subject=subject)
        for subject in ("anna", "ben")
    ]
    assert [response.status_code for response in responses] == [201, 201]
    assert all("Idempotency-Replayed" not in response.headers for response in responses)
    assert await _count(campaign_api, company) == (2, 2)


async def test_a_key_used_for_another_company_is_used(campaign_api: CampaignApi, company: int) -> None:
    other = company + 1_000_000
    await _create(campaign_api, campaign_body(company), company, other, key=f"of-caller-{company}")
    response = await _create(campaign_api, campaign_body(other), company, other, key=f"of-caller-{company}")
    assert response.status_code == 422


async def test_no_response_is_replayed_to_a_token_that_no_longer_covers_the_company(
    campaign_api: CampaignApi, company: int
) -> None:
    await _create(campaign_api, campaign_body(company), company, key=f"left-{company}")
    response = await _create(campaign_api, campaign_body(company), company + 1_000_000, key=f"left-{company}")
    assert response.status_code == 403
    assert "Idempotency-Replayed" not in response.headers
    assert CONTRACT_EXAMPLE["name"] not in response.text


@pytest.mark.parametrize(
    ("refused", "companies", "status"),
    [({"name": ""}, True, 400), ({"company_id": "x"}, True, 400), ({}, False, 403)],
    ids=["invalid", "invalid company", "company outside the token"],
)
async def test_a_rejected_request_stores_no_key(
    campaign_api: CampaignApi, company: int, refused: dict[str, object], companies: bool, status: int
) -> None:
    key = f"refused-{company}"
    body = campaign_body(company, **refused)
    response = await _create(campaign_api, body, *([company] if companies else []), key=key)
    assert response.status_code == status
    response = await _create(campaign_api, campaign_body(company), company, key=key)
    assert response.status_code == 201
    assert "Idempotency-Replayed" not in response.headers


async def test_a_failed_request_stores_no_key(campaign_api: CampaignApi, company: int) -> None:
    await campaign_api.rows(f"ALTER TABLE outbox ADD CONSTRAINT refused CHECK (company_id <> {company})")
    try:
        with capture_logs():
            failed = await _create(campaign_api, campaign_body(company), company, key=f"failed-{company}")
    finally:
        await campaign_api.rows("ALTER TABLE outbox DROP CONSTRAINT refused")
    assert failed.status_code == 500
    response = await _create(campaign_api, campaign_body(company), company, key=f"failed-{company}")
    assert response.status_code == 201
    assert "Idempotency-Replayed" not in response.headers
    assert await _count(campaign_api, company) == (1, 1)


async def test_a_second_request_during_the_first_is_rejected_as_in_progress(
    campaign_api: CampaignApi, company: int
) -> None:
    async def waits() -> bool:
        return bool(
            await campaign_api.rows("SELECT FROM pg_locks WHERE NOT granted AND relation = 'campaigns'::regclass")
        )

    async with campaign_api.database.acquire() as holder:
        async with holder.transaction():
            await holder.execute("LOCK TABLE campaigns IN SHARE MODE")  # no one can write, everyone can read
            first = asyncio.create_task(
                _create(campaign_api, campaign_body(company), company, key=f"progress-{company}")
            )
            await eventually(waits)
            second = await asyncio.wait_for(
                _create(campaign_api, campaign_body(company), company, key=f"progress-{company}"), 5
            )
        done = await first
    assert second.status_code == 409
    assert second.json()["message"] == "Request in progress"
    assert second.json().keys() == {"message", "error"}
    assert done.status_code == 201
    _is_replay_of(await _create(campaign_api, campaign_body(company), company, key=f"progress-{company}"), done)
    assert await _count(campaign_api, company) == (1, 1)


async def test_of_many_concurrent_requests_one_is_executed(campaign_api: CampaignApi, company: int) -> None:
    responses = await asyncio.gather(
        *(_create(campaign_api, campaign_body(company), company, key=f"many-{company}") for _ in range(20))
    )
    done = [response for response in responses if response.status_code == 201]
    assert {response.status_code for response in responses} <= {201, 409}
    assert len({response.content for response in done}) == 1
    assert sum("Idempotency-Replayed" not in response.headers for response in done) == 1
    assert await _count(campaign_api, company) == (1, 1)


async def test_a_key_may_be_quoted_or_bare(campaign_api: CampaignApi, company: int) -> None:
    first = await _create(campaign_api, campaign_body(company), company, key=f'"quoted-{company}"')
    again = await _create(campaign_api, campaign_body(company), company, key=f"quoted-{company}")
    _is_replay_of(again, first)


@pytest.mark.parametrize(
    "key",
    [
        "8e03978e-40d5-43e8-bc93-6894a57f9324",
        '"8e03978e-40d5-43e8-bc93-6894a57f9325"',
        '"with spaces"',
        "x" * 255,
        f'"{"y" * 255}"',
        "0",
        "a/b:c+d=e~f",
    ],
)
async def test_a_key_of_any_usual_form_is_accepted(campaign_api: CampaignApi, company: int, key: str) -> None:
    subject = f"forms {company}"
    first = await _create(campaign_api, campaign_body(company), company, key=key, subject=subject)
    assert first.status_code == 201, first.text
    _is_replay_of(await _create(campaign_api, campaign_body(company), company, key=key, subject=subject), first)


@pytest.mark.parametrize(
    "key",
    [
        pytest.param("", id="empty"),
        pytest.param("   ", id="blank"),
        pytest.param('""', id="quoted empty"),
        pytest.param("two words", id="spaces unquoted"),
        pytest.param("x" * 256, id="too long"),
        pytest.param(f'"{"x" * 256}"', id="quoted too long"),
        pytest.param('"open', id="not closed"),
        pytest.param('open"', id="not opened"),
        pytest.param('"a"b"', id="a quote inside"),
        pytest.param("schlüssel".encode(), id="not ASCII"),
        pytest.param(b'"schl\xfcssel"', id="quoted, not ASCII"),
        pytest.param(b"a\tb", id="a tab"),
    ],
)
async def test_a_malformed_key_is_rejected(campaign_api: CampaignApi, company: int, key: str | bytes) -> None:
    response = await _create(campaign_api, campaign_body(company), company, key=key)
    assert response.status_code == 400, response.text
    assert [error["field"] for error in response.json()["errors"]] == ["Idempotency-Key"]
    assert response.json()["error"].startswith("Idempotency-Key: ")
    assert await _count(campaign_api, company) == (0, 0)


async def test_a_response_is_stored_for_a_day(campaign_api: CampaignApi, company: int) -> None:
    key = f"day-{company}"
    first = await _create(campaign_api, campaign_body(company), company, key=key)
    await _age(campaign_api, key, "23 hours 59 minutes")
    _is_replay_of(await _create(campaign_api, campaign_body(company), company, key=key), first)


async def test_after_a_day_a_key_is_new(campaign_api: CampaignApi, company: int) -> None:
    key = f"two-days-{company}"
    first = await _create(campaign_api, campaign_body(company), company, key=key)
    await _age(campaign_api, key, "24 hours 1 second")
    second = await _create(campaign_api, campaign_body(company, name="Another"), company, key=key)
    assert second.status_code == 201
    assert second.json()["data"]["id"] != first.json()["data"]["id"]
    assert "Idempotency-Replayed" not in second.headers
    _is_replay_of(await _create(campaign_api, campaign_body(company, name="Another"), company, key=key), second)


async def _age(api: CampaignApi, key: str, age: str) -> None:
    query = f"UPDATE idempotency_keys SET created_at = now() - interval '{age}' WHERE key = $1 RETURNING key"
    assert len(await api.rows(query, key)) == 1


async def test_response_and_campaign_are_stored_in_one_transaction(campaign_api: CampaignApi, company: int) -> None:
    """A failed commit stores neither campaign nor response."""
    await campaign_api.rows(
        """
        CREATE FUNCTION refuse_at_commit() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'refused at commit'; END $$
        """
    )
    await campaign_api.rows(
        f"""
        CREATE CONSTRAINT TRIGGER refused AFTER INSERT ON campaigns DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW WHEN (NEW.company_id = {company}) EXECUTE FUNCTION refuse_at_commit()
        """
    )
    try:
        with capture_logs():
            failed = await _create(campaign_api, campaign_body(company), company, key=f"commit-{company}")
    finally:
        await campaign_api.rows("DROP TRIGGER refused ON campaigns")
        await campaign_api.rows("DROP FUNCTION refuse_at_commit")
    assert failed.status_code == 500
    assert await campaign_api.rows("SELECT FROM idempotency_keys WHERE key = $1", f"commit-{company}") == []


async def test_other_operations_ignore_the_key(campaign_api: CampaignApi, company: int) -> None:
    """A repeated transition is rejected by the lifecycle itself."""
    created = await campaign_api.create(campaign_body(company))
    headers = {"Idempotency-Key": f"step-{company}"}
    responses = [await campaign_api.transition("start", created["id"], company, headers=headers) for _ in range(2)]
    assert [response.status_code for response in responses] == [200, 409]


async def test_keys_are_deleted_after_a_day(campaign_api: CampaignApi, campaigns_database: str, company: int) -> None:
    key = f"for-a-day-{company}"
    await _create(campaign_api, campaign_body(company), company, key=key)
    database = Database(campaigns_database, name="forgetting")

    async def is_stored(age: timedelta) -> bool:
        aged = "UPDATE idempotency_keys SET created_at = now() - $2::interval WHERE key = $1"
        await campaign_api.rows(aged, key, age)
        async with database.transaction() as connection:
            await delete_expired(connection)
        return bool(await campaign_api.rows("SELECT FROM idempotency_keys WHERE key = $1", key))

    try:
        assert await is_stored(timedelta(hours=23, minutes=59))
        assert not await is_stored(timedelta(hours=24, minutes=1))
    finally:
        await database.close()
