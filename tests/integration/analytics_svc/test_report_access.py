"""Who may read a report, and where the campaign of a report is looked up."""

import pytest
from fastapi import FastAPI, Request
from starlette.responses import JSONResponse, Response

from shared.database.engine import Database
from shared.events.campaigns import CampaignCreated, CampaignDeleted
from tests.fixtures.analytics import CAMPAIGN_REPORTS, COMPANY_REPORTS, ReportsApi, project_all, reports_api_with
from tests.fixtures.campaigns import bearer, claims
from tests.fixtures.events import campaign
from tests.fixtures.servers import ServerUrls
from tests.fixtures.serving import serving


@pytest.mark.parametrize("path", COMPANY_REPORTS)
async def test_reports_of_another_company_are_forbidden(reports_api: ReportsApi, path: str) -> None:
    assert (await reports_api.get(path.format(company=1), 2)).status_code == 403


@pytest.mark.parametrize("path", CAMPAIGN_REPORTS)
async def test_reports_of_another_companys_campaign_are_not_found(
    reports_api: ReportsApi, analytics_database: Database, path: str
) -> None:
    await project_all(analytics_database, CampaignCreated(campaign=campaign(1)))
    assert (await reports_api.get(path.format(campaign=1), 1)).status_code == 200
    response = await reports_api.get(path.format(campaign=1), 2)
    assert (response.status_code, response.json()["message"]) == (404, "Voice campaign not found")


@pytest.mark.parametrize("path", CAMPAIGN_REPORTS)
async def test_reports_of_a_deleted_campaign_are_not_found(
    reports_api: ReportsApi, analytics_database: Database, path: str
) -> None:
    await project_all(analytics_database, CampaignDeleted(campaign=campaign(1, version=2)))
    assert (await reports_api.get(path.format(campaign=1), 1)).status_code == 404


@pytest.mark.parametrize("path", [*COMPANY_REPORTS, *CAMPAIGN_REPORTS])
async def test_reports_require_a_token(reports_api: ReportsApi, path: str) -> None:
    response = await reports_api.client.get(path.format(company=1, campaign=1))
    assert response.status_code == 401
    assert response.json() == {
        "message": "Authentication required",
        "error": "No valid authentication token provided",
    }


@pytest.mark.parametrize("path", CAMPAIGN_REPORTS)
async def test_a_campaign_whose_event_has_not_arrived_is_requested_from_campaign_svc(
    servers: ServerUrls, analytics_url: str, path: str
) -> None:
    campaigns = FastAPI()

    @campaigns.get("/api/voice-campaigns/{number}")
    async def get_campaign(request: Request, number: int) -> Response:
        assert request.headers["Authorization"] == bearer_of_test["Authorization"]
        if number == 1:
            return JSONResponse(campaign(1, budget=80.5, cost_per_call=None).model_dump(mode="json"))
        return JSONResponse({"message": "Voice campaign not found"}, 404)

    bearer_of_test = bearer(claims(1))
    async with serving(campaigns) as url, reports_api_with(servers, analytics_url, campaign_svc_url=url) as api:
        known = await api.client.get(path.format(campaign=1), headers=bearer_of_test)
        assert known.status_code == 200
        if path == CAMPAIGN_REPORTS[0]:
            assert known.json()["budget"] == known.json()["remaining_budget"] == 80.5
        unknown = await api.client.get(path.format(campaign=2), headers=bearer_of_test)
        assert (unknown.status_code, unknown.json()["message"]) == (404, "Voice campaign not found")


async def test_a_campaign_whose_event_has_not_arrived_is_unavailable_without_campaign_svc(
    reports_api: ReportsApi,
) -> None:
    response = await reports_api.get("/api/voice-campaigns/1/stats", 1)
    assert response.status_code == 503
    assert response.json()["message"] == "Service unavailable"


@pytest.mark.parametrize("number", ["0", "abc", "9" * 19])
async def test_an_invalid_campaign_id_is_a_bad_request(reports_api: ReportsApi, number: str) -> None:
    for path in CAMPAIGN_REPORTS:
        response = await reports_api.get(path.format(campaign=number), 1)
        assert response.status_code == 400
