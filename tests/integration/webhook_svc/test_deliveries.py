"""Deliveries: what a receiver gets, and what follows a failure."""

import base64
import hashlib
import hmac
import time
from datetime import timedelta

import orjson
import pytest
from structlog.testing import capture_logs

from services.webhook_svc.fanout import handler
from services.webhook_svc.sending import repository
from services.webhook_svc.subscriptions.repository import delete_expired_secrets
from shared.database.engine import Database
from shared.events.envelope import Envelope
from shared.events.leads import LeadCreated
from tests.fixtures.campaigns import bearer, claims
from tests.fixtures.events import lead
from tests.fixtures.waiting import eventually
from tests.fixtures.webhooks import ReceivedRequest, Receiver, WebhookApi, consume, running_deliverer


def new_lead(company: int, lead_id: int = 1) -> LeadCreated:
    return LeadCreated(leads=[lead(lead_id, company_id=company)])


def signature(secret: str, request: ReceivedRequest) -> str:
    """Return the signature, computed here from the specification of Standard Webhooks."""
    key = base64.b64decode(secret.split("_", 1)[1])
    content = f"{request.headers['webhook-id']}.{request.headers['webhook-timestamp']}.".encode() + request.body
    return "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()


async def test_a_receiver_gets_a_signed_event(
    webhook_api: WebhookApi, webhooks_database: Database, receiver: Receiver, company: int
) -> None:
    subscription = await webhook_api.subscribe(company, receiver.url, "lead.*")
    [event] = await consume(webhooks_database, new_lead(company))
    async with running_deliverer(webhooks_database):
        [request] = await receiver.wait_for_requests(1)
        [delivery] = await webhook_api.wait_for_statuses(subscription, "delivered")

    assert request.path == "/hook"
    assert request.headers["content-type"] == "application/cloudevents+json"
    assert request.headers["user-agent"].startswith("VoiceCampaigns-Webhooks/")
    assert request.headers["webhook-id"] == str(event.id)
    assert abs(int(request.headers["webhook-timestamp"]) - time.time()) < 60
    assert request.headers["webhook-signature"] == signature(subscription["secret"], request)
    assert Envelope.model_validate(orjson.loads(request.body)) == event
    assert (delivery["event_id"], delivery["event_type"]) == (str(event.id), "lead.created.v1")
    assert delivery["next_attempt_at"] is None
    [attempt] = delivery["attempts"]
    assert (attempt["number"], attempt["http_status"], attempt["error"]) == (1, 200, None)
    assert attempt["duration_ms"] >= 0


async def test_only_matching_subscriptions_get_an_event(
    webhook_api: WebhookApi, webhooks_database: Database, receiver: Receiver, company: int
) -> None:
    matching = [
        await webhook_api.subscribe(company, f"{receiver.url}/{n}", kind) for n, kind in enumerate(("*", "lead.*"))
    ]
    for kind in ("campaign.*", "lead.deleted.v1"):
        await webhook_api.subscribe(company, f"{receiver.url}/not-this-type", kind)
    await webhook_api.subscribe(company, f"{receiver.url}/off", active=False)
    await webhook_api.subscribe(company + 1_000_000, f"{receiver.url}/another-company")
    await consume(webhooks_database, new_lead(company))
    async with running_deliverer(webhooks_database):
        for subscription in matching:
            await webhook_api.wait_for_statuses(subscription, "delivered")
    assert sorted(request.path for request in receiver.requests) == ["/hook/0", "/hook/1"]
    assert len(await webhook_api.rows("SELECT FROM deliveries")) == 2


async def test_events_of_several_companies_in_one_batch_go_to_the_right_company(
    webhook_api: WebhookApi, webhooks_database: Database, company: int
) -> None:
    companies = (company, company + 1_000_000)
    subscriptions = [await webhook_api.subscribe(company_id) for company_id in companies]
    events = await consume(webhooks_database, *(new_lead(company_id) for company_id in companies))
    for subscription, event in zip(subscriptions, events, strict=True):
        assert [delivery["event_id"] for delivery in await webhook_api.log(subscription)] == [str(event.id)]


async def test_a_repeated_event_is_not_delivered_twice(
    webhook_api: WebhookApi, webhooks_database: Database, company: int
) -> None:
    """Even after its inbox row was deleted."""
    await webhook_api.subscribe(company)
    events = await consume(webhooks_database, new_lead(company))
    async with webhooks_database.transaction() as connection:
        assert await handler.fan_out(connection, events) == 0
    assert len(await webhook_api.rows("SELECT FROM deliveries")) == 1


async def test_a_failed_delivery_is_retried_until_it_succeeds(
    webhook_api: WebhookApi, webhooks_database: Database, receiver: Receiver, company: int
) -> None:
    receiver.respond_next(500, 404)
    subscription = await webhook_api.subscribe(company, receiver.url)
    [event] = await consume(webhooks_database, new_lead(company))
    async with running_deliverer(webhooks_database):
        for number in (1, 2):
            await receiver.wait_for_requests(number)
            [waiting] = await webhook_api.wait_for_statuses(subscription, "pending")
            assert waiting["next_attempt_at"] is not None
            await webhook_api.make_due()
        [delivery] = await webhook_api.wait_for_statuses(subscription, "delivered")

    assert [request.event_id for request in receiver.requests] == [str(event.id)] * 3
    assert len({request.body for request in receiver.requests}) == 1
    assert [attempt["http_status"] for attempt in delivery["attempts"]] == [500, 404, 200]
    assert [attempt["error"] for attempt in delivery["attempts"]] == ["Answered 500", "Answered 404", None]
    assert (await webhook_api.read(subscription))["failing_since"] is None


async def test_each_attempt_counts_for_the_retry_schedule(
    webhook_api: WebhookApi, webhooks_database: Database, receiver: Receiver, company: int
) -> None:
    receiver.respond_next(500, 500, 500)
    subscription = await webhook_api.subscribe(company, receiver.url)
    await consume(webhooks_database, new_lead(company))
    tries = []
    async with running_deliverer(webhooks_database):
        for number in (1, 2, 3):
            await receiver.wait_for_requests(number)
            await webhook_api.wait_for_statuses(subscription, "pending")
            [row] = await webhook_api.rows(
                "SELECT tries, due_at <= now() + make_interval(secs => 1) AS soon FROM deliveries"
            )
            tries.append(row["tries"])
            await webhook_api.make_due()
        await webhook_api.wait_for_statuses(subscription, "delivered")
    assert tries == [1, 2, 3]


@pytest.mark.parametrize("status", [429, 503])
async def test_retry_after_is_respected(
    webhook_api: WebhookApi, webhooks_database: Database, receiver: Receiver, company: int, status: int
) -> None:
    receiver.respond_next(status, headers={"Retry-After": "1800"})
    subscription = await webhook_api.subscribe(company, receiver.url)
    await consume(webhooks_database, new_lead(company))
    async with running_deliverer(webhooks_database):
        await receiver.wait_for_requests(1)
        await webhook_api.wait_for_statuses(subscription, "pending")
    [row] = await webhook_api.rows("SELECT extract(epoch FROM due_at - now())::float8 AS pause FROM deliveries")
    assert row["pause"] == pytest.approx(1800, abs=60)


async def test_a_delivery_fails_after_a_day_of_attempts(
    webhook_api: WebhookApi, webhooks_database: Database, receiver: Receiver, company: int
) -> None:
    receiver.respond_next(500, 500)
    subscription = await webhook_api.subscribe(company, receiver.url)
    await consume(webhooks_database, new_lead(company))
    async with running_deliverer(webhooks_database):
        await receiver.wait_for_requests(1)
        await webhook_api.wait_for_statuses(subscription, "pending")
        # Another event was delivered meanwhile, so the subscription is not paused.
        await webhook_api.rows("UPDATE subscriptions SET failing_since = NULL")
        await webhook_api.rows("UPDATE deliveries SET trying_since = trying_since - interval '1 day'")
        await webhook_api.make_due()
        [delivery] = await webhook_api.wait_for_statuses(subscription, "failed")
    assert [attempt["http_status"] for attempt in delivery["attempts"]] == [500, 500]
    assert delivery["next_attempt_at"] is None
    assert (await webhook_api.read(subscription))["status"] == "active"


async def test_a_response_410_disables_the_subscription(
    webhook_api: WebhookApi, webhooks_database: Database, receiver: Receiver, company: int
) -> None:
    receiver.respond_next(410)
    subscription = await webhook_api.subscribe(company, receiver.url)
    await consume(webhooks_database, new_lead(company))
    async with running_deliverer(webhooks_database):
        await webhook_api.wait_for_statuses(subscription, "failed")
    await consume(webhooks_database, new_lead(company, 2))
    current = await webhook_api.read(subscription)
    assert (current["active"], current["status"], current["status_reason"]) == (False, "disabled", "gone")
    assert len(await webhook_api.log(subscription)) == 1


async def test_a_subscription_is_not_paused_before_it_failed_for_a_day(
    webhook_api: WebhookApi, webhooks_database: Database, receiver: Receiver, company: int
) -> None:
    receiver.respond_next(500, 500)
    subscription = await webhook_api.subscribe(company, receiver.url)
    await consume(webhooks_database, new_lead(company))
    async with running_deliverer(webhooks_database):
        await receiver.wait_for_requests(1)
        await webhook_api.wait_for_statuses(subscription, "pending")
        await webhook_api.move_into_past(hours=23)
        await receiver.wait_for_requests(2)
        await webhook_api.wait_for_statuses(subscription, "pending")
    current = await webhook_api.read(subscription)
    assert current["status"] == "active"
    assert current["failing_since"] is not None


async def test_a_subscription_is_paused_after_a_day_of_failures_and_gets_retained_events_in_order_when_resumed(
    webhook_api: WebhookApi, webhooks_database: Database, receiver: Receiver, company: int
) -> None:
    receiver.respond_next(500, 500)
    subscription = await webhook_api.subscribe(company, receiver.url)
    first = await consume(webhooks_database, new_lead(company))
    async with running_deliverer(webhooks_database, concurrency_per_subscription=1) as deliverer:
        await receiver.wait_for_requests(1)
        await webhook_api.wait_for_statuses(subscription, "pending")
        await webhook_api.move_into_past(hours=24)
        with capture_logs():
            await receiver.wait_for_requests(2)
            await webhook_api.wait_for_statuses(subscription, "failed")
        current = await webhook_api.read(subscription)
        assert (current["active"], current["status"], current["status_reason"]) == (True, "paused", "failing")

        later = [event for n in range(5) for event in await consume(webhooks_database, new_lead(company, 2 + n))]
        await deliverer.notify()
        retained = await webhook_api.wait_for_statuses(subscription, "failed", *["held"] * 5)
        assert all(delivery["next_attempt_at"] is None for delivery in retained[1:])
        assert [delivery["id"] for delivery in await webhook_api.log(subscription, status="held")] == [
            e["id"] for e in retained[1:]
        ]
        assert await webhook_api.log(subscription, status="pending") == []
        # The oldest of them is due last by its retry schedule.
        await webhook_api.rows(
            "UPDATE deliveries SET due_at = now() + interval '1 hour' WHERE id = $1", retained[1]["id"]
        )
        assert len(receiver.requests) == 2

        assert (await webhook_api.act(subscription, "resume")).json()["data"]["status"] == "active"
        await webhook_api.wait_for_statuses(subscription, "failed", *["delivered"] * 5)
    assert [request.event_id for request in receiver.requests[2:]] == [str(event.id) for event in later]
    assert receiver.requests[0].event_id == str(first[0].id)
    assert (await webhook_api.read(subscription))["failing_since"] is None


async def test_disabling_retains_pending_deliveries_and_skips_later_events(
    webhook_api: WebhookApi, webhooks_database: Database, receiver: Receiver, company: int
) -> None:
    subscription = await webhook_api.subscribe(company, receiver.url)
    body = {"url": receiver.url, "types": ["*"]}
    await consume(webhooks_database, new_lead(company, 1))
    await webhook_api.send("PUT", company, f"/{subscription['id']}", body={**body, "active": False})
    await consume(webhooks_database, new_lead(company, 2))
    async with running_deliverer(webhooks_database):
        assert [delivery["status"] for delivery in await webhook_api.log(subscription)] == ["held"]
        await webhook_api.send("PUT", company, f"/{subscription['id']}", body=body)
        await webhook_api.wait_for_statuses(subscription, "delivered")
    assert len(receiver.requests) == 1


async def test_a_delivered_event_can_be_redelivered(
    webhook_api: WebhookApi, webhooks_database: Database, receiver: Receiver, company: int
) -> None:
    subscription = await webhook_api.subscribe(company, receiver.url)
    await consume(webhooks_database, new_lead(company))
    async with running_deliverer(webhooks_database):
        [delivery] = await webhook_api.wait_for_statuses(subscription, "delivered")
        response = await webhook_api.act(subscription, f"deliveries/{delivery['id']}/redeliver")
        assert response.status_code == 202
        assert response.json()["status"] == "pending"
        await receiver.wait_for_requests(2)
        [delivery] = await webhook_api.wait_for_statuses(subscription, "delivered")
    assert len({request.event_id for request in receiver.requests}) == 1
    assert [attempt["number"] for attempt in delivery["attempts"]] == [1, 2]


async def test_a_redelivery_of_a_pending_delivery_is_sent_at_once(
    webhook_api: WebhookApi, webhooks_database: Database, receiver: Receiver, company: int
) -> None:
    receiver.respond_next(503, headers={"Retry-After": "3600"})
    subscription = await webhook_api.subscribe(company, receiver.url)
    await consume(webhooks_database, new_lead(company))
    async with running_deliverer(webhooks_database):
        await receiver.wait_for_requests(1)
        [delivery] = await webhook_api.wait_for_statuses(subscription, "pending")
        await webhook_api.act(subscription, f"deliveries/{delivery['id']}/redeliver")
        await webhook_api.wait_for_statuses(subscription, "delivered")


async def test_a_range_of_deliveries_can_be_redelivered(
    webhook_api: WebhookApi, webhooks_database: Database, receiver: Receiver, company: int
) -> None:
    subscription = await webhook_api.subscribe(company, receiver.url)
    events = [event for n in range(6) for event in await consume(webhooks_database, new_lead(company, n + 1))]
    await webhook_api.rows(
        "UPDATE deliveries SET due_at = NULL, status = CASE WHEN place % 2 = 0 THEN 'failed' ELSE 'delivered' END"
        "::delivery_status, created_at = '2024-03-01T09:00:00Z'::timestamptz + place * interval '1 hour'"
        " FROM (SELECT id, row_number() OVER (ORDER BY id) - 1 AS place FROM deliveries) AS numbered"
        " WHERE numbered.id = deliveries.id"
    )
    async with running_deliverer(webhooks_database, concurrency_per_subscription=1):
        body = {"since": "2024-03-01T10:00:00Z", "until": "2024-03-01T13:00:00Z", "status": "failed"}
        assert (await webhook_api.act(subscription, "redeliver", body)).json()["count"] == 1
        await webhook_api.wait_for_statuses(subscription, "failed", *["delivered"] * 3, "failed", "delivered")
        body = {"since": "2024-03-01T12:00:00+01:00"}
        assert (await webhook_api.act(subscription, "redeliver", body)).json()["count"] == 4
        await receiver.wait_for_requests(5)
        await webhook_api.wait_for_statuses(subscription, "failed", *["delivered"] * 5)
    sent = [[str(event.id) for event in events].index(request.event_id) for request in receiver.requests]
    assert sent == [2, 2, 3, 4, 5]


async def test_messages_have_two_signatures_for_a_day_after_a_rotation(
    webhook_api: WebhookApi, webhooks_database: Database, receiver: Receiver, company: int
) -> None:
    subscription = await webhook_api.subscribe(company, receiver.url)
    rotated = (await webhook_api.act(subscription, "rotate-secret")).json()["data"]
    assert rotated["secret"] != subscription["secret"]
    async with running_deliverer(webhooks_database):
        await consume(webhooks_database, new_lead(company, 1))
        await receiver.wait_for_requests(1)
        await webhook_api.move_into_past(hours=25)
        await consume(webhooks_database, new_lead(company, 2))
        both, new = await receiver.wait_for_requests(2)
        await webhook_api.wait_for_statuses(subscription, "delivered", "delivered")
    assert both.headers["webhook-signature"].split(" ") == [
        signature(rotated["secret"], both),
        signature(subscription["secret"], both),
    ]
    assert new.headers["webhook-signature"] == signature(rotated["secret"], new)
    async with webhooks_database.transaction() as connection:
        assert await delete_expired_secrets(connection) == 1
    [row] = await webhook_api.rows("SELECT previous_secret FROM subscriptions")
    assert row["previous_secret"] is None


async def test_a_test_sends_a_ping_once_and_its_delivery_shows_the_result(
    webhook_api: WebhookApi, webhooks_database: Database, receiver: Receiver, company: int
) -> None:
    receiver.respond_next(500)
    subscription = await webhook_api.subscribe(company, receiver.url, "campaign.*")
    async with running_deliverer(webhooks_database):
        response = await webhook_api.act(subscription, "test")
        [request] = await receiver.wait_for_requests(1)
        [delivery] = await webhook_api.wait_for_statuses(subscription, "failed")
        assert (await webhook_api.read(subscription))["failing_since"] is None
        await webhook_api.act(subscription, "test")
        await webhook_api.wait_for_statuses(subscription, "failed", "delivered")
    assert response.status_code == 202
    assert delivery["id"] == response.json()["delivery_id"]
    assert delivery["event_type"] == "webhook.ping.v1"
    ping = orjson.loads(request.body)
    assert (ping["type"], ping["companyid"], ping["id"]) == ("webhook.ping.v1", company, request.event_id)
    assert ping["data"] == {"subscription_id": subscription["id"]}
    assert request.headers["webhook-signature"] == signature(subscription["secret"], request)
    location = response.headers["Location"]
    found = await webhook_api.client.get(location, headers=bearer(claims(company)))
    assert found.json()["event"] == ping


async def test_expired_events_are_deleted_with_their_log(
    webhook_api: WebhookApi, webhooks_database: Database, receiver: Receiver, company: int
) -> None:
    subscription = await webhook_api.subscribe(company, receiver.url)
    await consume(webhooks_database, new_lead(company, 1))
    async with running_deliverer(webhooks_database):
        await webhook_api.wait_for_statuses(subscription, "delivered")
        await webhook_api.move_into_past(hours=8 * 24)
        await consume(webhooks_database, new_lead(company, 2))
        await webhook_api.wait_for_statuses(subscription, "delivered", "delivered")
    async with webhooks_database.transaction() as connection:
        assert await repository.delete_expired(connection, timedelta(days=7)) == 1
    assert len(await webhook_api.log(subscription)) == 1
    assert len(await webhook_api.rows("SELECT FROM attempts")) == 1


async def test_pending_deliveries_are_deleted_with_their_subscription(
    webhook_api: WebhookApi, webhooks_database: Database, receiver: Receiver, company: int
) -> None:
    subscription = await webhook_api.subscribe(company, receiver.url)
    other = await webhook_api.subscribe(company, f"{receiver.url}/other")
    await consume(webhooks_database, new_lead(company))
    assert (await webhook_api.send("DELETE", company, f"/{subscription['id']}")).status_code == 200
    async with running_deliverer(webhooks_database):
        await webhook_api.wait_for_statuses(other, "delivered")
    assert [request.path for request in receiver.requests] == ["/hook/other"]


async def test_the_backlog_is_counted(webhook_api: WebhookApi, webhooks_database: Database, company: int) -> None:
    active, waiting, off = [await webhook_api.subscribe(company) for _ in range(3)]
    await consume(webhooks_database, new_lead(company))
    await webhook_api.rows(
        "UPDATE deliveries SET due_at = now() + CASE WHEN subscription_id = $1 THEN interval '1 hour'"
        " ELSE interval '-90 s' END",
        waiting["id"],
    )
    await webhook_api.rows("UPDATE subscriptions SET state = 'disabled' WHERE id = $1", off["id"])
    async with webhooks_database.transaction() as connection:
        backlog = await repository.backlog(connection)
    assert (backlog.due, backlog.waiting, backlog.held) == (1, 1, 1)
    assert backlog.oldest_seconds == pytest.approx(90, abs=30)
    assert (await eventually(lambda: webhook_api.log(active)))[0]["status"] == "pending"
