"""Responses to requests that are generated from the OpenAPI document conform to that document."""

import asyncio
from collections.abc import AsyncIterator, Iterator, MutableMapping
from typing import Any

import httpx
import pytest
import schemathesis
from anyio.from_thread import start_blocking_portal
from hypothesis import HealthCheck, settings
from schemathesis import Case, Config
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from services.webhook_svc.app import MIGRATIONS, create_api_app
from services.webhook_svc.settings import WebhookApiSettings
from shared.database.migrations import upgrade
from tests.contract.webhooks.test_webhook_isolation import PLACEHOLDERS
from tests.fixtures.campaigns import bearer, claims, new_company
from tests.fixtures.servers import ServerUrls
from tests.fixtures.serving import serving
from tests.fixtures.webhooks import URL, api_settings

DOCUMENT: dict[str, Any] = create_api_app(WebhookApiSettings.model_validate(PLACEHOLDERS)).openapi()
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT, config=Config.from_dict({"generation": {"deterministic": True}}))
VALID_SCHEMA = schemathesis.openapi.from_dict(
    DOCUMENT,
    config=Config.from_dict(
        {"generation": {"mode": "positive", "deterministic": True}, "phases": {"coverage": {"enabled": False}}}
    ),
)
"""Generates requests that the document allows, without those at the limits of each field."""
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
TOKEN = bearer(claims(1, 2))
"""Covers companies that generated requests often name."""
bounded = settings(max_examples=30, derandomize=True, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
async def conformance_database(servers: ServerUrls) -> AsyncIterator[str]:
    """URL of a migrated database for the generated requests, of any company."""
    url = await servers.create_database("conformance")
    await asyncio.to_thread(upgrade, MIGRATIONS, url)
    yield url
    await servers.drop_database(url)


@pytest.fixture(scope="module")
def address(servers: ServerUrls, conformance_database: str) -> Iterator[str]:
    """URL of the API, served from a thread of its own: the requests of schemathesis block the tests' loop."""
    app = create_api_app(api_settings(servers, conformance_database))
    with (
        start_blocking_portal(backend_options={"use_uvloop": True}) as portal,
        portal.wrap_async_context_manager(serving(app)) as url,
    ):
        yield url


@SCHEMA.parametrize()
@bounded
def test_every_request_gets_a_documented_response(case: Case[Any], address: str) -> None:
    case.call_and_validate(base_url=address, headers=TOKEN, checks=CHECKS)


@VALID_SCHEMA.parametrize()
@bounded
def test_every_request_on_the_callers_own_data_gets_a_documented_response(case: Case[Any], address: str) -> None:
    company = new_company()
    token = bearer(claims(company))
    path = f"/api/webhooks/company/{company}/subscriptions"
    with httpx.Client(base_url=address, trust_env=False, headers=token) as client:
        created = client.post(path, json={"url": URL, "types": ["*"], "active": company % 5 > 0})
        subscription = created.json()["data"]["id"]
        tested = client.post(f"{path}/{subscription}/test")
    known = {
        "companyId": company,
        "subscriptionId": subscription,
        "deliveryId": tested.json().get("delivery_id", 1),
        "url": URL,
        "types": ["lead.*"],
    }
    for generated in (case.path_parameters, case.body):
        if isinstance(generated, MutableMapping):
            generated.update({name: known[name] for name in known.keys() & set(generated)})
    case.call_and_validate(base_url=address, headers=token, checks=CHECKS)


@pytest.mark.parametrize("path", DOCUMENT["paths"])
def test_an_unsupported_method_gets_405(address: str, path: str) -> None:
    path = path.format(companyId=1, subscriptionId=1, deliveryId=1)
    response = httpx.request("TRACE", f"{address}{path}", headers=TOKEN, trust_env=False)
    assert response.status_code == 405
    assert response.json().keys() == {"message", "error"}
