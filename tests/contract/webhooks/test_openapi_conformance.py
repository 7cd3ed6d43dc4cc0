"""What the service answers to requests made up from its OpenAPI document is what the document says."""

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
OF_THE_SCHEMA = schemathesis.openapi.from_dict(
    DOCUMENT,
    config=Config.from_dict(
        {"generation": {"mode": "positive", "deterministic": True}, "phases": {"coverage": {"enabled": False}}}
    ),
)
"""Makes up requests that the document allows, without going through the limits of each field."""
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
TOKEN = bearer(claims(1, 2))
"""Of companies that made-up requests often name."""
bounded = settings(max_examples=30, derandomize=True, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
async def made_up_database(servers: ServerUrls) -> AsyncIterator[str]:
    """URL of a migrated database for whatever is made up here, for whichever company."""
    url = await servers.create_database("conformance")
    await asyncio.to_thread(upgrade, MIGRATIONS, url)
    yield url
    await servers.drop_database(url)


@pytest.fixture(scope="module")
def address(servers: ServerUrls, made_up_database: str) -> Iterator[str]:
    """Where the API is served, from a thread of its own: the requests of schemathesis block the tests' loop."""
    app = create_api_app(api_settings(servers, made_up_database))
    with (
        start_blocking_portal(backend_options={"use_uvloop": True}) as portal,
        portal.wrap_async_context_manager(serving(app)) as url,
    ):
        yield url


@SCHEMA.parametrize()
@bounded
def test_any_request_is_answered_as_documented(case: Case[Any], address: str) -> None:
    case.call_and_validate(base_url=address, headers=TOKEN, checks=CHECKS)


@OF_THE_SCHEMA.parametrize()
@bounded
def test_any_request_on_what_is_the_callers_own_is_answered_as_documented(case: Case[Any], address: str) -> None:
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
    for made_up in (case.path_parameters, case.body):
        if isinstance(made_up, MutableMapping):
            made_up.update({name: known[name] for name in known.keys() & set(made_up)})
    case.call_and_validate(base_url=address, headers=token, checks=CHECKS)


@pytest.mark.parametrize("path", DOCUMENT["paths"])
def test_a_method_that_a_path_does_not_have_is_refused_with_those_it_has(address: str, path: str) -> None:
    path = path.format(companyId=1, subscriptionId=1, deliveryId=1)
    response = httpx.request("TRACE", f"{address}{path}", headers=TOKEN, trust_env=False)
    assert response.status_code == 405
    assert response.json().keys() == {"message", "error"}
