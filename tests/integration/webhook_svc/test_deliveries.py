"""Deliveries: what a receiver gets, and what becomes of what it does not take."""

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
from shared.database.engine import Database
from shared.events.envelope import Envelope
from shared.events.leads import LeadCreated
from tests.fixtures.campaigns import bearer, claims
from tests.fixtures.events import lead
from tests.fixtures.waiting import eventually
from tests.fixtures.webhooks import Received, Receiver, WebhookApi, delivering, told


def new_lead(company: int, lead_id: int = 1) -> LeadCreated:
    return LeadCreated(leads=[lead(lead_id, company_id=company)])


def signature(secret: str, request: Received) -> str:
    """As the specification of Standard Webhooks describes it, computed by itself."""
    key = base64.b64decode(secret.split("_", 1)[1])
    content = f"{request.headers['webhook-id']}.{request.headers['webhook-timestamp']}.".encode() + request.body
    return "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()


async def test_an_event_arrives_signed(
    webhook_api: WebhookApi, webhooks_database: Database, receiver: Receiver, company: int
) -> None:
    subscription = await webhook_api.subscribe(company, receiver.url, "lead.*")
    [event] = await told(webhooks_database, new_lead(company))
    async with delivering(webhooks_database):
        [request] = await receiver.received(1)
        [delivery] = await webhook_api.settled(subscription, "delivered")

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


async def test_only_who_subscribed_to_it_gets_an_event(
    webhook_api: WebhookApi, webhooks_database: Database, receiver: Receiver, company: int
) -> None:
    wanting = [
        await webhook_api.subscribe(company, f"{receiver.url}/{n}", kind) for n, kind in enumerate(("*", "lead.*"))
    ]
    for kind in ("campaign.*", "lead.deleted.v1"):
        await webhook_api.subscribe(company, f"{receiver.url}/not-this-type", kind)
    await webhook_api.subscribe(company, f"{receiver.url}/off", active=False)
    await webhook_api.subscribe(company + 1_000_000, f"{receiver.url}/another-company")
    await told(webhooks_database, new_lead(company))
    async with delivering(webhooks_database):
        for subscription in wanting:
            await webhook_api.settled(subscription, "delivered")
    assert sorted(request.path for request in receiver.requests) == ["/hook/0", "/hook/1"]
    assert len(await webhook_api.rows("SELECT FROM deliveries")) == 2


async def test_events_of_several_companies_that_arrive_together_go_to_each_its_own(
    webhook_api: WebhookApi, webhooks_database: Database, company: int
) -> None:
    companies = (company, company + 1_000_000)
    subscriptions = [await webhook_api.subscribe(each) for each in companies]
    events = await told(webhooks_database, *(new_lead(each) for each in companies))
    for subscription, event in zip(subscriptions, events, strict=True):
        assert [each["event_id"] for each in await webhook_api.log(subscription)] == [str(event.id)]


async def test_an_event_that_comes_again_is_not_delivered_again(
    webhook_api: WebhookApi, webhooks_database: Database, company: int
) -> None:
    """Even when the inbox has forgotten it."""
    await webhook_api.subscribe(company)
    events = await told(webhooks_database, new_lead(company))
    async with webhooks_database.transaction() as connection:
        assert await handler.store(connection, events) == 0
    assert len(await webhook_api.rows("SELECT FROM deliveries")) == 1


async def test_what_fails_is_tried_again_until_it_succeeds(
    webhook_api: WebhookApi, webhooks_database: Database, receiver: Receiver, company: int
) -> None:
    receiver.will_answer(500, 404)
    subscription = await webhook_api.subscribe(company, receiver.url)
    [event] = await told(webhooks_database, new_lead(company))
    async with delivering(webhooks_database):
        for number in (1, 2):
            await receiver.received(number)
            [waiting] = await webhook_api.settled(subscription, "pending")
            assert waiting["next_attempt_at"] is not None
            await webhook_api.make_due()
        [delivery] = await webhook_api.settled(subscription, "delivered")

    assert [request.event_id for request in receiver.requests] == [str(event.id)] * 3
    assert len({request.body for request in receiver.requests}) == 1
    assert [attempt["http_status"] for attempt in delivery["attempts"]] == [500, 404, 200]
    assert [attempt["error"] for attempt in delivery["attempts"]] == ["Answered 500", "Answered 404", None]
    assert (await webhook_api.shown(subscription))["failing_since"] is None


async def test_the_pauses_grow_with_the_attempts(
    webhook_api: WebhookApi, webhooks_database: Database, receiver: Receiver, company: int
) -> None:
    receiver.will_answer(500, 500, 500)
    subscription = await webhook_api.subscribe(company, receiver.url)
    await told(webhooks_database, new_lead(company))
    longest = []
    async with delivering(webhooks_database):
        for number in (1, 2, 3):
            await receiver.received(number)
            await webhook_api.settled(subscription, "pending")
            [row] = await webhook_api.rows(
                "SELECT tries, due_at <= now() + make_interval(secs => 1) AS soon FROM deliveries"
            )
            longest.append(row["tries"])
            await webhook_api.make_due()
        await webhook_api.settled(subscription, "delivered")
    assert longest == [1, 2, 3]


@pytest.mark.parametrize("status", [429, 503])
async def test_a_receiver_that_asks_for_time_gets_it(
    webhook_api: WebhookApi, webhooks_database: Database, receiver: Receiver, company: int, status: int
) -> None:
    receiver.will_answer(status, headers={"Retry-After": "1800"})
    subscription = await webhook_api.subscribe(company, receiver.url)
    await told(webhooks_database, new_lead(company))
    async with delivering(webhooks_database):
        await receiver.received(1)
        await webhook_api.settled(subscription, "pending")
    [row] = await webhook_api.rows("SELECT extract(epoch FROM due_at - now())::float8 AS pause FROM deliveries")
    assert row["pause"] == pytest.approx(1800, abs=60)


async def test_a_delivery_fails_when_it_was_tried_for_a_day(
    webhook_api: WebhookApi, webhooks_database: Database, receiver: Receiver, company: int
) -> None:
    receiver.will_answer(500, 500)
    subscription = await webhook_api.subscribe(company, receiver.url)
    await told(webhooks_database, new_lead(company))
    async with delivering(webhooks_database):
        await receiver.received(1)
        await webhook_api.settled(subscription, "pending")
        # Another event got through meanwhile, so that the subscription is not paused for it.
        await webhook_api.rows("UPDATE subscriptions SET failing_since = NULL")
        await webhook_api.rows("UPDATE deliveries SET trying_since = trying_since - interval '1 day'")
        await webhook_api.make_due()
        [delivery] = await webhook_api.settled(subscription, "failed")
    assert [attempt["http_status"] for attempt in delivery["attempts"]] == [500, 500]
    assert delivery["next_attempt_at"] is None
    assert (await webhook_api.shown(subscription))["status"] == "active"


async def test_a_receiver_that_is_gone_is_left_alone(
    webhook_api: WebhookApi, webhooks_database: Database, receiver: Receiver, company: int
) -> None:
    receiver.will_answer(410)
    subscription = await webhook_api.subscribe(company, receiver.url)
    await told(webhooks_database, new_lead(company))
    async with delivering(webhooks_database):
        await webhook_api.settled(subscription, "failed")
    await told(webhooks_database, new_lead(company, 2))
    shown = await webhook_api.shown(subscription)
    assert (shown["active"], shown["status"], shown["status_reason"]) == (False, "disabled", "gone")
    assert len(await webhook_api.log(subscription)) == 1


async def test_nobody_is_paused_for_one_failure(
    webhook_api: WebhookApi, webhooks_database: Database, receiver: Receiver, company: int
) -> None:
    receiver.will_answer(500, 500)
    subscription = await webhook_api.subscribe(company, receiver.url)
    await told(webhooks_database, new_lead(company))
    async with delivering(webhooks_database):
        await receiver.received(1)
        await webhook_api.settled(subscription, "pending")
        await webhook_api.let_pass(hours=23)
        await receiver.received(2)
        await webhook_api.settled(subscription, "pending")
    shown = await webhook_api.shown(subscription)
    assert shown["status"] == "active"
    assert shown["failing_since"] is not None


async def test_who_fails_for_a_day_is_paused_and_gets_everything_in_order_when_resumed(
    webhook_api: WebhookApi, webhooks_database: Database, receiver: Receiver, company: int
) -> None:
    receiver.will_answer(500, 500)
    subscription = await webhook_api.subscribe(company, receiver.url)
    first = await told(webhooks_database, new_lead(company))
    async with delivering(webhooks_database, at_once=1) as deliverer:
        await receiver.received(1)
        await webhook_api.settled(subscription, "pending")
        await webhook_api.let_pass(hours=24)
        with capture_logs():
            await receiver.received(2)
            await webhook_api.settled(subscription, "failed")
        shown = await webhook_api.shown(subscription)
        assert (shown["active"], shown["status"], shown["status_reason"]) == (True, "paused", "failing")

        later = [event for n in range(5) for event in await told(webhooks_database, new_lead(company, 2 + n))]
        await deliverer.wake()
        held = await webhook_api.settled(subscription, "failed", *["held"] * 5)
        assert all(each["next_attempt_at"] is None for each in held[1:])
        assert [each["id"] for each in await webhook_api.log(subscription, status="held")] == [
            e["id"] for e in held[1:]
        ]
        assert await webhook_api.log(subscription, status="pending") == []
        # It came before the others, and waits longest by its schedule.
        await webhook_api.rows("UPDATE deliveries SET due_at = now() + interval '1 hour' WHERE id = $1", held[1]["id"])
        assert len(receiver.requests) == 2

        assert (await webhook_api.act(subscription, "resume")).json()["data"]["status"] == "active"
        await webhook_api.settled(subscription, "failed", *["delivered"] * 5)
    assert [request.event_id for request in receiver.requests[2:]] == [str(event.id) for event in later]
    assert receiver.requests[0].event_id == str(first[0].id)
    assert (await webhook_api.shown(subscription))["failing_since"] is None


async def test_switching_off_holds_what_waits_and_lets_the_rest_pass(
    webhook_api: WebhookApi, webhooks_database: Database, receiver: Receiver, company: int
) -> None:
    subscription = await webhook_api.subscribe(company, receiver.url)
    body = {"url": receiver.url, "types": ["*"]}
    await told(webhooks_database, new_lead(company, 1))
    await webhook_api.send("PUT", company, f"/{subscription['id']}", body={**body, "active": False})
    await told(webhooks_database, new_lead(company, 2))
    async with delivering(webhooks_database):
        assert [each["status"] for each in await webhook_api.log(subscription)] == ["held"]
        await webhook_api.send("PUT", company, f"/{subscription['id']}", body=body)
        await webhook_api.settled(subscription, "delivered")
    assert len(receiver.requests) == 1


async def test_a_delivery_is_made_anew_when_it_is_asked_for(
    webhook_api: WebhookApi, webhooks_database: Database, receiver: Receiver, company: int
) -> None:
    subscription = await webhook_api.subscribe(company, receiver.url)
    await told(webhooks_database, new_lead(company))
    async with delivering(webhooks_database):
        [delivery] = await webhook_api.settled(subscription, "delivered")
        answer = await webhook_api.act(subscription, f"deliveries/{delivery['id']}/redeliver")
        assert answer.status_code == 202
        assert answer.json()["status"] == "pending"
        await receiver.received(2)
        [delivery] = await webhook_api.settled(subscription, "delivered")
    assert len({request.event_id for request in receiver.requests}) == 1
    assert [attempt["number"] for attempt in delivery["attempts"]] == [1, 2]


async def test_what_waits_is_sent_at_once_when_it_is_asked_for(
    webhook_api: WebhookApi, webhooks_database: Database, receiver: Receiver, company: int
) -> None:
    receiver.will_answer(503, headers={"Retry-After": "3600"})
    subscription = await webhook_api.subscribe(company, receiver.url)
    await told(webhooks_database, new_lead(company))
    async with delivering(webhooks_database):
        await receiver.received(1)
        [delivery] = await webhook_api.settled(subscription, "pending")
        await webhook_api.act(subscription, f"deliveries/{delivery['id']}/redeliver")
        await webhook_api.settled(subscription, "delivered")


async def test_a_range_is_made_anew(
    webhook_api: WebhookApi, webhooks_database: Database, receiver: Receiver, company: int
) -> None:
    subscription = await webhook_api.subscribe(company, receiver.url)
    events = [event for n in range(6) for event in await told(webhooks_database, new_lead(company, n + 1))]
    await webhook_api.rows(
        "UPDATE deliveries SET due_at = NULL, status = CASE WHEN place % 2 = 0 THEN 'failed' ELSE 'delivered' END"
        "::delivery_status, created_at = '2024-03-01T09:00:00Z'::timestamptz + place * interval '1 hour'"
        " FROM (SELECT id, row_number() OVER (ORDER BY id) - 1 AS place FROM deliveries) AS numbered"
        " WHERE numbered.id = deliveries.id"
    )
    async with delivering(webhooks_database, at_once=1):
        body = {"since": "2024-03-01T10:00:00Z", "until": "2024-03-01T13:00:00Z", "status": "failed"}
        assert (await webhook_api.act(subscription, "redeliver", body)).json()["count"] == 1
        await webhook_api.settled(subscription, "failed", *["delivered"] * 3, "failed", "delivered")
        body = {"since": "2024-03-01T12:00:00+01:00"}
        assert (await webhook_api.act(subscription, "redeliver", body)).json()["count"] == 4
        await receiver.received(5)
        await webhook_api.settled(subscription, "failed", *["delivered"] * 5)
    sent = [[str(event.id) for event in events].index(request.event_id) for request in receiver.requests]
    assert sent == [2, 2, 3, 4, 5]


async def test_for_a_day_after_a_rotation_there_are_two_signatures(
    webhook_api: WebhookApi, webhooks_database: Database, receiver: Receiver, company: int
) -> None:
    subscription = await webhook_api.subscribe(company, receiver.url)
    rotated = (await webhook_api.act(subscription, "rotate-secret")).json()["data"]
    assert rotated["secret"] != subscription["secret"]
    async with delivering(webhooks_database):
        await told(webhooks_database, new_lead(company, 1))
        await receiver.received(1)
        await webhook_api.let_pass(hours=25)
        await told(webhooks_database, new_lead(company, 2))
        both, new = await receiver.received(2)
        await webhook_api.settled(subscription, "delivered", "delivered")
    assert both.headers["webhook-signature"].split(" ") == [
        signature(rotated["secret"], both),
        signature(subscription["secret"], both),
    ]
    assert new.headers["webhook-signature"] == signature(rotated["secret"], new)
    async with webhooks_database.transaction() as connection:
        assert await repository.forget_secrets(connection) == 1
    [row] = await webhook_api.rows("SELECT previous_secret FROM subscriptions")
    assert row["previous_secret"] is None


async def test_a_test_sends_a_ping_and_tells_how_it_went(
    webhook_api: WebhookApi, webhooks_database: Database, receiver: Receiver, company: int
) -> None:
    receiver.will_answer(500)
    subscription = await webhook_api.subscribe(company, receiver.url, "campaign.*")
    async with delivering(webhooks_database):
        response = await webhook_api.act(subscription, "test")
        [request] = await receiver.received(1)
        [delivery] = await webhook_api.settled(subscription, "failed")
        assert (await webhook_api.shown(subscription))["failing_since"] is None
        await webhook_api.act(subscription, "test")
        await webhook_api.settled(subscription, "failed", "delivered")
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


async def test_what_is_too_old_is_forgotten_with_its_log(
    webhook_api: WebhookApi, webhooks_database: Database, receiver: Receiver, company: int
) -> None:
    subscription = await webhook_api.subscribe(company, receiver.url)
    await told(webhooks_database, new_lead(company, 1))
    async with delivering(webhooks_database):
        await webhook_api.settled(subscription, "delivered")
        await webhook_api.let_pass(hours=8 * 24)
        await told(webhooks_database, new_lead(company, 2))
        await webhook_api.settled(subscription, "delivered", "delivered")
    async with webhooks_database.transaction() as connection:
        assert await repository.delete_expired(connection, timedelta(days=7)) == 1
    assert len(await webhook_api.log(subscription)) == 1
    assert len(await webhook_api.rows("SELECT FROM attempts")) == 1


async def test_a_deleted_subscription_takes_what_waits_with_it(
    webhook_api: WebhookApi, webhooks_database: Database, receiver: Receiver, company: int
) -> None:
    subscription = await webhook_api.subscribe(company, receiver.url)
    other = await webhook_api.subscribe(company, f"{receiver.url}/other")
    await told(webhooks_database, new_lead(company))
    assert (await webhook_api.send("DELETE", company, f"/{subscription['id']}")).status_code == 200
    async with delivering(webhooks_database):
        await webhook_api.settled(other, "delivered")
    assert [request.path for request in receiver.requests] == ["/hook/other"]


async def test_what_there_is_to_do_is_measured(
    webhook_api: WebhookApi, webhooks_database: Database, company: int
) -> None:
    active, waiting, off = [await webhook_api.subscribe(company) for _ in range(3)]
    await told(webhooks_database, new_lead(company))
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
