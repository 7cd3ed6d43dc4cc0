"""Subscriptions and the log over HTTP: accepted and rejected requests, and responses."""

import base64
from typing import Any

import pytest

from services.webhook_svc.domain.event_types import EVENT_TYPES
from services.webhook_svc.subscriptions.subscription import MAX_SUBSCRIPTIONS
from shared.database.engine import Database
from shared.events.envelope import EventData
from shared.events.leads import LeadCreated, LeadDeleted
from tests.fixtures.events import lead
from tests.fixtures.servers import ServerUrls
from tests.fixtures.webhooks import URL, WebhookApi, api_settings, consume, webhook_api_with

BODY: dict[str, Any] = {"url": URL, "types": ["lead.*"], "description": "CRM", "active": True}


async def test_only_the_creation_returns_the_secret(webhook_api: WebhookApi, company: int) -> None:
    created = await webhook_api.send("POST", company, body=BODY)
    assert created.status_code == 201
    assert created.json()["message"] == "Subscription created successfully"
    subscription = created.json()["data"]
    assert subscription.items() >= {**BODY, "company_id": company, "status": "active", "status_reason": None}.items()
    secret = subscription.pop("secret")
    assert 24 <= len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) <= 64

    location = created.headers["Location"]
    assert location == f"/api/webhooks/company/{company}/subscriptions/{subscription['id']}"
    assert await webhook_api.read(subscription) == subscription
    listed = await webhook_api.send("GET", company)
    assert listed.json() == {"total": 1, "data": [subscription]}
    assert secret not in listed.text


async def test_absent_fields_get_their_defaults(webhook_api: WebhookApi, company: int) -> None:
    created = await webhook_api.send("POST", company, body={"url": URL, "types": ["*", "*"]})
    assert created.json()["data"].items() >= {"types": ["*"], "description": None, "active": True}.items()


async def test_a_subscription_can_be_created_disabled(webhook_api: WebhookApi, company: int) -> None:
    created = await webhook_api.subscribe(company, active=False)
    assert (created["active"], created["status"], created["status_reason"]) == (False, "disabled", "switched_off")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"url": "https://10.0.0.1/"}, "url"),
        ({"url": "https://example.com/\x00"}, "url"),
        ({"types": ["lead.*", "import.requested.v1"]}, "types.1"),
        ({"company_id": 7}, "company_id"),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_an_invalid_field_is_named_in_the_error(
    webhook_api: WebhookApi, company: int, method: str, changes: dict[str, Any], field: str
) -> None:
    path = f"/{(await webhook_api.subscribe(company))['id']}" if method == "PUT" else ""
    before = await webhook_api.rows("SELECT * FROM subscriptions")
    response = await webhook_api.send(method, company, path, body=BODY | changes)
    assert response.status_code == 400
    body = response.json()
    assert body["message"] == "Invalid request"
    assert body["error"].startswith((f"{field}: ", "Unknown field: ", f"{field}: Unknown field"))
    assert [error["field"] for error in body["errors"]] == [field]
    assert await webhook_api.rows("SELECT * FROM subscriptions") == before


@pytest.mark.parametrize("url", ["http://example.com/", "https://127.0.0.1/", "https://localhost/"])
async def test_http_and_loopback_are_rejected_unless_the_operator_allows_them(
    servers: ServerUrls, webhook_api: WebhookApi, webhooks_migrated: str, company: int, url: str
) -> None:
    strict = api_settings(servers, webhooks_migrated, webhook_allow_http=False, webhook_allowed_networks=())
    async with webhook_api_with(strict) as api:
        response = await api.send("POST", company, body=BODY | {"url": url})
    assert response.status_code == 400
    assert response.json()["errors"][0]["field"] == "url"
    assert (await webhook_api.send("POST", company, body=BODY | {"url": url})).status_code == 201


@pytest.mark.parametrize("event_type", EVENT_TYPES)
async def test_each_type_of_event_can_be_subscribed_to(webhook_api: WebhookApi, company: int, event_type: str) -> None:
    assert (await webhook_api.subscribe(company, URL, event_type))["types"] == [event_type]


async def test_a_company_has_a_maximum_number_of_subscriptions(webhook_api: WebhookApi, company: int) -> None:
    for _ in range(MAX_SUBSCRIPTIONS):
        await webhook_api.subscribe(company)
    rejected = await webhook_api.send("POST", company, body=BODY)
    assert rejected.status_code == 409
    assert rejected.json()["error"] == "A company can have at most 50 subscriptions"
    await webhook_api.subscribe(company + 1_000_000)


async def test_an_update_replaces_everything_but_the_secret(webhook_api: WebhookApi, company: int) -> None:
    subscription = await webhook_api.subscribe(company, URL, "*", description="CRM")
    updated = await webhook_api.send(
        "PUT", company, f"/{subscription['id']}", body={"url": f"{URL}/2", "types": ["campaign.*"]}
    )
    assert updated.status_code == 200
    current = updated.json()["data"]
    assert current.items() >= {"url": f"{URL}/2", "types": ["campaign.*"], "description": None, "active": True}.items()
    assert "secret" not in current
    assert await webhook_api.read(subscription) == current
    [row] = await webhook_api.rows("SELECT secret FROM subscriptions")
    assert row["secret"] == subscription["secret"]


async def test_a_paused_subscription_stays_paused_until_it_is_resumed(webhook_api: WebhookApi, company: int) -> None:
    subscription = await webhook_api.subscribe(company)
    await webhook_api.rows("UPDATE subscriptions SET state = 'paused', reason = 'failing'")
    updated = await webhook_api.send("PUT", company, f"/{subscription['id']}", body=BODY)
    assert updated.json()["data"]["status"] == "paused"
    tested = await webhook_api.send("POST", company, f"/{subscription['id']}/test")
    assert (tested.status_code, tested.json()["message"]) == (409, "Subscription is not active")
    resumed = await webhook_api.act(subscription, "resume")
    assert resumed.json()["data"].items() >= {"status": "active", "status_reason": None}.items()
    assert (await webhook_api.act(subscription, "resume")).json() == resumed.json()


@pytest.mark.parametrize("action", ["test", "resume", "redeliver"])
async def test_nothing_can_be_sent_to_a_disabled_subscription(
    webhook_api: WebhookApi, company: int, action: str
) -> None:
    subscription = await webhook_api.subscribe(company, active=False)
    body = {"since": "2024-03-01T00:00:00Z"} if action == "redeliver" else None
    response = await webhook_api.send("POST", company, f"/{subscription['id']}/{action}", body=body)
    assert response.status_code == 409
    assert response.json()["error"] == "It is disabled; update it with active: true first"


async def test_a_second_rotation_ends_the_oldest_secret(webhook_api: WebhookApi, company: int) -> None:
    subscription = await webhook_api.subscribe(company)
    secrets = [subscription["secret"]]
    for _ in range(2):
        rotated = (await webhook_api.act(subscription, "rotate-secret")).json()["data"]
        assert rotated["previous_secret_until"] is not None
        secrets.append(rotated["secret"])
    assert len(set(secrets)) == 3
    [row] = await webhook_api.rows("SELECT secret, previous_secret FROM subscriptions")
    assert [row["previous_secret"], row["secret"]] == secrets[1:]


async def test_a_repeated_request_with_the_same_key_creates_one_subscription(
    webhook_api: WebhookApi, company: int
) -> None:
    key = {"Idempotency-Key": "order-66"}
    first = await webhook_api.send("POST", company, body=BODY, headers=key)
    repeated = await webhook_api.send("POST", company, body=BODY, headers=key)
    assert (repeated.status_code, repeated.content) == (201, first.content)
    assert repeated.headers["Location"] == first.headers["Location"]
    assert repeated.headers["Idempotency-Replayed"] == "true"
    assert len(await webhook_api.rows("SELECT FROM subscriptions")) == 1


async def test_a_response_that_was_stored_before_version_0_2_is_replayed(webhook_api: WebhookApi, company: int) -> None:
    """It was stored whole, and not only the result."""
    key = {"Idempotency-Key": "order-67"}
    first = await webhook_api.send("POST", company, body=BODY, headers=key)
    await webhook_api.rows("UPDATE idempotency_keys SET status = 201, body = $1", first.content)
    repeated = await webhook_api.send("POST", company, body=BODY, headers=key)
    assert (repeated.status_code, repeated.json()) == (201, first.json())
    assert repeated.headers["Location"] == first.headers["Location"]


async def test_the_log_can_be_filtered_and_paged(
    webhook_api: WebhookApi, webhooks_database: Database, company: int
) -> None:
    subscription = await webhook_api.subscribe(company)
    kinds: list[type[EventData]] = [LeadCreated, LeadDeleted]
    for number in range(5):
        await consume(webhooks_database, kinds[number % 2].model_validate({"leads": [lead(1, company_id=company)]}))
    ids = [delivery["id"] for delivery in await webhook_api.log(subscription)]
    assert ids == sorted(ids)
    await webhook_api.rows("UPDATE deliveries SET status = 'failed', due_at = NULL WHERE id = $1", ids[1])
    await webhook_api.rows("UPDATE deliveries SET created_at = now() - interval '2 days' WHERE id = $1", ids[0])
    day_ago = (await webhook_api.rows("SELECT now() - interval '1 day' AS at"))[0]["at"].isoformat()

    for filters, expected in (
        ({"status": "failed"}, [ids[1]]),
        ({"status": "pending"}, [ids[0], *ids[2:]]),
        ({"status": "delivered"}, []),
        ({"type": "lead.deleted.v1"}, [ids[1], ids[3]]),
        ({"type": "lead.deleted.v1", "status": "pending"}, [ids[3]]),
        ({"since": day_ago}, ids[1:]),
    ):
        assert [delivery["id"] for delivery in await webhook_api.log(subscription, **filters)] == expected, filters

    path: str | None = (
        f"/api/webhooks/company/{company}/subscriptions/{subscription['id']}/deliveries?limit=2&status=pending"
    )
    pages = []
    while path is not None:
        page = await webhook_api.send("GET", company, path.split("/subscriptions", 1)[1])
        pages.append([delivery["id"] for delivery in page.json()["data"]])
        link = page.headers.get("Link")
        path = link[1:].split(">")[0] if link else None
    assert pages == [[ids[4], ids[3]], [ids[2], ids[0]]]


@pytest.mark.parametrize(
    "query", ["status=lost", "since=yesterday", "since=0001-01-01T00:00:00%2B14:00", "limit=0", "limit=201", "cursor=0"]
)
async def test_a_log_query_with_an_invalid_parameter_is_rejected(
    webhook_api: WebhookApi, company: int, query: str
) -> None:
    subscription = await webhook_api.subscribe(company)
    response = await webhook_api.send("GET", company, f"/{subscription['id']}/deliveries?{query}")
    assert response.status_code == 400
    assert response.json()["errors"][0]["field"] == query.partition("=")[0]


async def test_an_invalid_redelivery_range_is_rejected(webhook_api: WebhookApi, company: int) -> None:
    subscription = await webhook_api.subscribe(company)
    body = {"since": "2024-03-02T00:00:00Z", "until": "2024-03-01T00:00:00Z"}
    response = await webhook_api.send("POST", company, f"/{subscription['id']}/redeliver", body=body)
    assert response.status_code == 400


async def test_an_unknown_id_is_not_found(webhook_api: WebhookApi, company: int) -> None:
    subscription = await webhook_api.subscribe(company)
    for method, path in (("GET", "/1"), ("DELETE", "/1"), ("POST", "/1/resume"), ("GET", "/1/deliveries")):
        response = await webhook_api.send(method, company, path)
        assert (response.status_code, response.json()["message"]) == (404, "Subscription not found")
    for method, path in (("GET", "deliveries/1"), ("POST", "deliveries/1/redeliver")):
        response = await webhook_api.send(method, company, f"/{subscription['id']}/{path}")
        assert (response.status_code, response.json()["message"]) == (404, "Delivery not found")
