"""Responses to requests generated from the OpenAPI document conform to the document."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from services.campaign_svc.app import MIGRATIONS, create_api_app
from shared.database.migrations import upgrade
from tests.fixtures.campaigns import (
    CONTRACT_EXAMPLE,
    STATUSES,
    api_settings,
    bearer,
    campaign_body,
    claims,
    new_company,
)
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

TOKEN = bearer(claims(1, 2))
"""Of companies that generated requests often name."""
PATH = "/api/voice-campaigns"
MEMBER = 124

DOCUMENT = document_of("campaign_svc")
SCHEMA = any_requests(DOCUMENT)
INVALID_SCHEMA = invalid_requests(DOCUMENT)
VALID_SCHEMA = valid_requests(DOCUMENT)

BEYOND_SCHEMA = {
    *("time_zone", "ai_voice_language", "recurrence_rule", "start_date", "end_date", "expected_completion_date"),
    *("script_template", "fallback_script", "calling_hours_start", "calling_hours_end"),
}
"""Fields with rules that a JSON schema cannot express: generated values are hardly ever accepted."""


@pytest.fixture(scope="module")
async def generated_database(servers: ServerUrls) -> AsyncIterator[str]:
    """URL of a migrated database for the generated requests of any company."""
    url = await servers.create_database("conformance")
    await asyncio.to_thread(upgrade, MIGRATIONS, url)
    yield url
    await servers.drop_database(url)


@pytest.fixture(scope="module")
def address(servers: ServerUrls, generated_database: str) -> Iterator[str]:
    """URL of the API."""
    app = create_api_app(api_settings(servers, generated_database))
    with served(lambda: serving(app)) as url:
        yield url


@pytest.fixture(scope="module")
def client(address: str) -> Iterator[httpx.Client]:
    """A caller without a token."""
    with httpx.Client(base_url=address, trust_env=False) as client:
        yield client


@SCHEMA.parametrize()
@bounded(40)
def test_any_request_is_answered_as_documented(case: Generated, address: str) -> None:
    assert_documented(case, address, TOKEN)


@VALID_SCHEMA.parametrize()
@bounded(40)
def test_any_request_on_the_callers_own_data_is_answered_as_documented(
    case: Generated, address: str, client: httpx.Client
) -> None:
    company = new_company()
    token = bearer(claims(company))
    body = campaign_body(company, status=STATUSES[company % len(STATUSES)])
    created = client.post(PATH, json=body, headers=token)
    assert created.status_code == 201
    put = client.put(f"{PATH}/company/{company}/members/{MEMBER}", json={"name": "John Smith"}, headers=token)
    assert put.status_code == 201
    ids = {"id": created.json()["data"]["id"], "companyId": company, "memberId": MEMBER, "company_id": company}
    refer_to(ids, case.path_parameters, case.query)
    refer_to({"if-match": '"1"'}, case.headers)
    if case.method != "PATCH":
        refer_to({name: body[name] for name in (*BEYOND_SCHEMA, "company_id", "status") if name in body}, case.body)
    assert_documented(case, address, token)


@INVALID_SCHEMA.include(
    method=["POST", "PUT", "PATCH"], path_regex=r"(voice-campaigns|\{id\}|status|\{memberId\})$"
).parametrize()
@bounded(40)
def test_a_body_that_does_not_match_its_schema_is_rejected(case: Generated, address: str) -> None:
    assert_invalid_body_is_rejected(case, address, TOKEN)


def test_the_contracts_example_is_accepted_as_the_document_has_it(client: httpx.Client) -> None:
    response = client.post(PATH, json=CONTRACT_EXAMPLE, headers=TOKEN)
    assert response.status_code == 201
    SCHEMA[PATH]["POST"].validate_response(response)


@pytest.mark.parametrize("path", DOCUMENT["paths"])
def test_an_unsupported_method_is_rejected_with_the_supported_ones(client: httpx.Client, path: str) -> None:
    assert_method_is_rejected(client, DOCUMENT, path, TOKEN, id=1, companyId=1, memberId=1)
