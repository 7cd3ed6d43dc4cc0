"""Who sees what: a token opens its companies' campaigns and no others."""

from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest

from tests.fixtures.campaigns import (
    ON_ONE_CAMPAIGN,
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
REFUSALS = dict.fromkeys(["get", "status", *TRANSITIONS, "delete"], 404)
"""How what names a campaign alone is refused; what names a company is refused with 403."""
MESSAGES = {403: "Access denied", 404: "Voice campaign not found"}


def _unsigned(company: int) -> dict[str, str]:
    token = jwt.encode(claims(company), "", algorithm="none")
    return {"Authorization": f"Bearer {token}"}


def bad_tokens(company: int) -> dict[str, dict[str, str]]:
    """Headers that let nobody in, though a token of this company would, by what is wrong with them."""
    good = bearer(claims(company))["Authorization"]
    head, payload, signature = good.split(".")
    return {
        "none at all": {},
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
        "companies that are none": bearer(claims(company, companies=["all"])),
        "unknown role": bearer(claims(company, role="root")),
    }


BAD_TOKENS = sorted(bad_tokens(1))
FAR = 1_000_000
"""From a company to another that no test has."""


async def _campaign_for(api: CampaignApi, company: int, operation: str) -> dict[str, Any]:
    """A campaign on which the operation would succeed."""
    return await api.create(campaign_body(company, status=OPERATIONS[operation].status))


def test_no_operation_is_forgotten_here(campaign_document: dict[str, Any]) -> None:
    """Those on members have tests of their own, in ``test_member_isolation``."""
    documented_errors = {
        (method.upper(), path.removeprefix("/api/voice-campaigns"))
        for path, methods in campaign_document["paths"].items()
        for method in methods
        if "/members" not in path
    }
    placeholder = {"company_id": "{companyId}", "id": "{id}"}
    tried = {
        (operation.method, operation.path.partition("?")[0].format(**placeholder)) for operation in OPERATIONS.values()
    }
    assert tried == documented_errors


@pytest.mark.parametrize("operation", OPERATIONS)
async def test_with_its_companys_token_every_operation_succeeds(
    campaign_api: CampaignApi, company: int, operation: str
) -> None:
    campaign = await _campaign_for(campaign_api, company, operation)
    response = await campaign_api.attempt(OPERATIONS[operation], campaign)
    assert response.is_success


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("token", BAD_TOKENS)
async def test_without_a_good_token_nothing_is_answered_or_changed(
    campaign_api: CampaignApi, company: int, token: str, operation: str
) -> None:
    campaign = await _campaign_for(campaign_api, company, operation)
    before = await campaign_api.stored(company)
    response = await campaign_api.attempt(OPERATIONS[operation], campaign, token=bad_tokens(company)[token])
    assert response.status_code == 401
    assert response.json() == UNAUTHENTICATED
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert "ETag" not in response.headers
    assert await campaign_api.stored(company) == before


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("content", [b'{"colour": "red"}', b"{"], ids=["unknown field", "no JSON"])
async def test_without_a_good_token_nothing_is_said_of_what_else_is_wrong(
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
async def test_another_companys_token_opens_nothing(
    campaign_api: CampaignApi, company: int, role: str, operation: str
) -> None:
    campaign = await _campaign_for(campaign_api, company, operation)
    before = await campaign_api.stored(company)
    stranger = bearer(claims(company + FAR, role=role))
    response = await campaign_api.attempt(OPERATIONS[operation], campaign, token=stranger)
    assert response.status_code == REFUSALS.get(operation, 403)
    assert response.json()["message"] == MESSAGES[response.status_code]
    assert campaign["name"] not in response.text
    assert "ETag" not in response.headers
    assert await campaign_api.stored(company) == before
    assert await campaign_api.stored(company + FAR) == NOTHING


@pytest.mark.parametrize("operation", ON_ONE_CAMPAIGN)
async def test_another_companys_campaign_is_answered_as_one_that_does_not_exist(
    campaign_api: CampaignApi, company: int, operation: str
) -> None:
    campaign = await _campaign_for(campaign_api, company, operation)
    stranger = bearer(claims(company + FAR))
    one_that_is_not = campaign | {"id": 2**63 - 1}
    theirs = await campaign_api.attempt(OPERATIONS[operation], campaign, token=stranger)
    nobodys = await campaign_api.attempt(OPERATIONS[operation], one_that_is_not, token=stranger)
    assert (theirs.status_code, theirs.json()) == (nobodys.status_code, nobodys.json())


@pytest.mark.parametrize("operation", ["update", "status", *TRANSITIONS, "delete"])
@pytest.mark.parametrize("if_match", ['"1"', '"2"', "*"])
async def test_a_strangers_precondition_tells_nothing_of_a_version(
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
async def test_a_token_of_no_company_opens_nothing(campaign_api: CampaignApi, company: int, operation: str) -> None:
    campaign = await _campaign_for(campaign_api, company, operation)
    before = await campaign_api.stored(company)
    response = await campaign_api.attempt(OPERATIONS[operation], campaign, token=bearer(claims()))
    assert response.status_code == REFUSALS.get(operation, 403)
    assert await campaign_api.stored(company) == before


async def test_a_campaign_is_not_found_in_another_of_the_callers_companies(
    campaign_api: CampaignApi, company: int
) -> None:
    other = company + FAR
    campaign = await campaign_api.create(campaign_body(company))
    response = await campaign_api.get(f"/{campaign['id']}?company_id={other}", company, other)
    assert response.status_code == 404
    assert response.json()["message"] == "Voice campaign not found"


async def test_a_token_of_no_company_sees_nothing(campaign_api: CampaignApi, company: int) -> None:
    await campaign_api.create(campaign_body(company))
    response = await campaign_api.get("")
    assert response.status_code == 200
    assert response.json() == []


async def test_a_list_holds_no_other_companys_campaigns(campaign_api: CampaignApi, company: int) -> None:
    await campaign_api.create(campaign_body(company + FAR))
    mine = await campaign_api.create(campaign_body(company))
    assert (await campaign_api.get("", company)).json() == [mine]


@pytest.mark.parametrize("path", ["/company/{}", "/company/{}/active"])
async def test_a_companys_list_holds_no_other_companys_campaigns(
    campaign_api: CampaignApi, company: int, path: str
) -> None:
    """Not even those of another company of the caller's."""
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
        [shown] = (await campaign_api.get(f"/company/{company}{path}", company)).json()["data"]
        assert (shown["total_leads"], shown["completed_calls"]) == (0, 0)


async def test_a_campaign_is_changed_as_any_of_the_callers_companies(campaign_api: CampaignApi, company: int) -> None:
    campaign = await campaign_api.create(campaign_body(company))
    assert (await campaign_api.step("start", campaign["id"], company + FAR, company)).status_code == 200
