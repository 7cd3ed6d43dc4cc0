"""Access: a token covers the members of its companies and no others."""

from typing import Any

import httpx
import pytest

from tests.contract.campaigns.test_isolation import FAR, UNAUTHENTICATED
from tests.fixtures.campaigns import CampaignApi, bearer, claims

JOHN = 124
OPERATIONS = {
    "list": ("GET", "/company/{companyId}/members"),
    "get": ("GET", "/company/{companyId}/members/{memberId}"),
    "put": ("PUT", "/company/{companyId}/members/{memberId}"),
    "delete": ("DELETE", "/company/{companyId}/members/{memberId}"),
}
EVERY_OPERATION = pytest.mark.parametrize("operation", OPERATIONS)


async def _attempt(api: CampaignApi, operation: str, company: int, headers: dict[str, str]) -> httpx.Response:
    """Send an operation on John of this company; ``put`` renames him."""
    method, path = OPERATIONS[operation]
    body = {"name": "John Miller"} if method == "PUT" else None
    path = path.format(companyId=company, memberId=JOHN)
    return await api.client.request(method, f"/api/voice-campaigns{path}", json=body, headers=headers)


async def _john(api: CampaignApi, company: int, name: str = "John Smith") -> dict[str, Any]:
    response = await api.send("PUT", f"/company/{company}/members/{JOHN}", company, body={"name": name})
    assert response.status_code == 201
    member: dict[str, Any] = response.json()["data"]
    return member


async def _stored(api: CampaignApi, *companies: int) -> object:
    return [
        [
            tuple(row)
            for row in await api.rows(f"SELECT * FROM {table} WHERE company_id = ANY($1) ORDER BY 1", companies)
        ]
        for table in ("members", "outbox")
    ]


def test_every_documented_operation_is_tested_here(campaign_document: dict[str, Any]) -> None:
    documented = {
        (method.upper(), path.removeprefix("/api/voice-campaigns"))
        for path, methods in campaign_document["paths"].items()
        for method in methods
        if "/members" in path
    }
    assert set(OPERATIONS.values()) == documented


@EVERY_OPERATION
async def test_with_its_companys_token_every_operation_succeeds(
    campaign_api: CampaignApi, company: int, operation: str
) -> None:
    await _john(campaign_api, company)
    token = bearer(claims(company + FAR, company))
    assert (await _attempt(campaign_api, operation, company, token)).status_code == 200


@EVERY_OPERATION
async def test_every_operation_requires_a_token(campaign_api: CampaignApi, company: int, operation: str) -> None:
    await _john(campaign_api, company)
    before = await _stored(campaign_api, company)
    response = await _attempt(campaign_api, operation, company, {})
    assert response.status_code == 401
    assert response.json() == UNAUTHENTICATED
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert await _stored(campaign_api, company) == before


@EVERY_OPERATION
@pytest.mark.parametrize("content", [b'{"colour": "red"}', b"{"], ids=["unknown field", "no JSON"])
async def test_without_a_token_no_other_error_is_reported(
    campaign_api: CampaignApi, content: bytes, operation: str
) -> None:
    method, path = OPERATIONS[operation]
    path = path.format(companyId="x", memberId="x")
    response = await campaign_api.client.request(
        method, f"/api/voice-campaigns{path}", content=content, headers={"Content-Type": "application/json"}
    )
    assert response.status_code == 401
    assert response.json() == UNAUTHENTICATED


@EVERY_OPERATION
@pytest.mark.parametrize("role", ["user", "admin"])
@pytest.mark.parametrize("companies", [(FAR,), ()], ids=["of another company", "of no company"])
async def test_a_token_that_does_not_cover_the_company_gives_no_access(
    campaign_api: CampaignApi, company: int, companies: tuple[int, ...], role: str, operation: str
) -> None:
    await _john(campaign_api, company)
    before = await _stored(campaign_api, company)
    strangers = [company + distance for distance in companies]
    response = await _attempt(campaign_api, operation, company, bearer(claims(*strangers, role=role)))
    assert response.status_code == 403
    assert response.json() == {"message": "Access denied", "error": f"The token does not cover company {company}"}
    assert await _stored(campaign_api, company, *strangers) == before


async def test_one_id_is_another_person_in_another_company(campaign_api: CampaignApi, company: int) -> None:
    """Also for a caller whose token covers both companies."""
    other = company + FAR
    both = bearer(claims(company, other))
    mine = await _john(campaign_api, company)
    theirs = await _john(campaign_api, other, name="Johanna Schmidt")
    for of, member in ((company, mine), (other, theirs)):
        assert (await _attempt(campaign_api, "get", of, both)).json() == member
        listed = (await _attempt(campaign_api, "list", of, both)).json()
        assert (listed["total"], listed["data"]) == (1, [member])


@pytest.mark.parametrize("operation", ["put", "delete"])
async def test_a_change_leaves_the_same_id_of_another_company_as_it_was(
    campaign_api: CampaignApi, company: int, operation: str
) -> None:
    other = company + FAR
    await _john(campaign_api, company)
    theirs = await _john(campaign_api, other)
    before = await _stored(campaign_api, other)
    response = await _attempt(campaign_api, operation, company, bearer(claims(company, other)))
    assert response.status_code == 200
    assert await _stored(campaign_api, other) == before
    assert (await _attempt(campaign_api, "get", other, bearer(claims(other)))).json() == theirs


@pytest.mark.parametrize("operation", ["get", "delete"])
async def test_a_member_of_another_of_the_callers_companies_is_not_found(
    campaign_api: CampaignApi, company: int, operation: str
) -> None:
    other = company + FAR
    await _john(campaign_api, other)
    response = await _attempt(campaign_api, operation, company, bearer(claims(company, other)))
    assert response.status_code == 404
    assert response.json()["message"] == "Member not found"
