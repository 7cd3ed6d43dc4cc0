"""Responses to requests generated from the OpenAPI document conform to the document."""

import asyncio
import itertools
import json
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from services.lead_svc.app import MIGRATIONS, create_api_app
from shared.database.migrations import upgrade
from tests.fixtures.campaigns import bearer, claims
from tests.fixtures.conformance import (
    Generated,
    any_requests,
    assert_documented,
    assert_invalid_body_is_rejected,
    assert_method_is_rejected,
    bounded,
    document_of,
    invalid_requests,
    served,
    valid_requests,
)
from tests.fixtures.leads import CONTRACT_LEAD, LEAD_STATUSES, lead_api_settings
from tests.fixtures.servers import ServerUrls
from tests.fixtures.serving import serving

TOKEN = bearer(claims(1, 2, role="admin"))
"""Of companies that generated requests often name, each with the campaign of its own number."""
PATH = "/api/voice-leads"
TESTED = r"^/api/(voice-leads(?!.*(import|export|stats|analytics|report))|.*(bulk-|do-not-call))"
"""The operations on leads: imports, exports and reports have tests of their own."""

DOCUMENT = document_of("lead_svc")
SCHEMA = any_requests(DOCUMENT).include(path_regex=TESTED)
INVALID_SCHEMA = invalid_requests(DOCUMENT).include(path_regex=TESTED)
VALID_SCHEMA = valid_requests(DOCUMENT).include(path_regex=TESTED)

BEYOND_SCHEMA = {
    *("phone", "alternate_phone", "email", "timezone", "preferred_language", "best_time_to_call"),
    *("last_contact_date", "next_contact_date", "custom_fields", "campaign_id", "company_id"),
}
"""Fields with rules that a JSON schema cannot express: generated values are hardly ever accepted."""

_companies = itertools.count(3)


@pytest.fixture(scope="module")
async def generated_database(servers: ServerUrls) -> AsyncIterator[str]:
    """URL of a migrated database in which every company has a campaign, numbered as it is."""
    url = await servers.create_database("conformance")
    await asyncio.to_thread(upgrade, MIGRATIONS, url)
    connection = await asyncpg.connect(url)
    await connection.execute(
        "INSERT INTO campaigns (id, company_id, status, version)"
        " SELECT number, number, 'active', 1 FROM generate_series(1, 2000) AS number"
    )
    await connection.close()
    yield url
    await servers.drop_database(url)


@pytest.fixture(scope="module")
def address(servers: ServerUrls, generated_database: str) -> Iterator[str]:
    """URL of the API; the campaign service beside it knows no campaign."""
    with served(
        lambda: serving(FastAPI()),
        lambda url: serving(create_api_app(lead_api_settings(servers, generated_database, url))),
    ) as url:
        yield url


@pytest.fixture(scope="module")
def client(address: str) -> Iterator[httpx.Client]:
    """A caller without a token."""
    with httpx.Client(base_url=address, trust_env=False) as client:
        yield client


def test_every_operation_on_leads_is_tested_here() -> None:
    tested = {(operation.method.upper(), operation.path) for operation in _operations(SCHEMA)}
    left_out = {
        path
        for path, methods in DOCUMENT["paths"].items()
        if not {(method.upper(), path) for method in methods} <= tested
    }
    assert all(re.search("import|export|stats|analytics|report", path) for path in left_out), left_out
    assert len(tested) >= 18


def _operations(schema: Any) -> list[Any]:
    return [result.ok() for result in schema.get_all_operations()]


@SCHEMA.parametrize()
@bounded(15)
def test_any_request_is_answered_as_documented(case: Generated, address: str) -> None:
    assert_documented(case, address, TOKEN)


@VALID_SCHEMA.parametrize()
@bounded(15)
def test_any_request_on_the_callers_own_lead_is_answered_as_documented(
    case: Generated, address: str, client: httpx.Client
) -> None:
    company = next(_companies)
    token = bearer(claims(company, role="admin"))
    body = CONTRACT_LEAD | {
        "company_id": company,
        "campaign_id": company,
        "status": LEAD_STATUSES[company % len(LEAD_STATUSES)],
    }
    created = client.post(PATH, json=body, headers=token)
    assert created.status_code == 201
    lead_id = created.json()["data"]["id"]
    ids = {"id": lead_id, "companyId": company, "campaignId": company}
    case.path_parameters = {name: ids[name] for name in case.path_parameters}
    if isinstance(case.body, dict):
        case.body = {name: _usable(name, value, body, lead_id) for name, value in case.body.items()}
    assert_documented(case, address, token)


def _usable(name: str, value: Any, body: dict[str, Any], lead_id: int) -> Any:
    if name == "lead_ids":
        return [lead_id]
    if name == "phones":
        return [body["phone"]]
    if name == "scheduled_call_time":
        return body["next_contact_date"]
    return body[name] if name in BEYOND_SCHEMA else value


@INVALID_SCHEMA.include(method=["POST", "PUT", "PATCH"]).exclude(path_regex="import").parametrize()
@bounded(15)
def test_a_body_that_does_not_match_its_schema_is_rejected(case: Generated, address: str) -> None:
    assert_invalid_body_is_rejected(case, address, TOKEN)


def _with_bodies() -> list[tuple[str, str, Any]]:
    return [
        (method, path, example)
        for path, methods in DOCUMENT["paths"].items()
        for method, operation in methods.items()
        if re.search(TESTED, path)
        for example in _examples(operation)
    ]


def _examples(operation: dict[str, Any]) -> list[Any]:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None:
        return []
    schema = content["schema"]
    if "$ref" in schema:
        schema = DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    assert schema.get("examples"), "a body without an example"
    examples: list[Any] = schema["examples"]
    return examples


@pytest.mark.parametrize(("method", "path", "example"), _with_bodies(), ids=lambda value: json.dumps(value)[:60])
def test_the_documents_own_examples_are_accepted(client: httpx.Client, method: str, path: str, example: Any) -> None:
    company = next(_companies)
    token = bearer(claims(company))
    body = CONTRACT_LEAD | {"company_id": company, "campaign_id": company}
    lead_id = client.post(PATH, json=body, headers=token).json()["data"]["id"]
    sent = {**example, **{name: company for name in ("company_id", "campaign_id") if name in example}}
    if "lead_ids" in sent:
        sent["lead_ids"] = [lead_id]
    response = client.request(method, path.format(id=lead_id, companyId=company), json=sent, headers=token)
    assert response.is_success, response.text
    SCHEMA[path][method.upper()].validate_response(response)


def test_the_contracts_example_is_accepted_as_the_document_has_it(client: httpx.Client) -> None:
    response = client.post(PATH, json=CONTRACT_LEAD, headers=TOKEN)
    assert response.status_code == 201
    SCHEMA[PATH]["POST"].validate_response(response)


@pytest.mark.parametrize("path", [path for path in DOCUMENT["paths"] if re.search(TESTED, path)])
def test_an_unsupported_method_is_rejected_with_the_supported_ones(client: httpx.Client, path: str) -> None:
    assert_method_is_rejected(client, DOCUMENT, path, TOKEN, id=1, companyId=1, campaignId=1)
