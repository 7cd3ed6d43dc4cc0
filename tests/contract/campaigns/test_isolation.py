"""Access: a token covers the campaigns of its companies and no others."""

from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest

from tests.fixtures.campaigns import (
    CAMPAIGN_OPERATIONS,
    OPERATIONS,
    TRANSITIONS,
    CampaignApi,
    bearer,
    campaign_body,
    claims,
)

UNAUTHENTICATED = {"message": "Authentication required", "error": "No valid authentication token provided"}
AN_HOUR = timedelta(hours=1)
NOTHING: list[list[Any]] = [[], []]
STATUS_OF_ANOTHER_COMPANY = dict.fromkeys(["get", "status", *TRANSITIONS, "delete"], 404)
"""Status of an operation that names a campaign only; one that names the company is answered 403."""
MESSAGES = {403: "Access denied", 404: "Voice campaign not found"}


def _unsigned(company: int) -> dict[str, str]:
    token = jwt.encode(claims(company), "", algorithm="none")
    return {"Authorization": f"Bearer {token}"}


def bad_tokens(company: int) -> dict[str, dict[str, str]]:
    """Return headers that are rejected, by what is wrong with them; a valid token of the company is accepted."""
    good = bearer(claims(company))["Authorization"]
    head, payload, signature = good.split(".")
    return {
        "missing": {},
        "empty": {"Authorization": "Bearer "},
        "not a token": {"Authorization": "Bearer abc"},
        "another scheme": {"Authorization": good.replace("Bearer", "Basic")},
        "expired": bearer(claims(company, exp=datetime.now(UTC) - AN_HOUR)),
        "not yet valid": bearer(claims(company, nbf=datetime.now(UTC) + AN_HOUR)),
        "another key": bearer(claims(company), secret="x" * 64),
        "another algorithm": bearer(claims(company), algorithm="HS512"),
        "algorithm none": _unsigned(company),
        "no signature": {"Authorization": f"{head}.{payload}."},
        "changed": {"Authorization": f"{head}.{payload[:-2]}AA.{signature}"},
        "without expiry": bearer(claims(company, exp=None)),
        "without subject": bearer(claims(company, sub=None)),
        "without companies": bearer(claims(company, companies=None)),
        "companies that are no ids": bearer(claims(company, companies=["all"])),
        "unknown role": bearer(claims(company, role="root")),
    }


BAD_TOKENS = sorted(bad_tokens(1))
FAR = 1_000_000
"""Added to a company, gives another one that no test uses."""


async def _campaign_for(api: CampaignApi, company: int, operation: str) -> dict[str, Any]:
    """Create a campaign on which the operation succeeds."""
    return await api.create(campaign_body(company, status=OPERATIONS[operation].status))


def test_every_documented_operation_is_tested_here(campaign_document: dict[str, Any]) -> None:
    """Operations on members have tests of their own, in ``test_member_isolation``."""
    documented = {
        (method.upper(), path.removeprefix("/api/voice-campaigns"))
        for path, methods in campaign_document["paths"].items()
        for method in methods
        if "/members" not in path
    }
    placeholder = {"company_id": "{companyId}", "id": "{id}"}
    tested = {
        (operation.method, operation.path.partition("?")[0].format(**placeholder)) for operation in OPERATIONS.values()
    }
    assert tested == documented


@pytest.mark.parametrize("operation", OPERATIONS)
async def test_with_its_companys_token_every_operation_succeeds(
    campaign_api: CampaignApi, company: int, operation: str
) -> None:
    campaign = await _campaign_for(campaign_api, company, operation)
    response = await campaign_api.attempt(OPERATIONS[operation], campaign)
    assert response.is_success


@pytest.mark.parametrize("token", BAD_TOKENS)
async def test_an_invalid_token_is_rejected(campaign_api: CampaignApi, company: int, token: str) -> None:
    campaign = await campaign_api.create(campaign_body(company))
    before = await campaign_api.stored(company)
    for operation in ("get", "update"):
        response = await campaign_api.attempt(OPERATIONS[operation], campaign, token=bad_tokens(company)[token])
        assert response.status_code == 401
        assert response.json() == UNAUTHENTICATED
        assert response.headers["WWW-Authenticate"] == "Bearer"
        assert "ETag" not in response.headers
    assert await campaign_api.stored(company) == before


@pytest.mark.parametrize("operation", OPERATIONS)
async def test_every_operation_requires_a_token(campaign_api: CampaignApi, company: int, operation: str) -> None:
    campaign = await _campaign_for(campaign_api, company, operation)
    before = await campaign_api.stored(company)
    response = await campaign_api.attempt(OPERATIONS[operation], campaign, token={})
    assert response.status_code == 401
    assert response.json() == UNAUTHENTICATED
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert "ETag" not in response.headers
    assert await campaign_api.stored(company) == before


def test_every_operation_documents_that_it_requires_a_token(campaign_document: dict[str, Any]) -> None:
    for path, methods in campaign_document["paths"].items():
        for method, documented in methods.items():
            assert documented["security"] == [{"bearerAuth": []}], (method, path)


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("content", [b'{"colour": "red"}', b"{"], ids=["unknown field", "no JSON"])
async def test_without_a_token_no_other_error_is_reported(
    campaign_api: CampaignApi, content: bytes, operation: str
) -> None:
    path = OPERATIONS[operation].path.format(id="x", company_id="x")
    response = await campaign_api.client.request(
        OPERATIONS[operation].method,
        f"/api/voice-campaigns{path}",
        content=content,
        headers={"Content-Type": "application/json", "If-Match": "x", "Idempotency-Key": ""},
    )
    assert response.status_code == 401
    assert response.json() == UNAUTHENTICATED


@pytest.mark.parametrize("role", ["user", "admin"])
@pytest.mark.parametrize("operation", OPERATIONS)
async def test_another_companys_token_gives_no_access(
    campaign_api: CampaignApi, company: int, role: str, operation: str
) -> None:
    campaign = await _campaign_for(campaign_api, company, operation)
    before = await campaign_api.stored(company)
    stranger = bearer(claims(company + FAR, role=role))
    response = await campaign_api.attempt(OPERATIONS[operation], campaign, token=stranger)
    assert response.status_code == STATUS_OF_ANOTHER_COMPANY.get(operation, 403)
    assert response.json()["message"] == MESSAGES[response.status_code]
    assert campaign["name"] not in response.text
    assert "ETag" not in response.headers
    assert await campaign_api.stored(company) == before
    assert await campaign_api.stored(company + FAR) == NOTHING


@pytest.mark.parametrize("operation", CAMPAIGN_OPERATIONS)
async def test_another_companys_campaign_and_a_missing_one_get_equal_responses(
    campaign_api: CampaignApi, company: int, operation: str
) -> None:
    campaign = await _campaign_for(campaign_api, company, operation)
    stranger = bearer(claims(company + FAR))
    missing_campaign = campaign | {"id": 2**63 - 1}
    theirs = await campaign_api.attempt(OPERATIONS[operation], campaign, token=stranger)
    missing = await campaign_api.attempt(OPERATIONS[operation], missing_campaign, token=stranger)
    assert (theirs.status_code, theirs.json()) == (missing.status_code, missing.json())


@pytest.mark.parametrize("operation", ["update", "status", *TRANSITIONS, "delete"])
@pytest.mark.parametrize("if_match", ['"1"', '"2"', "*"])
async def test_a_precondition_of_another_company_reveals_no_version(
    campaign_api: CampaignApi, company: int, if_match: str, operation: str
) -> None:
    campaign = await _campaign_for(campaign_api, company, operation)
    before = await campaign_api.stored(company)
    stranger = claims(company + FAR)
    body = OPERATIONS[operation].body_of(campaign)
    if operation == "update":
        body = campaign_body(company + FAR)  # of a company that the token does cover
    response = await campaign_api.client.request(
        OPERATIONS[operation].method,
        f"/api/voice-campaigns{OPERATIONS[operation].path_of(campaign)}",
        json=body,
        headers={**bearer(stranger), "If-Match": if_match},
    )
    assert response.status_code == 404
    assert await campaign_api.stored(company) == before


@pytest.mark.parametrize("operation", OPERATIONS)
async def test_a_token_of_no_company_gives_no_access(campaign_api: CampaignApi, company: int, operation: str) -> None:
    campaign = await _campaign_for(campaign_api, company, operation)
    before = await campaign_api.stored(company)
    response = await campaign_api.attempt(OPERATIONS[operation], campaign, token=bearer(claims()))
    assert response.status_code == STATUS_OF_ANOTHER_COMPANY.get(operation, 403)
    assert await campaign_api.stored(company) == before


async def test_a_campaign_is_not_found_in_another_of_the_callers_companies(
    campaign_api: CampaignApi, company: int
) -> None:
    other = company + FAR
    campaign = await campaign_api.create(campaign_body(company))
    response = await campaign_api.get(f"/{campaign['id']}?company_id={other}", company, other)
    assert response.status_code == 404
    assert response.json()["message"] == "Voice campaign not found"


async def test_a_token_of_no_company_gets_an_empty_list(campaign_api: CampaignApi, company: int) -> None:
    await campaign_api.create(campaign_body(company))
    response = await campaign_api.get("")
    assert response.status_code == 200
    assert response.json() == []


async def test_a_list_contains_no_other_companys_campaigns(campaign_api: CampaignApi, company: int) -> None:
    await campaign_api.create(campaign_body(company + FAR))
    mine = await campaign_api.create(campaign_body(company))
    assert (await campaign_api.get("", company)).json() == [mine]


@pytest.mark.parametrize("path", ["/company/{}", "/company/{}/active"])
async def test_a_companys_list_contains_no_other_companys_campaigns(
    campaign_api: CampaignApi, company: int, path: str
) -> None:
    """Also none of another company that the token covers."""
    other = company + FAR
    await campaign_api.create(campaign_body(other, status="active"))
    mine = await campaign_api.create(campaign_body(company, status="active"))
    answer = (await campaign_api.get(path.format(company), company, other)).json()
    assert [campaign["id"] for campaign in answer["data"]] == [mine["id"]]
    assert answer["total"] == 1


async def test_the_totals_of_a_list_are_of_the_companys_own_campaigns(campaign_api: CampaignApi, company: int) -> None:
    theirs = await campaign_api.create(campaign_body(company + FAR, status="active"))
    await campaign_api.create(campaign_body(company, status="active"))
    await campaign_api.rows("INSERT INTO campaign_totals VALUES ($1, 7, 5, 3)", theirs["id"])
    for path in ("", "/active"):
        [listed] = (await campaign_api.get(f"/company/{company}{path}", company)).json()["data"]
        assert (listed["total_leads"], listed["completed_calls"]) == (0, 0)


async def test_a_campaign_is_changed_as_any_of_the_callers_companies(campaign_api: CampaignApi, company: int) -> None:
    campaign = await campaign_api.create(campaign_body(company))
    assert (await campaign_api.transition("start", campaign["id"], company + FAR, company)).status_code == 200
