"""Responses to requests that are generated from the OpenAPI document conform to that document."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from services.webhook_svc.app import MIGRATIONS, create_api_app
from shared.database.migrations import upgrade
from tests.fixtures.campaigns import bearer, claims, new_company
from tests.fixtures.conformance import (
    Generated,
    any_requests,
    assert_documented,
    assert_invalid_body_is_rejected,
    assert_method_is_rejected,
    bounded,
    document_of,
    invalid_requests,
    refer_to,
    served,
    valid_requests,
)
from tests.fixtures.servers import ServerUrls
from tests.fixtures.serving import serving
from tests.fixtures.webhooks import URL, api_settings

DOCUMENT = document_of("webhook_svc")
SCHEMA = any_requests(DOCUMENT)
INVALID_SCHEMA = invalid_requests(DOCUMENT)
VALID_SCHEMA = valid_requests(DOCUMENT)
TOKEN = bearer(claims(1, 2))
"""Covers companies that generated requests often name."""


@pytest.fixture(scope="module")
async def conformance_database(servers: ServerUrls) -> AsyncIterator[str]:
    """URL of a migrated database for the generated requests, of any company."""
    url = await servers.create_database("conformance")
    await asyncio.to_thread(upgrade, MIGRATIONS, url)
    yield url
    await servers.drop_database(url)


@pytest.fixture(scope="module")
def address(servers: ServerUrls, conformance_database: str) -> Iterator[str]:
    """URL of the API."""
    app = create_api_app(api_settings(servers, conformance_database))
    with served(lambda: serving(app)) as url:
        yield url


@pytest.fixture(scope="module")
def client(address: str) -> Iterator[httpx.Client]:
    """A caller without a token."""
    with httpx.Client(base_url=address, trust_env=False) as client:
        yield client


@SCHEMA.parametrize()
@bounded(30)
def test_every_request_gets_a_documented_response(case: Generated, address: str) -> None:
    assert_documented(case, address, TOKEN)


@VALID_SCHEMA.parametrize()
@bounded(30)
def test_every_request_on_the_callers_own_data_gets_a_documented_response(
    case: Generated, address: str, client: httpx.Client
) -> None:
    company = new_company()
    token = bearer(claims(company))
    path = f"/api/webhooks/company/{company}/subscriptions"
    created = client.post(path, json={"url": URL, "types": ["*"], "active": company % 5 > 0}, headers=token)
    subscription = created.json()["data"]["id"]
    tested = client.post(f"{path}/{subscription}/test", headers=token)
    ids = {
        "companyId": company,
        "subscriptionId": subscription,
        "deliveryId": tested.json().get("delivery_id", 1),
    }
    refer_to(ids | {"url": URL, "types": ["lead.*"]}, case.path_parameters, case.body)
    assert_documented(case, address, token)


@INVALID_SCHEMA.include(method=["POST", "PUT", "PATCH"], path_regex=r"(subscriptions|subscriptionId\})$").parametrize()
@bounded(30)
def test_a_body_that_does_not_match_its_schema_is_rejected(case: Generated, address: str) -> None:
    assert_invalid_body_is_rejected(case, address, TOKEN)


@pytest.mark.parametrize("path", DOCUMENT["paths"])
def test_an_unsupported_method_is_rejected_with_the_supported_ones(client: httpx.Client, path: str) -> None:
    assert_method_is_rejected(client, DOCUMENT, path, TOKEN, companyId=1, subscriptionId=1, deliveryId=1)
