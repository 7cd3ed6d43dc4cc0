"""Who sees what: a token opens its companies' campaigns and no others."""

from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest

from tests.fixtures.campaigns import CampaignApi, bearer, campaign_body, claims

UNAUTHENTICATED = {"message": "Authentication required", "error": "No valid authentication token provided"}
AN_HOUR = timedelta(hours=1)


def _unsigned(company: int) -> dict[str, str]:
    token = jwt.encode(claims(company), "", algorithm="none")
    return {"Authorization": f"Bearer {token}"}


def _bad_tokens(company: int) -> dict[str, dict[str, str]]:
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


BAD_TOKENS = sorted(_bad_tokens(1))
OPERATIONS = ["create", "get", "details", "list"]


async def _attempt(api: CampaignApi, operation: str, campaign: dict[str, Any], headers: dict[str, str]) -> Any:
    if operation == "create":
        body = campaign_body(campaign["company_id"])
        return await api.client.post("/api/voice-campaigns", json=body, headers=headers)
    path = {
        "get": f"/{campaign['id']}",
        "details": f"/{campaign['id']}?company_id={campaign['company_id']}",
        "list": f"?company_id={campaign['company_id']}",
    }[operation]
    return await api.client.get(f"/api/voice-campaigns{path}", headers=headers)


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("token", BAD_TOKENS)
async def test_without_a_good_token_nothing_is_answered(
    campaign_api: CampaignApi, company: int, token: str, operation: str
) -> None:
    campaign = await campaign_api.create(campaign_body(company))
    response = await _attempt(campaign_api, operation, campaign, _bad_tokens(company)[token])
    assert response.status_code == 401
    assert response.json() == UNAUTHENTICATED
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert len((await campaign_api.get("", company)).json()) == 1


@pytest.mark.parametrize("role", ["user", "admin"])
@pytest.mark.parametrize(
    ("operation", "status", "message"),
    [
        ("create", 403, "Access denied"),
        ("get", 404, "Voice campaign not found"),
        ("details", 403, "Access denied"),
        ("list", 403, "Access denied"),
    ],
)
async def test_another_companys_token_opens_nothing(
    campaign_api: CampaignApi, company: int, role: str, operation: str, status: int, message: str
) -> None:
    campaign = await campaign_api.create(campaign_body(company))
    stranger = bearer(claims(company + 1_000_000, role=role))
    response = await _attempt(campaign_api, operation, campaign, stranger)
    assert response.status_code == status
    assert response.json()["message"] == message
    assert campaign["name"] not in response.text
    assert len((await campaign_api.get("", company)).json()) == 1


async def test_a_campaign_is_not_found_in_another_of_the_callers_companies(
    campaign_api: CampaignApi, company: int
) -> None:
    other = company + 1_000_000
    campaign = await campaign_api.create(campaign_body(company))
    response = await campaign_api.get(f"/{campaign['id']}?company_id={other}", company, other)
    assert response.status_code == 404
    assert response.json()["message"] == "Voice campaign not found"


async def test_a_token_of_no_company_sees_nothing(campaign_api: CampaignApi, company: int) -> None:
    campaign = await campaign_api.create(campaign_body(company))
    assert (await campaign_api.get("")).json() == []
    assert (await campaign_api.get(f"/{campaign['id']}")).status_code == 404
    assert (await campaign_api.post(campaign_body(company))).status_code == 403


async def test_a_list_holds_no_other_companys_campaigns(campaign_api: CampaignApi, company: int) -> None:
    await campaign_api.create(campaign_body(company + 1_000_000))
    mine = await campaign_api.create(campaign_body(company))
    assert (await campaign_api.get("", company)).json() == [mine]
