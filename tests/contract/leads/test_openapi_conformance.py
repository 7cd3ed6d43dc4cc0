"""What the service answers to requests made up from its OpenAPI document is what the document says."""

import asyncio
import itertools
import json
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import asyncpg
import httpx
import pytest
import schemathesis
from anyio.from_thread import start_blocking_portal
from fastapi import FastAPI
from hypothesis import HealthCheck, settings
from schemathesis import Case, Config, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.parameters import ParameterLocation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from services.lead_svc.app import MIGRATIONS, create_api_app
from services.lead_svc.settings import LeadApiSettings
from shared.database.migrations import upgrade
from tests.fixtures.campaigns import bearer, claims
from tests.fixtures.leads import CONTRACT_LEAD, LEAD_STATUSES, lead_api_settings
from tests.fixtures.servers import ServerUrls
from tests.fixtures.serving import serving

TOKEN = bearer(claims(1, 2, role="admin"))
"""Of companies that made-up requests often name, each with the campaign of its own number."""
PATH = "/api/voice-leads"
TESTED = r"^/api/(voice-leads(?!.*(import|export|stats|analytics|report))|.*(bulk-|do-not-call))"
"""The operations on leads: imports, exports and reports have tests of their own."""

# An app connects to nothing before it serves: its document needs settings of the right form only.
_PLACEHOLDERS = {
    "database_url": "postgresql://nobody@localhost/nothing",
    "amqp_url": "amqp://localhost",
    "redis_url": "redis://localhost",
    "jwt_secret": "no token is signed with this placeholder",
    "campaign_svc_url": "http://localhost",
}
DOCUMENT: dict[str, Any] = create_api_app(LeadApiSettings.model_validate(_PLACEHOLDERS)).openapi()
SCHEMA = schemathesis.openapi.from_dict(
    DOCUMENT, config=Config.from_dict({"generation": {"deterministic": True}})
).include(path_regex=TESTED)
OF_THE_SCHEMA = schemathesis.openapi.from_dict(
    DOCUMENT,
    config=Config.from_dict(
        {"generation": {"mode": "positive", "deterministic": True}, "phases": {"coverage": {"enabled": False}}}
    ),
).include(path_regex=TESTED)
"""Makes up requests that the document allows, without going through the limits of each field."""

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]

BEYOND_SCHEMA = {
    *("phone", "alternate_phone", "email", "timezone", "preferred_language", "best_time_to_call"),
    *("last_contact_date", "next_contact_date", "custom_fields", "campaign_id", "company_id"),
}
"""Fields with rules that a JSON schema does not tell: what is made up for them is hardly ever accepted."""

bounded = settings(max_examples=15, derandomize=True, suppress_health_check=list(HealthCheck))
_companies = itertools.count(3)


@pytest.fixture(scope="module")
async def made_up_database(servers: ServerUrls) -> AsyncIterator[str]:
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
def address(servers: ServerUrls, made_up_database: str) -> Iterator[str]:
    """Where the API is served, from a thread of its own: the requests of schemathesis block the tests' loop."""
    knows_no_campaign = FastAPI()
    with (
        start_blocking_portal(backend_options={"use_uvloop": True}) as portal,
        portal.wrap_async_context_manager(serving(knows_no_campaign)) as campaign_svc_url,
        portal.wrap_async_context_manager(
            serving(create_api_app(lead_api_settings(servers, made_up_database, campaign_svc_url)))
        ) as url,
    ):
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
@bounded
def test_any_request_is_answered_as_documented(case: Case[Any], address: str) -> None:
    case.call_and_validate(base_url=address, headers=TOKEN, checks=CHECKS)


@OF_THE_SCHEMA.parametrize()
@bounded
def test_any_request_on_the_callers_own_lead_is_answered_as_documented(
    case: Case[Any], address: str, client: httpx.Client
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
    aimed_at = {"id": lead_id, "companyId": company, "campaignId": company}
    case.path_parameters = {name: aimed_at[name] for name in case.path_parameters}
    if isinstance(case.body, dict):
        case.body = {name: _aimed(name, value, body, lead_id) for name, value in case.body.items()}
    case.call_and_validate(base_url=address, headers=token, checks=CHECKS)


def _aimed(name: str, value: Any, body: dict[str, Any], lead_id: int) -> Any:
    if name == "lead_ids":
        return [lead_id]
    if name == "phones":
        return [body["phone"]]
    if name == "scheduled_call_time":
        return body["next_contact_date"]
    return body[name] if name in BEYOND_SCHEMA else value


@SCHEMA.include(method=["POST", "PUT", "PATCH"]).exclude(path_regex="import").parametrize()
@bounded
def test_a_body_that_is_not_of_its_schema_is_refused(case: Case[Any], address: str) -> None:
    assert case.meta is not None
    negated = {location for location, part in case.meta.components.items() if part.mode == GenerationMode.NEGATIVE}
    if negated == {ParameterLocation.BODY}:
        case.call_and_validate(base_url=address, headers=TOKEN, checks=[negative_data_rejection])


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
def test_a_method_that_a_path_does_not_have_is_refused_with_those_it_has(client: httpx.Client, path: str) -> None:
    response = client.request("TRACE", path.format(id=1, companyId=1, campaignId=1), headers=TOKEN)
    assert response.status_code == 405
    assert response.json().keys() == {"message", "error"}
    allowed = {method.strip().lower() for method in response.headers["Allow"].split(",")}
    assert allowed - {"head"} == set(DOCUMENT["paths"][path])
