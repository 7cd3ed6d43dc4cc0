"""Responses to requests generated from the OpenAPI document conform to the document."""

import asyncio
from collections.abc import AsyncIterator, Iterator, MutableMapping
from typing import Any

import httpx
import pytest
import schemathesis
from anyio.from_thread import start_blocking_portal
from hypothesis import HealthCheck, assume, settings
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

from services.campaign_svc.app import MIGRATIONS, create_api_app
from services.campaign_svc.settings import CampaignApiSettings
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
from tests.fixtures.servers import ServerUrls
from tests.fixtures.serving import serving

TOKEN = bearer(claims(1, 2))
"""Of companies that generated requests often name."""
PATH = "/api/voice-campaigns"
MEMBER = 124

# An app connects to nothing before it serves: the document needs settings of the right form only.
_PLACEHOLDERS = {
    "database_url": "postgresql://user@localhost/nothing",
    "amqp_url": "amqp://localhost",
    "redis_url": "redis://localhost",
    "jwt_secret": "no token is signed with this placeholder",
    "analytics_svc_url": "http://localhost",
}
DOCUMENT: dict[str, Any] = create_api_app(CampaignApiSettings.model_validate(_PLACEHOLDERS)).openapi()
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT, config=Config.from_dict({"generation": {"deterministic": True}}))
VALID_SCHEMA = schemathesis.openapi.from_dict(
    DOCUMENT,
    config=Config.from_dict(
        {"generation": {"mode": "positive", "deterministic": True}, "phases": {"coverage": {"enabled": False}}}
    ),
)
"""Generates requests that the document allows, without the limits of each field."""

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]

BEYOND_SCHEMA = {
    *("time_zone", "ai_voice_language", "recurrence_rule", "start_date", "end_date", "expected_completion_date"),
    *("script_template", "fallback_script", "calling_hours_start", "calling_hours_end"),
}
"""Fields with rules that a JSON schema cannot express: generated values are hardly ever accepted."""

bounded = settings(max_examples=40, derandomize=True, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
async def generated_database(servers: ServerUrls) -> AsyncIterator[str]:
    """URL of a migrated database for the generated requests of any company."""
    url = await servers.create_database("conformance")
    await asyncio.to_thread(upgrade, MIGRATIONS, url)
    yield url
    await servers.drop_database(url)


@pytest.fixture(scope="module")
def address(servers: ServerUrls, generated_database: str) -> Iterator[str]:
    """Where the API is served, from a thread of its own: the requests of schemathesis block the tests' loop."""
    app = create_api_app(api_settings(servers, generated_database))
    with (
        start_blocking_portal(backend_options={"use_uvloop": True}) as portal,
        portal.wrap_async_context_manager(serving(app)) as url,
    ):
        yield url


@pytest.fixture(scope="module")
def client(address: str) -> Iterator[httpx.Client]:
    """A caller without a token."""
    with httpx.Client(base_url=address, trust_env=False) as client:
        yield client


@SCHEMA.parametrize()
@bounded
def test_any_request_is_answered_as_documented(case: Case[Any], address: str) -> None:
    case.call_and_validate(base_url=address, headers=TOKEN, checks=CHECKS)


@VALID_SCHEMA.parametrize()
@bounded
def test_any_request_on_the_callers_own_data_is_answered_as_documented(
    case: Case[Any], address: str, client: httpx.Client
) -> None:
    company = new_company()
    token = bearer(claims(company))
    body = campaign_body(company, status=STATUSES[company % len(STATUSES)])
    created = client.post(PATH, json=body, headers=token)
    assert created.status_code == 201
    put = client.put(f"{PATH}/company/{company}/members/{MEMBER}", json={"name": "John Smith"}, headers=token)
    assert put.status_code == 201
    campaign_id = created.json()["data"]["id"]
    usable = {**body, "id": campaign_id, "companyId": company, "memberId": MEMBER, "if-match": '"1"'}
    for generated, replaced in (
        (case.path_parameters, {"id", "companyId", "memberId"}),
        (case.query, {"company_id"}),
        (case.headers, {"if-match"}),
        (case.body, BEYOND_SCHEMA | {"company_id", "status"} if case.method != "PATCH" else set()),
    ):
        if isinstance(generated, MutableMapping):
            generated.update({name: usable[name] for name in replaced & set(generated)})
    case.call_and_validate(base_url=address, headers=token, checks=CHECKS)


@SCHEMA.include(
    method=["POST", "PUT", "PATCH"], path_regex=r"(voice-campaigns|\{id\}|status|\{memberId\})$"
).parametrize()
@bounded
def test_a_body_that_does_not_match_its_schema_is_rejected(case: Case[Any], address: str) -> None:
    assert case.meta is not None
    negated = {location for location, part in case.meta.components.items() if part.mode == GenerationMode.NEGATIVE}
    assume(negated == {ParameterLocation.BODY})
    case.call_and_validate(base_url=address, headers=TOKEN, checks=[negative_data_rejection])


def test_the_contracts_example_is_accepted_as_the_document_has_it(client: httpx.Client) -> None:
    response = client.post(PATH, json=CONTRACT_EXAMPLE, headers=TOKEN)
    assert response.status_code == 201
    SCHEMA[PATH]["POST"].validate_response(response)


@pytest.mark.parametrize("path", DOCUMENT["paths"])
def test_an_unsupported_method_is_rejected_with_the_supported_ones(client: httpx.Client, path: str) -> None:
    response = client.request("TRACE", path.format(id=1, companyId=1, memberId=1), headers=TOKEN)
    assert response.status_code == 405
    assert response.json().keys() == {"message", "error"}
    allowed = {method.strip().lower() for method in response.headers["Allow"].split(",")}
    assert allowed - {"head"} == set(DOCUMENT["paths"][path])
