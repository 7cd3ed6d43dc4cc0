"""Who may see what: tokens, and the walls between companies."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import jwt
import pytest

from tests.fixtures.campaigns import claims
from tests.fixtures.gateway import Caller, Gateway, many_leads

UNAUTHENTICATED = {"message": "Authentication required", "error": "No valid authentication token provided"}
AN_HOUR_AGO = datetime.now(UTC) - timedelta(hours=1)
COMPANY = 77

OF_EACH_SERVICE = [
    "/api/voice-campaigns",
    f"/api/voice-leads/company/{COMPANY}",
    f"/api/voice-campaigns/company/{COMPANY}/stats",
]


def signed(secret: str, algorithm: str = "HS256", **changes: object) -> str:
    return f"Bearer {jwt.encode(claims(COMPANY, **changes), secret, algorithm=algorithm)}"


BAD_CREDENTIALS: dict[str, Callable[[str], str]] = {
    "no token": lambda _secret: "Bearer",
    "not a token": lambda _secret: "Bearer YOUR_API_TOKEN",
    "another scheme": lambda secret: signed(secret).replace("Bearer", "Basic"),
    "expired": lambda secret: signed(secret, exp=AN_HOUR_AGO),
    "without an end": lambda secret: signed(secret, exp=None),
    "another key": lambda secret: signed(secret[::-1]),
    "no signature": lambda _secret: signed("", "none"),
    "signature cut off": lambda secret: signed(secret).rpartition(".")[0] + ".",
    "companies that are none": lambda secret: signed(secret, companies="all"),
    "without companies": lambda secret: signed(secret, companies=None),
}


@pytest.mark.parametrize("path", OF_EACH_SERVICE)
async def test_a_good_token_opens_every_service(gateway: Gateway, path: str) -> None:
    assert (await gateway.http.get(path, headers=gateway.headers(COMPANY))).status_code == 200


@pytest.mark.parametrize("path", OF_EACH_SERVICE)
async def test_a_request_without_a_header_is_unauthorized(gateway: Gateway, path: str) -> None:
    response = await gateway.http.get(path)

    assert (response.status_code, response.json()) == (401, UNAUTHENTICATED)
    assert response.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("path", OF_EACH_SERVICE)
@pytest.mark.parametrize("credentials", BAD_CREDENTIALS.values(), ids=list(BAD_CREDENTIALS))
async def test_a_bad_token_opens_nothing(gateway: Gateway, path: str, credentials: Callable[[str], str]) -> None:
    headers = {"Authorization": credentials(gateway.jwt_secret)}

    response = await gateway.http.get(path, headers=headers)

    assert (response.status_code, response.json()) == (401, UNAUTHENTICATED)


async def test_an_import_without_a_token_is_not_even_read(caller: Caller) -> None:
    response = await caller.gateway.http.post(caller.import_path, files={"file": ("leads.csv", b"phone\n")})

    assert (response.status_code, response.json()) == (401, UNAUTHENTICATED)


async def test_paths_of_another_company_are_forbidden(caller: Caller, stranger: Caller) -> None:
    campaign_id = await caller.create_campaign()
    [lead] = await caller.imported(many_leads(1), campaign_id)
    company = caller.company_id

    for path in (
        f"/api/voice-leads/company/{company}",
        f"/api/voice-campaigns/company/{company}/stats",
        f"/api/company/voice-leads/company/{company}/imports/{lead['import_id']}",
        f"/api/voice-campaigns?company_id={company}",
        f"/api/voice-campaigns/{campaign_id}?company_id={company}",
    ):
        response = await stranger.get(path)
        assert response.status_code == 403, path
        assert set(response.json()) == {"message", "error"}


async def test_importing_into_another_company_is_forbidden(caller: Caller, stranger: Caller) -> None:
    campaign_id = await caller.create_campaign()

    response = await caller.gateway.http.post(
        caller.import_path,
        files={"file": ("leads.csv", many_leads(1).encode())},
        data={"campaign_id": str(campaign_id)},
        headers=stranger.headers,
    )

    assert response.status_code == 403
    assert await caller.leads() == []


async def test_another_companys_things_do_not_exist(caller: Caller, stranger: Caller) -> None:
    campaign_id = await caller.create_campaign()
    [lead] = await caller.imported(many_leads(1), campaign_id)
    imports = f"/api/company/voice-leads/company/{stranger.company_id}/imports"

    for path, message in (
        (f"/api/voice-campaigns/{campaign_id}", "Voice campaign not found"),
        (f"/api/voice-leads/{lead['id']}", "Voice lead not found"),
        (f"{imports}/{lead['import_id']}", "Import not found"),
    ):
        response = await stranger.get(path)
        assert (response.status_code, response.json()["message"]) == (404, message)


async def test_lists_show_only_the_companies_of_the_token(caller: Caller, stranger: Caller) -> None:
    campaign_id = await caller.create_campaign()
    await caller.imported(many_leads(2), campaign_id)

    assert (await stranger.get("/api/voice-campaigns")).json() == []
    assert await stranger.leads() == []
    assert await stranger.leads(campaign_id=campaign_id) == []
    assert [campaign["id"] for campaign in (await caller.get("/api/voice-campaigns")).json()] == [campaign_id]


async def test_a_token_may_cover_several_companies(caller: Caller, stranger: Caller) -> None:
    campaigns = [await caller.create_campaign(), await stranger.create_campaign()]
    both = caller.gateway.headers(caller.company_id, stranger.company_id)

    response = await caller.gateway.http.get("/api/voice-campaigns", headers=both)

    assert [campaign["id"] for campaign in response.json()] == campaigns
