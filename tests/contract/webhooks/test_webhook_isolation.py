"""Access to subscriptions and deliveries: a token covers its companies and no others."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import jwt
import pytest

from services.webhook_svc.app import create_api_app
from services.webhook_svc.settings import WebhookApiSettings
from shared.database.engine import Database
from shared.events.leads import LeadCreated
from tests.fixtures.campaigns import bearer, claims
from tests.fixtures.events import lead
from tests.fixtures.webhooks import URL, WebhookApi, consume

PREFIX = "/api/webhooks/company/{companyId}/subscriptions"
BODY = {"url": URL, "types": ["*"]}
RANGE = {"since": "2024-03-01T00:00:00Z"}
ON_A_COMPANY: dict[str, tuple[str, str, object]] = {
    "create": ("POST", "", BODY),
    "list": ("GET", "", None),
}
ON_A_SUBSCRIPTION: dict[str, tuple[str, str, object]] = {
    "get": ("GET", "/{subscriptionId}", None),
    "update": ("PUT", "/{subscriptionId}", BODY),
    "delete": ("DELETE", "/{subscriptionId}", None),
    "rotate": ("POST", "/{subscriptionId}/rotate-secret", None),
    "resume": ("POST", "/{subscriptionId}/resume", None),
    "test": ("POST", "/{subscriptionId}/test", None),
    "log": ("GET", "/{subscriptionId}/deliveries", None),
    "delivery": ("GET", "/{subscriptionId}/deliveries/{deliveryId}", None),
    "redeliver": ("POST", "/{subscriptionId}/deliveries/{deliveryId}/redeliver", None),
    "redeliver range": ("POST", "/{subscriptionId}/redeliver", RANGE),
}
OPERATIONS = ON_A_COMPANY | ON_A_SUBSCRIPTION
OTHER = 1_000_000
"""Added to a company's id, gives the id of another company."""
TABLES = ("subscriptions", "events", "deliveries", "attempts")
PLACEHOLDERS = {
    "database_url": "postgresql://placeholder@localhost/placeholder",
    "amqp_url": "amqp://localhost",
    "redis_url": "redis://localhost",
    "jwt_secret": "no token is signed with this placeholder",
}


async def _subscription(api: WebhookApi, database: Database, company: int) -> dict[str, Any]:
    """Create a subscription with a delivery; returns it with the ``delivery_id``."""
    subscription = await api.subscribe(company)
    await consume(database, LeadCreated(leads=[lead(1, company_id=company)]))
    [delivery] = await api.log(subscription)
    return {**subscription, "delivery_id": delivery["id"]}


async def _attempt(
    api: WebhookApi, operation: str, subscription: dict[str, Any], company: int, headers: dict[str, str]
) -> httpx.Response:
    """Request an operation on a subscription, with a company in the path."""
    method, path, body = OPERATIONS[operation]
    path = (PREFIX + path).format(
        companyId=company, subscriptionId=subscription["id"], deliveryId=subscription["delivery_id"]
    )
    return await api.client.request(method, path, json=body, headers=headers)


async def _stored(api: WebhookApi) -> object:
    return [[tuple(row) for row in await api.rows(f"SELECT * FROM {table} ORDER BY 1")] for table in TABLES]


def _bad_tokens(company: int) -> dict[str, dict[str, str]]:
    good = bearer(claims(company))["Authorization"]
    head, payload, signature = good.split(".")
    unsigned = jwt.encode(claims(company), "", algorithm="none")
    return {
        "none": {},
        "empty": {"Authorization": "Bearer "},
        "another scheme": {"Authorization": good.replace("Bearer", "Basic")},
        "expired": bearer(claims(company, exp=datetime.now(UTC) - timedelta(hours=1))),
        "another key": bearer(claims(company), secret="x" * 64),
        "algorithm none": {"Authorization": f"Bearer {unsigned}"},
        "no signature": {"Authorization": f"{head}.{payload}."},
        "changed": {"Authorization": f"{head}.{payload[:-2]}AA.{signature}"},
    }


def test_every_operation_is_covered_here() -> None:
    document = create_api_app(WebhookApiSettings.model_validate(PLACEHOLDERS)).openapi()
    documented = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert {(method, PREFIX + path) for method, path, _ in OPERATIONS.values()} == documented


@pytest.mark.parametrize("operation", OPERATIONS)
async def test_every_operation_succeeds_with_a_token_of_the_company(
    webhook_api: WebhookApi, webhooks_database: Database, company: int, operation: str
) -> None:
    subscription = await _subscription(webhook_api, webhooks_database, company)
    response = await _attempt(webhook_api, operation, subscription, company, bearer(claims(company + OTHER, company)))
    assert response.is_success, response.text


@pytest.mark.parametrize("token", sorted(_bad_tokens(1)))
async def test_a_token_that_is_not_valid_is_rejected(
    webhook_api: WebhookApi, webhooks_database: Database, company: int, token: str
) -> None:
    subscription = await _subscription(webhook_api, webhooks_database, company)
    response = await _attempt(webhook_api, "get", subscription, company, _bad_tokens(company)[token])
    assert response.status_code == 401
    assert response.json()["message"] == "Authentication required"


async def test_every_operation_demands_a_token(
    webhook_api: WebhookApi, webhooks_database: Database, company: int
) -> None:
    subscription = await _subscription(webhook_api, webhooks_database, company)
    before = await _stored(webhook_api)
    for operation in OPERATIONS:
        response = await _attempt(webhook_api, operation, subscription, company, {})
        assert response.status_code == 401, operation
        assert response.json()["message"] == "Authentication required"
    assert await _stored(webhook_api) == before


@pytest.mark.parametrize("role", ["user", "admin"])
async def test_every_operation_demands_a_token_that_covers_the_company(
    webhook_api: WebhookApi, webhooks_database: Database, company: int, role: str
) -> None:
    subscription = await _subscription(webhook_api, webhooks_database, company)
    before = await _stored(webhook_api)
    token = bearer(claims(company + OTHER, role=role))
    for operation in OPERATIONS:
        response = await _attempt(webhook_api, operation, subscription, company, token)
        assert response.status_code == 403, operation
        assert response.json() == {"message": "Access denied", "error": f"The token does not cover company {company}"}
    assert await _stored(webhook_api) == before


async def test_a_subscription_is_not_found_in_the_path_of_another_company(
    webhook_api: WebhookApi, webhooks_database: Database, company: int
) -> None:
    """Even by a caller whose token covers both companies."""
    subscription = await _subscription(webhook_api, webhooks_database, company)
    before = await _stored(webhook_api)
    token = bearer(claims(company, company + OTHER))
    for operation in ON_A_SUBSCRIPTION:
        response = await _attempt(webhook_api, operation, subscription, company + OTHER, token)
        assert response.status_code == 404, operation
        assert response.json()["message"] == "Subscription not found"
    assert await _stored(webhook_api) == before


@pytest.mark.parametrize("operation", ["delivery", "redeliver"])
async def test_a_delivery_is_not_found_in_the_path_of_another_subscription(
    webhook_api: WebhookApi, webhooks_database: Database, company: int, operation: str
) -> None:
    subscription = await _subscription(webhook_api, webhooks_database, company)
    other = await webhook_api.subscribe(company)
    before = await _stored(webhook_api)
    mixed = {**subscription, "id": other["id"]}
    response = await _attempt(webhook_api, operation, mixed, company, bearer(claims(company)))
    assert (response.status_code, response.json()["message"]) == (404, "Delivery not found")
    assert await _stored(webhook_api) == before


@pytest.mark.parametrize("operation", ["list", "log", "redeliver range", "delete"])
async def test_data_of_another_company_is_neither_returned_nor_changed(
    webhook_api: WebhookApi, webhooks_database: Database, company: int, operation: str
) -> None:
    own = await _subscription(webhook_api, webhooks_database, company)
    other = await _subscription(webhook_api, webhooks_database, company + OTHER)
    await webhook_api.rows("UPDATE deliveries SET status = 'failed', due_at = NULL")
    response = await _attempt(webhook_api, operation, own, company, bearer(claims(company)))
    assert response.is_success
    assert all(item["id"] != other["delivery_id"] for item in response.json().get("data", []))
    assert response.json().get("count", 1) == response.json().get("total", 1) == 1
    [unchanged] = await webhook_api.log(other)
    assert unchanged["status"] == "failed"
