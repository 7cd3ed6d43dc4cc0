"""Whether leads may be added to a campaign: by the local copy, else by a request to campaign_svc."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI
from starlette.responses import Response

from services.campaign_svc.app import create_api_app
from tests.fixtures.campaigns import api_settings, bearer, claims, smallest_body
from tests.fixtures.gateway import Caller
from tests.fixtures.lead_service import LeadService
from tests.fixtures.servers import ServerUrls
from tests.fixtures.serving import serving

COMPANY, STRANGER = 7, 8
FILE = "phone\n+14155550100\n"
INVALID_CAMPAIGN = "Invalid campaign_id or campaign does not belong to company"
NOTHING_STORED = {"jobs": 0, "files": 0, "messages": 0}


@pytest.fixture(scope="session")
async def campaign_svc(servers: ServerUrls, campaigns_database: str) -> AsyncIterator[str]:
    """Address of the real campaign service, whose events are not relayed."""
    async with serving(create_api_app(api_settings(servers, campaigns_database))) as url:
        yield url


async def create_campaign(campaign_svc: str, company_id: int) -> int:
    async with httpx.AsyncClient(base_url=campaign_svc, headers=bearer(claims(company_id)), trust_env=False) as http:
        response = await http.post("/api/voice-campaigns", json=smallest_body(company_id) | {"time_zone": "Asia/Tokyo"})
    assert response.status_code == 201, response.text
    campaign_id: int = response.json()["data"]["id"]
    return campaign_id


async def stored(lead_service: LeadService) -> dict[str, int]:
    [row] = await lead_service.rows(
        "SELECT (SELECT count(*) FROM imports) AS jobs, (SELECT count(*) FROM import_files) AS files,"
        " (SELECT count(*) FROM outbox) AS messages"
    )
    return dict(row)


async def test_a_campaign_whose_events_have_not_arrived_is_requested_once(
    lead_service: LeadService, campaign_svc: str
) -> None:
    campaign_id = await create_campaign(campaign_svc, COMPANY)

    async with lead_service.api(campaign_svc) as api:
        response = await Caller(api, COMPANY).import_file(FILE, campaign_id, respond_async=True)
    assert response.status_code == 202, response.text
    [copy] = await lead_service.rows("SELECT * FROM campaigns")
    assert (copy["id"], copy["company_id"], copy["status"], copy["deleted"]) == (campaign_id, COMPANY, "draft", False)
    assert copy["time_zone"] == "Asia/Tokyo"

    async with lead_service.api() as api:  # which cannot reach campaign_svc
        response = await Caller(api, COMPANY).import_file(FILE, campaign_id, respond_async=True)
    assert response.status_code == 202, response.text


async def test_a_campaign_that_is_not_the_companys_is_refused(lead_service: LeadService, campaign_svc: str) -> None:
    theirs = await create_campaign(campaign_svc, STRANGER)
    deleted = await lead_service.knows_campaign(1_000_001, COMPANY, deleted=True)
    copied = await lead_service.knows_campaign(1_000_002, STRANGER)
    unknown = 1_000_003

    async with lead_service.api(campaign_svc) as api:
        for campaign_id in (theirs, deleted, copied, unknown):
            for respond_async in (False, True):
                response = await Caller(api, COMPANY).import_file(FILE, campaign_id, respond_async=respond_async)
                assert response.status_code == 400
                assert response.json() == {"message": "Error importing leads", "error": INVALID_CAMPAIGN}
    assert await stored(lead_service) == NOTHING_STORED


async def test_while_campaign_svc_is_down_only_unknown_campaigns_have_to_wait(lead_service: LeadService) -> None:
    known = await lead_service.knows_campaign(1, COMPANY)

    async with lead_service.api() as api:
        refused = await Caller(api, COMPANY).import_file(FILE, 2)
        before = await stored(lead_service)
        accepted = await Caller(api, COMPANY).import_file(FILE, known, respond_async=True)

    assert refused.status_code == 503
    assert refused.json() == {
        "message": "Error importing leads",
        "error": "The campaign cannot be checked at the moment; try again later",
    }
    assert before == NOTHING_STORED
    assert accepted.status_code == 202


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(Response("{}", 500, media_type="application/json"), id="an error"),
        pytest.param(Response("<html>Welcome</html>", 200, media_type="text/html"), id="a page"),
        pytest.param(Response('{"id": 2}', 200, media_type="application/json"), id="half a campaign"),
        pytest.param(Response(status_code=302, headers={"Location": "/login"}), id="a redirect"),
    ],
)
async def test_an_invalid_response_of_campaign_svc_is_503(lead_service: LeadService, answer: Response) -> None:
    nonsense = FastAPI()
    nonsense.add_route("/api/voice-campaigns/{id}", lambda _request: answer)

    async with serving(nonsense) as url, lead_service.api(url) as api:
        response = await Caller(api, COMPANY).import_file(FILE, 2)

    assert response.status_code == 503
    assert response.json()["message"] == "Error importing leads"
    assert await stored(lead_service) == NOTHING_STORED
