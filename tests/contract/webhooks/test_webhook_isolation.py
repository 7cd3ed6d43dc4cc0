"""Who sees and changes whose subscriptions and deliveries: a token opens its companies' and no others."""

from typing import Any

import httpx
import pytest

from services.webhook_svc.app import create_api_app
from services.webhook_svc.settings import WebhookApiSettings
from shared.database.engine import Database
from shared.events.leads import LeadCreated
from tests.fixtures.campaigns import bearer, claims
from tests.fixtures.events import lead
from tests.fixtures.webhooks import URL, WebhookApi, told

PREFIX = "/api/webhooks/company/{companyId}/subscriptions"
BODY = {"url": URL, "types": ["*"]}
RANGE = {"since": "2024-03-01T00:00:00Z"}
OF_A_COMPANY: dict[str, tuple[str, str, object]] = {
    "create": ("POST", "", BODY),
    "list": ("GET", "", None),
}
OF_ONE: dict[str, tuple[str, str, object]] = {
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
OPERATIONS = OF_A_COMPANY | OF_ONE
FAR = 1_000_000
TABLES = ("subscriptions", "events", "deliveries", "attempts")
PLACEHOLDERS = {
    "database_url": "postgresql://nobody@localhost/nothing",
    "amqp_url": "amqp://localhost",
    "redis_url": "redis://localhost",
    "jwt_secret": "no token is signed with this placeholder",
}


async def _subscription(api: WebhookApi, database: Database, company: int) -> dict[str, Any]:
    """A subscription of a company with a delivery, whose id it has too."""
    subscription = await api.subscribe(company)
    await told(database, LeadCreated(leads=[lead(1, company_id=company)]))
    [delivery] = await api.log(subscription)
    return {**subscription, "delivery_id": delivery["id"]}


async def _attempt(
    api: WebhookApi, operation: str, subscription: dict[str, Any], company: int, headers: dict[str, str]
) -> httpx.Response:
    """Try an operation on a subscription by way of a company."""
    method, path, body = OPERATIONS[operation]
    path = (PREFIX + path).format(
        companyId=company, subscriptionId=subscription["id"], deliveryId=subscription["delivery_id"]
    )
    return await api.client.request(method, path, json=body, headers=headers)


async def _stored(api: WebhookApi) -> object:
    return [[tuple(row) for row in await api.rows(f"SELECT * FROM {table} ORDER BY 1")] for table in TABLES]


def test_no_operation_is_forgotten_here() -> None:
    document = create_api_app(WebhookApiSettings.model_validate(PLACEHOLDERS)).openapi()
    documented_errors = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert {(method, PREFIX + path) for method, path, _ in OPERATIONS.values()} == documented_errors


@pytest.mark.parametrize("operation", OPERATIONS)
async def test_with_its_companys_token_every_operation_succeeds(
    webhook_api: WebhookApi, webhooks_database: Database, company: int, operation: str
) -> None:
    subscription = await _subscription(webhook_api, webhooks_database, company)
    response = await _attempt(webhook_api, operation, subscription, company, bearer(claims(company + FAR, company)))
    assert response.is_success, response.text


@pytest.mark.parametrize("operation", OPERATIONS)
async def test_without_a_token_nothing_is_answered_or_changed(
    webhook_api: WebhookApi, webhooks_database: Database, company: int, operation: str
) -> None:
    subscription = await _subscription(webhook_api, webhooks_database, company)
    before = await _stored(webhook_api)
    response = await _attempt(webhook_api, operation, subscription, company, {})
    assert response.status_code == 401
    assert response.json()["message"] == "Authentication required"
    assert await _stored(webhook_api) == before


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("role", ["user", "admin"])
async def test_a_token_that_does_not_cover_the_company_opens_nothing(
    webhook_api: WebhookApi, webhooks_database: Database, company: int, operation: str, role: str
) -> None:
    subscription = await _subscription(webhook_api, webhooks_database, company)
    before = await _stored(webhook_api)
    token = bearer(claims(company + FAR, role=role))
    response = await _attempt(webhook_api, operation, subscription, company, token)
    assert response.status_code == 403
    assert response.json() == {"message": "Access denied", "error": f"The token does not cover company {company}"}
    assert await _stored(webhook_api) == before


@pytest.mark.parametrize("operation", OF_ONE)
async def test_by_way_of_another_company_a_subscription_is_not_found(
    webhook_api: WebhookApi, webhooks_database: Database, company: int, operation: str
) -> None:
    """Not even by a caller of both."""
    subscription = await _subscription(webhook_api, webhooks_database, company)
    before = await _stored(webhook_api)
    token = bearer(claims(company, company + FAR))
    response = await _attempt(webhook_api, operation, subscription, company + FAR, token)
    assert response.status_code == 404
    assert response.json()["message"] == "Subscription not found"
    assert await _stored(webhook_api) == before


@pytest.mark.parametrize("operation", ["delivery", "redeliver"])
async def test_by_way_of_another_subscription_a_delivery_is_not_found(
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
async def test_what_is_another_companys_is_neither_shown_nor_touched(
    webhook_api: WebhookApi, webhooks_database: Database, company: int, operation: str
) -> None:
    mine = await _subscription(webhook_api, webhooks_database, company)
    theirs = await _subscription(webhook_api, webhooks_database, company + FAR)
    await webhook_api.rows("UPDATE deliveries SET status = 'failed', due_at = NULL")
    response = await _attempt(webhook_api, operation, mine, company, bearer(claims(company)))
    assert response.is_success
    assert all(each["id"] != theirs["delivery_id"] for each in response.json().get("data", []))
    assert response.json().get("count", 1) == response.json().get("total", 1) == 1
    [untouched] = await webhook_api.log(theirs)
    assert untouched["status"] == "failed"
