"""``GET /api/voice-campaigns/company/{companyId}/stats`` as in the contract."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from services.analytics_svc.reports.statistics import CompanyStatistics
from shared.database.engine import Database
from shared.events.campaigns import Campaign, CampaignCreated, CampaignDeleted
from shared.events.leads import LEADS_PER_EVENT, CallAttempt, LeadCallAttempted, LeadCreated
from tests.fixtures.analytics import ReportsApi, project_all
from tests.fixtures.campaigns import bearer, claims
from tests.fixtures.events import NOON, call, campaign, lead

EXAMPLE: dict[str, Any] = {
    "total_campaigns": 10,
    "active_campaigns": 5,
    "completed_campaigns": 3,
    "paused_campaigns": 2,
    "total_leads": 1000,
    "total_calls": 800,
    "successful_calls": 600,
    "failed_calls": 200,
    "average_success_rate": 75.00,
    "total_call_duration": 48000,
    "average_call_duration": 60,
    "total_cost": 400.00,
    "remaining_budget": 5600.00,
    "campaigns_by_priority": {"high": 3, "medium": 5, "low": 2},
    "calls_by_hour": {"09:00": 250, "10:00": 250, "11:00": 300},
    "daily_stats": [
        {
            "date": f"2024-03-{day:02}",
            "total_calls": 80,
            "successful_calls": 60,
            "failed_calls": 20,
            "success_rate": 75.00,
        }
        for day in range(1, 11)
    ],
}
"""The contract's example, with its hours and days continued."""

EMPTY: dict[str, Any] = {
    "total_campaigns": 0,
    "active_campaigns": 0,
    "completed_campaigns": 0,
    "paused_campaigns": 0,
    "total_leads": 0,
    "total_calls": 0,
    "successful_calls": 0,
    "failed_calls": 0,
    "average_success_rate": 0.0,
    "total_call_duration": 0,
    "average_call_duration": 0,
    "total_cost": 0.0,
    "remaining_budget": 0.0,
    "campaigns_by_priority": {"high": 0, "medium": 0, "low": 0},
    "calls_by_hour": {},
    "daily_stats": [],
}


def _example_campaigns() -> list[Campaign]:
    statuses = ["active"] * 5 + ["completed"] * 3 + ["paused"] * 2
    priorities = ["high"] * 3 + ["medium"] * 5 + ["low"] * 2
    return [
        campaign(number, status=status, priority=priority, budget=600, cost_per_call=Decimal("0.5"))
        for number, (status, priority) in enumerate(zip(statuses, priorities, strict=True), 1)
    ]


def _example_calls() -> list[CallAttempt]:
    def attempt(day: int, of_day: int) -> CallAttempt:
        hour = 9 if of_day < 25 else 10 if of_day < 50 else 11
        return call(
            100 * day + of_day,
            campaign_id=day,
            started_at=datetime(2024, 3, day, hour, of_day % 60, tzinfo=UTC),
            successful=of_day < 60,
        )

    return [attempt(day, of_day) for day in range(1, 11) for of_day in range(80)]


async def test_the_contracts_example(analytics_database: Database, reports_api: ReportsApi) -> None:
    calls = _example_calls()
    leads = [lead(number, campaign_id=number % 10 + 1) for number in range(1, 1001)]
    await project_all(
        analytics_database,
        *(CampaignCreated(campaign=one) for one in _example_campaigns()),
        *(LeadCreated(leads=leads[start : start + LEADS_PER_EVENT]) for start in range(0, 1000, LEADS_PER_EVENT)),
        *(LeadCallAttempted(call_attempts=calls[start : start + 400]) for start in (0, 400)),
    )
    answer = await reports_api.statistics(1)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json() == EXAMPLE
    assert list(answer.json()) == list(EXAMPLE)


async def test_figures_are_of_the_types_of_the_example(analytics_database: Database, reports_api: ReportsApi) -> None:
    await project_all(
        analytics_database,
        CampaignCreated(campaign=campaign(1, budget="100.10", cost_per_call="0.333")),
        LeadCallAttempted(call_attempts=[call(1, duration=100), call(2, duration=1, successful=False), call(3)]),
    )
    answer = (await reports_api.statistics(1)).json()
    for name, example in EXAMPLE.items():
        assert type(answer[name]) is type(example), name
    assert {name: type(value) for name, value in answer["daily_stats"][0].items()} == {
        name: type(value) for name, value in EXAMPLE["daily_stats"][0].items()
    }
    assert answer["average_success_rate"] == 66.67
    assert answer["average_call_duration"] == 54
    assert answer["total_cost"] == 1.0
    assert answer["remaining_budget"] == 99.1


async def test_a_company_without_facts_has_zeros(reports_api: ReportsApi) -> None:
    answer = await reports_api.statistics(1)
    assert answer.status_code == 200
    assert answer.json() == EMPTY


async def test_dates_are_whole_days_both_included(analytics_database: Database, reports_api: ReportsApi) -> None:
    moments = [
        datetime(2024, 2, 29, 23, 59, 59, 999_999, UTC),
        datetime(2024, 3, 1, tzinfo=UTC),
        datetime(2024, 3, 2, 23, 59, 59, 999_999, UTC),
        datetime(2024, 3, 3, tzinfo=UTC),
    ]
    await project_all(
        analytics_database,
        CampaignCreated(campaign=campaign(1, created_at=NOON - timedelta(days=365))),
        LeadCreated(leads=[lead(number, created_at=moment) for number, moment in enumerate(moments, 1)]),
        LeadCallAttempted(call_attempts=[call(number, started_at=moment) for number, moment in enumerate(moments, 1)]),
    )

    async def counted(**days: str) -> tuple[int, int, int]:
        answer = (await reports_api.statistics(1, **days)).json()
        return answer["total_campaigns"], answer["total_leads"], answer["total_calls"]

    assert await counted(start_date="2024-03-01", end_date="2024-03-02") == (1, 2, 2)
    assert await counted(start_date="2024-03-02", end_date="2024-03-02") == (1, 1, 1)
    assert await counted(start_date="2024-03-03") == (1, 1, 1)
    assert await counted(end_date="2024-02-29") == (1, 1, 1)
    assert await counted(start_date="0001-01-01", end_date="9999-12-31") == (1, 4, 4)
    assert await counted(start_date="9999-12-31") == (1, 0, 0)


async def test_a_status_is_that_of_the_campaign(analytics_database: Database, reports_api: ReportsApi) -> None:
    await project_all(
        analytics_database,
        CampaignCreated(campaign=campaign(1, status="active", budget=100)),
        CampaignCreated(campaign=campaign(2, status="draft", budget=10)),
        LeadCreated(leads=[lead(1, campaign_id=1), lead(2, campaign_id=2), lead(3, campaign_id=2)]),
        LeadCallAttempted(call_attempts=[call(1, campaign_id=1, cost=1), call(2, campaign_id=2, cost=2)]),
    )
    answer = (await reports_api.statistics(1, status="draft")).json()
    figures = ("total_campaigns", "active_campaigns", "total_leads", "total_calls", "total_cost", "remaining_budget")
    assert [answer[name] for name in figures] == [1, 0, 2, 1, 2.0, 8.0]


async def test_a_deleted_campaign_is_not_counted_but_its_leads_and_calls_are(
    analytics_database: Database, reports_api: ReportsApi
) -> None:
    await project_all(
        analytics_database,
        CampaignCreated(campaign=campaign(1, budget=100)),
        LeadCreated(leads=[lead(1)]),
        LeadCallAttempted(call_attempts=[call(1, cost=5)]),
        CampaignDeleted(campaign=campaign(1, version=2, budget=100)),
    )
    answer = (await reports_api.statistics(1)).json()
    assert (answer["total_campaigns"], answer["campaigns_by_priority"]["medium"]) == (0, 0)
    assert (answer["total_leads"], answer["total_calls"], answer["total_cost"]) == (1, 1, 5.0)
    assert answer["remaining_budget"] == 0.0
    assert (await reports_api.statistics(1, status="active")).json() == EMPTY


async def test_a_budget_can_be_overspent(analytics_database: Database, reports_api: ReportsApi) -> None:
    await project_all(
        analytics_database,
        CampaignCreated(campaign=campaign(1, budget=1)),
        CampaignCreated(campaign=campaign(2)),
        LeadCallAttempted(call_attempts=[call(1, cost="3.25"), call(2, campaign_id=2, cost=7)]),
    )
    answer = (await reports_api.statistics(1, start_date="2025-01-01")).json()
    assert answer["remaining_budget"] == -2.25
    assert answer["total_cost"] == 0.0


async def test_another_companys_facts_are_not_counted(analytics_database: Database, reports_api: ReportsApi) -> None:
    await project_all(
        analytics_database,
        CampaignCreated(campaign=campaign(1, company_id=2, budget=100)),
        LeadCreated(leads=[lead(1, company_id=2)]),
        LeadCallAttempted(call_attempts=[call(1, company_id=2, cost=5)]),
    )
    assert (await reports_api.statistics(1)).json() == EMPTY
    assert (await reports_api.statistics(1, status="active")).json() == EMPTY
    assert (await reports_api.statistics(2)).json()["total_calls"] == 1


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ({"start_date": "yesterday"}, "start_date"),
        ({"start_date": ""}, "start_date"),
        ({"start_date": "2024-3-1"}, "start_date"),
        ({"start_date": "20240301"}, "start_date"),
        ({"start_date": "1709251200"}, "start_date"),
        ({"start_date": "2024-03-01T00:00:00"}, "start_date"),
        ({"start_date": "٢٠٢٤-٠٣-٠١"}, "start_date"),
        ({"end_date": "2024-02-30"}, "end_date"),
        ({"end_date": "0000-01-01"}, "end_date"),
        ({"start_date": "2024-03-02", "end_date": "2024-03-01"}, "end_date"),
        ({"status": "running"}, "status"),
        ({"status": ""}, "status"),
        ({"status": "Active"}, "status"),
    ],
)
async def test_a_bad_parameter_is_named(reports_api: ReportsApi, parameters: dict[str, str], named: str) -> None:
    answer = await reports_api.statistics(1, **parameters)
    assert answer.status_code == 400
    body = answer.json()
    assert body["message"] == "Invalid request"
    assert body["error"].startswith(f"{named}: ")
    assert [error["field"] for error in body["errors"]] == [named]
    assert body["errors"][0]["value"] == parameters[named]


async def test_every_bad_parameter_is_named(reports_api: ReportsApi) -> None:
    answer = await reports_api.statistics(1, start_date="x", end_date="y", status="z")
    assert {error["field"] for error in answer.json()["errors"]} == {"start_date", "end_date", "status"}


@pytest.mark.parametrize("company", ["0", "-1", "x", "9223372036854775808", "1.5"])
async def test_an_invalid_company_id_is_a_bad_request(reports_api: ReportsApi, company: str) -> None:
    answer = await reports_api.client.get(f"/api/voice-campaigns/company/{company}/stats", headers=bearer(claims(1)))
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "companyId"


@pytest.mark.parametrize("role", ["user", "admin"])
async def test_the_token_of_another_company_is_forbidden(
    analytics_database: Database, reports_api: ReportsApi, role: str
) -> None:
    await project_all(analytics_database, CampaignCreated(campaign=campaign(1, company_id=2)))
    answer = await reports_api.client.get("/api/voice-campaigns/company/2/stats", headers=bearer(claims(1, role=role)))
    assert answer.status_code == 403
    assert answer.json() == {"message": "Access denied", "error": "The token does not cover company 2"}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer x"},
        bearer(claims(1, exp=NOON)),
        bearer(claims(1), secret="x" * 64),
        bearer(claims(1), secret="", algorithm="none"),
    ],
    ids=["none", "empty", "no token", "expired", "another key", "unsigned"],
)
@pytest.mark.parametrize("query", ["", "?status=running"])
async def test_an_invalid_token_is_unauthorized(reports_api: ReportsApi, headers: dict[str, str], query: str) -> None:
    answer = await reports_api.client.get(f"/api/voice-campaigns/company/1/stats{query}", headers=headers)
    assert answer.status_code == 401
    assert answer.json() == {
        "message": "Authentication required",
        "error": "No valid authentication token provided",
    }


@pytest.mark.parametrize(
    "path",
    [
        "/api/voice-campaigns/company/1/stats/",
        "/api/voice-campaigns",
        "/",
    ],
)
async def test_an_unknown_report_is_not_found(reports_api: ReportsApi, path: str) -> None:
    answer = await reports_api.client.get(path, headers=bearer(claims(1)))
    assert answer.status_code == 404
    assert answer.json() == {"message": "Resource not found", "error": "Resource not found"}


async def test_the_openapi_document_describes_the_report(reports_api: ReportsApi) -> None:
    document = (await reports_api.client.get("/openapi.json")).json()
    operation = document["paths"]["/api/voice-campaigns/company/{companyId}/stats"]["get"]
    assert {one["name"] for one in operation["parameters"]} == {
        "companyId",
        "start_date",
        "end_date",
        "time_zone",
        "status",
    }
    assert set(operation["responses"]) >= {"200", "400", "401", "403", "404", "500"}
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    assert schema == {"$ref": "#/components/schemas/CompanyStatistics"}
    assert list(document["components"]["schemas"]["CompanyStatistics"]["properties"]) == list(EXAMPLE)


async def test_the_example_of_the_openapi_document_is_valid() -> None:
    example = CompanyStatistics.model_config["json_schema_extra"]["example"]  # type: ignore[index]
    statistics = CompanyStatistics.model_validate(example)
    assert list(statistics.model_dump()) == list(EXAMPLE)
    assert statistics.daily_stats[0].date == date(2024, 3, 1)
