"""Endpoints 2, 3 and 11: get a campaign in both forms, and all campaigns."""

from typing import Any

import pytest
from fastapi import FastAPI, Request
from starlette.responses import JSONResponse, Response

from services.campaign_svc.campaigns.schemas import CampaignDetailsResponse, CampaignRead
from tests.fixtures.campaigns import (
    CampaignApi,
    api_settings,
    bearer,
    campaign_api_with,
    campaign_body,
    claims,
    smallest_body,
)
from tests.fixtures.servers import ServerUrls
from tests.fixtures.serving import serving

CONTRACT_METRICS = {
    "accuracy",
    "clarity",
    "engagement",
    "adherenceToScript",
    "sentimentScore",
    "averageCallQuality",
    "positiveResponseRate",
    "negativeResponseRate",
    "averageResponseTime",
    "commonKeywords",
}
LARGEST = 2**63 - 1


async def test_a_campaign_by_id_alone_has_no_envelope(campaign_api: CampaignApi, company: int) -> None:
    created = await campaign_api.create(campaign_body(company))
    response = await campaign_api.get(f"/{created['id']}", company)
    assert response.status_code == 200
    assert response.json() == created
    CampaignRead.model_validate_json(response.content)
    assert response.json().keys() == CampaignRead.model_fields.keys()


async def test_a_campaign_with_its_company_has_an_envelope(campaign_api: CampaignApi, company: int) -> None:
    created = await campaign_api.create(campaign_body(company, calling_hours_end="18:30:59"))
    response = await campaign_api.get(f"/{created['id']}?company_id={company}", company)
    assert response.status_code == 200
    CampaignDetailsResponse.model_validate_json(response.content)
    answer = response.json()
    assert answer["message"] == "Campaign fetched successfully"
    metrics = answer["data"].pop("metrics")
    assert answer["data"] == created | {
        "voice_type": "female",
        "script": created["script_template"],
        "call_start_time": "09:00",
        "call_end_time": "18:30",
    }
    assert metrics == dict.fromkeys(CONTRACT_METRICS) | {"commonKeywords": []}


FIGURES: dict[str, Any] = {
    "accuracy": 95.0,
    "clarity": 88.0,
    "engagement": None,
    "adherenceToScript": 96.0,
    "sentimentScore": 7.8,
    "averageCallQuality": 92.0,
    "positiveResponseRate": 45.0,
    "negativeResponseRate": 15.0,
    "averageResponseTime": "8.5s",
    "commonKeywords": [{"word": "interested", "count": 145}, {"word": "pricing", "count": 98}],
}


@pytest.mark.parametrize(
    ("answer", "metrics"),
    [
        (JSONResponse(FIGURES), FIGURES),
        (JSONResponse({"message": "Internal server error"}, 500), dict.fromkeys(FIGURES) | {"commonKeywords": []}),
        (JSONResponse({"accuracy": "good"}), dict.fromkeys(FIGURES) | {"commonKeywords": []}),
    ],
    ids=["valid", "failing", "invalid"],
)
async def test_the_metrics_are_those_of_analytics_with_the_callers_token(
    servers: ServerUrls, campaigns_database: str, company: int, answer: Response, metrics: dict[str, Any]
) -> None:
    requests = []
    analytics = FastAPI()

    @analytics.get("/internal/voice-campaigns/{number}/metrics")
    async def metrics_of(request: Request, number: int) -> Response:
        requests.append((number, request.headers["Authorization"]))
        return answer

    async with (
        serving(analytics) as url,
        campaign_api_with(api_settings(servers, campaigns_database, url)) as api,
    ):
        created = await api.create(campaign_body(company))
        headers = bearer(claims(company))
        path = f"/api/voice-campaigns/{created['id']}?company_id={company}"
        response = await api.client.get(path, headers=headers)
    assert response.json()["data"]["metrics"] == metrics
    assert requests == [(created["id"], headers["Authorization"])]


async def test_a_missing_voice_type_is_null(campaign_api: CampaignApi, company: int) -> None:
    created = await campaign_api.create(smallest_body(company))
    answer = (await campaign_api.get(f"/{created['id']}?company_id={company}", company)).json()
    assert answer["data"]["voice_type"] is None


@pytest.mark.parametrize(
    "company_id", ["", "abc", "1.5", "-1", "0", "1,2", "%31%20", "٣", "9" * 19, "9" * 5000, "null"]
)
async def test_an_invalid_company_id_is_rejected(campaign_api: CampaignApi, company: int, company_id: str) -> None:
    created = await campaign_api.create(smallest_body(company))
    response = await campaign_api.get(f"/{created['id']}?company_id={company_id}", company)
    assert response.status_code == 400
    assert response.json() == {"message": "Company ID is required", "error": "company_id must be a positive integer"}


@pytest.mark.parametrize("query", ["", "?company_id={company}"])
async def test_a_campaign_that_does_not_exist_is_not_found(campaign_api: CampaignApi, company: int, query: str) -> None:
    response = await campaign_api.get(f"/{LARGEST}{query.format(company=company)}", company)
    assert response.status_code == 404
    assert response.json() == {"message": "Voice campaign not found", "error": "Voice campaign not found"}


@pytest.mark.parametrize("campaign_id", ["0", "-1", "abc", "1.5", str(LARGEST + 1)])
async def test_an_invalid_campaign_id_is_rejected(campaign_api: CampaignApi, company: int, campaign_id: str) -> None:
    response = await campaign_api.get(f"/{campaign_id}", company)
    assert response.status_code == 400
    assert [error["field"] for error in response.json()["errors"]] == ["id"]


async def test_all_campaigns_are_a_bare_array_of_whole_campaigns(campaign_api: CampaignApi, company: int) -> None:
    assert (await campaign_api.get("", company)).json() == []
    created = [await campaign_api.create(campaign_body(company, name=f"Campaign {number}")) for number in range(3)]
    response = await campaign_api.get("", company)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.json() == created


async def test_a_list_of_any_length_is_whole(campaign_api: CampaignApi, company: int) -> None:
    created = await campaign_api.create(campaign_body(company))
    columns = ", ".join(sorted(created.keys() - {"id", "version", "created_at", "updated_at"}))
    await campaign_api.rows(
        f"INSERT INTO campaigns ({columns}) SELECT {columns} FROM campaigns, generate_series(1, 1000) WHERE id = $1",
        created["id"],
    )
    listed = (await campaign_api.get("", company)).json()
    ids = [campaign["id"] for campaign in listed]
    assert len(ids) == 1001
    assert ids == sorted(set(ids))
    for campaign in listed:
        assert campaign | dict.fromkeys(("id", "created_at", "updated_at")) == created | dict.fromkeys(
            ("id", "created_at", "updated_at")
        )


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?status=active", {"active low", "active high"}),
        ("?priority=high", {"draft high", "active high"}),
        ("?status=active&priority=high", {"active high"}),
        ("?status=paused", set()),
        ("?status=completed&priority=low", set()),
    ],
)
async def test_a_list_contains_what_matches_its_filters(
    campaign_api: CampaignApi, company: int, query: str, expected: set[str]
) -> None:
    for status, priority in (("draft", "high"), ("active", "low"), ("active", "high")):
        body = campaign_body(company, name=f"{status} {priority}", status=status, priority=priority)
        await campaign_api.create(body)
    listed = (await campaign_api.get(query, company)).json()
    assert {campaign["name"] for campaign in listed} == expected


async def test_a_list_is_of_the_tokens_companies_or_of_the_requested_one(
    campaign_api: CampaignApi, company: int
) -> None:
    other = company + 1_000_000
    mine = await campaign_api.create(campaign_body(company))
    theirs = await campaign_api.create(campaign_body(other))
    assert (await campaign_api.get("", company, other)).json() == [mine, theirs]
    assert (await campaign_api.get(f"?company_id={other}", company, other)).json() == [theirs]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("?status=running", "status"),
        ("?priority=HIGH", "priority"),
        ("?company_id=x", "company_id"),
        ("?status=", "status"),
    ],
)
async def test_an_invalid_filter_is_rejected(campaign_api: CampaignApi, company: int, query: str, field: str) -> None:
    response = await campaign_api.get(query, company)
    assert response.status_code == 400
    assert [error["field"] for error in response.json()["errors"]] == [field]


@pytest.mark.parametrize(
    "path",
    [
        "/api/voice-campaigns/",
        "/api/voice-campaigns/1/",
        "/api/voice-campaigns/1/launch",
        "/api/voice-campaign",
        "/",
        "/docs",
    ],
)
async def test_other_paths_are_not_found(campaign_api: CampaignApi, company: int, path: str) -> None:
    response = await campaign_api.client.get(path, headers=bearer(claims(company)))
    assert response.status_code == 404
    assert response.json() == {"message": "Resource not found", "error": "Resource not found"}
