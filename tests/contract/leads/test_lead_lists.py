"""Endpoints 2 and 7: the leads of a company and of a campaign."""

import re
from typing import Any

import httpx
import pytest

from tests.fixtures.campaigns import bearer, claims
from tests.fixtures.gateway import phone_number
from tests.fixtures.leads import LEAD_STATUSES, LeadApi, LeadCompany

MAX_ID = 2**63 - 1
NO_CAMPAIGN = {"message": "Voice campaign not found", "error": "Voice campaign not found"}


def _campaign_path(campaign_id: int) -> str:
    return f"/api/voice-leads/campaign/{campaign_id}"


def _paths(company: LeadCompany) -> list[str]:
    return [company.list_path, _campaign_path(company.campaign_id)]


async def _listed(company: LeadCompany, path: str, **parameters: object) -> list[dict[str, Any]]:
    response = await company.send("GET", f"{path}?{httpx.QueryParams(parameters)}")  # type: ignore[arg-type]
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/json"
    leads: list[dict[str, Any]] = response.json()
    assert isinstance(leads, list)
    return leads


async def _walked(company: LeadCompany, path: str, **parameters: object) -> list[list[dict[str, Any]]]:
    """Every page, from the first to where no next one is named."""
    pages = []
    url = f"{path}?{httpx.QueryParams(parameters)}"  # type: ignore[arg-type]
    while True:
        response = await company.send("GET", url)
        assert response.status_code == 200, response.text
        pages.append(response.json())
        if "Link" not in response.headers:
            return pages
        assert re.fullmatch(r'<[^>]+>; rel="next"', response.headers["Link"])
        url = response.links["next"]["url"]
        assert len(pages) < 100, "the pages do not end"


async def _many(company: LeadCompany, count: int, campaign_id: int | None = None) -> None:
    """Insert leads that differ in the fields by which lists are filtered, directly into the table."""
    await company.api.rows(
        """
        INSERT INTO leads
            (company_id, campaign_id, phone, status, priority, assigned_to, timezone, preferred_language)
        SELECT $1, $2, '+1415' || lpad(number::text, 7, '0'), ($3::text[])[1 + number % 5], 1 + number % 5,
            nullif(number % 3, 0), 'UTC', 'en-US'
        FROM generate_series(1, $4::int) AS number
        """,
        company.id,
        campaign_id or company.campaign_id,
        list(LEAD_STATUSES[:-1]),
        count,
    )


async def test_lists_are_bare_arrays_of_whole_leads_in_the_order_they_came(
    company: LeadCompany, other_company: LeadCompany
) -> None:
    await other_company.create()
    leads = await company.create_many(3)
    elsewhere = await company.create(campaign_id=await company.add_campaign())
    assert await _listed(company, company.list_path) == [*leads, elsewhere]
    assert await _listed(company, _campaign_path(company.campaign_id)) == leads


async def test_no_leads_are_an_empty_list(company: LeadCompany) -> None:
    for path in _paths(company):
        assert await _listed(company, path) == []
        assert await _walked(company, path, limit=1) == [[]]


async def test_a_list_without_a_limit_is_whole(company: LeadCompany) -> None:
    await _many(company, 1501)
    for path in _paths(company):
        response = await company.send("GET", path)
        assert len(response.json()) == 1501
        assert "Link" not in response.headers


@pytest.mark.parametrize("limit", [1, 2, 3, 6, 7, 8, 1000])
async def test_the_pages_put_together_are_the_whole_list(company: LeadCompany, limit: int) -> None:
    await _many(company, 7)
    for path in _paths(company):
        whole = await _listed(company, path)
        pages = await _walked(company, path, limit=limit)
        assert [lead for page in pages for lead in page] == whole
        assert [len(page) for page in pages] == [len(whole[start : start + limit]) for start in range(0, 7, limit)]


async def test_pages_of_a_filtered_list_contain_the_whole_filtered_list(company: LeadCompany) -> None:
    await _many(company, 60)
    for path, parameters in (
        (company.list_path, {"status": "pending"}),
        (company.list_path, {"assigned_to": 2, "campaign_id": company.campaign_id}),
        (_campaign_path(company.campaign_id), {"status": "completed", "priority": 4}),
    ):
        whole = await _listed(company, path, **parameters)
        pages = await _walked(company, path, limit=5, **parameters)
        assert len(pages) > 1
        assert [lead for page in pages for lead in page] == whole


async def test_leads_that_come_and_go_between_pages_disturb_no_others(company: LeadCompany) -> None:
    leads = await company.create_many(4)
    first = await company.send("GET", f"{company.list_path}?limit=2")
    await company.on_lead("DELETE", leads[0])
    await company.on_lead("DELETE", leads[2])
    new = await company.create()
    second = await company.send("GET", first.links["next"]["url"])
    assert [lead["id"] for lead in first.json()] == [lead["id"] for lead in leads[:2]]
    assert [lead["id"] for lead in second.json()] == [leads[3]["id"], new["id"]]


async def test_a_cursor_without_a_limit_leads_to_all_that_follow(company: LeadCompany) -> None:
    leads = await company.create_many(3)
    for path in _paths(company):
        assert await _listed(company, path, cursor=leads[0]["id"]) == leads[1:]


FILTERS: list[dict[str, Any]] = [
    *({"status": status} for status in LEAD_STATUSES),
    {"assigned_to": 1},
    {"assigned_to": 3},
    {"status": "pending", "assigned_to": 2},
    {"status": "failed", "assigned_to": 1},
]
OF_A_CAMPAIGN: list[dict[str, Any]] = [
    *({"status": status} for status in LEAD_STATUSES),
    *({"priority": priority} for priority in range(1, 6)),
    {"status": "pending", "priority": 1},
    {"status": "pending", "priority": 2},
]


@pytest.mark.parametrize("parameters", FILTERS, ids=str)
async def test_a_companys_list_is_filtered(company: LeadCompany, parameters: dict[str, Any]) -> None:
    await _many(company, 30)
    other = await company.add_campaign()
    await _many(company, 15, other)
    leads = await _listed(company, company.list_path)
    assert len(leads) == 45
    for campaign in ({}, {"campaign_id": other}):
        expected = [
            lead for lead in leads if all(lead[name] == value for name, value in (campaign | parameters).items())
        ]
        assert await _listed(company, company.list_path, **campaign, **parameters) == expected


@pytest.mark.parametrize("parameters", OF_A_CAMPAIGN, ids=str)
async def test_a_campaigns_list_is_filtered(company: LeadCompany, parameters: dict[str, Any]) -> None:
    await _many(company, 30)
    await _many(company, 15, await company.add_campaign())
    leads = await _listed(company, _campaign_path(company.campaign_id))
    assert len(leads) == 30
    expected = [lead for lead in leads if all(lead[name] == value for name, value in parameters.items())]
    assert await _listed(company, _campaign_path(company.campaign_id), **parameters) == expected


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=-1", "limit"),
        ("limit=1001", "limit"),
        ("limit=", "limit"),
        ("limit=ten", "limit"),
        ("limit=1.5", "limit"),
        ("cursor=x", "cursor"),
        ("cursor=-1", "cursor"),
        (f"cursor={MAX_ID + 1}", "cursor"),
        ("status=running", "status"),
        ("status=", "status"),
        ("status=Pending", "status"),
        ("status=%00", "status"),
    ],
)
async def test_a_parameter_that_means_nothing_is_named(company: LeadCompany, query: str, field: str) -> None:
    for path in _paths(company):
        response = await company.send("GET", f"{path}?{query}")
        assert response.status_code == 400, response.text
        assert response.json()["error"].startswith(f"{field}: ")
        assert [error["field"] for error in response.json()["errors"]] == [field]


@pytest.mark.parametrize(
    ("query", "field"),
    [("campaign_id=0", "campaign_id"), ("campaign_id=x", "campaign_id"), ("assigned_to=me", "assigned_to")],
)
async def test_a_parameter_of_a_companys_list_is_checked(company: LeadCompany, query: str, field: str) -> None:
    response = await company.send("GET", f"{company.list_path}?{query}")
    assert [error["field"] for error in response.json()["errors"]] == [field]


@pytest.mark.parametrize("priority", ["0", "6", "high", "", "1.5", "1.0", "%2B1", "0_1"])
async def test_a_parameter_of_a_campaigns_list_is_checked(company: LeadCompany, priority: str) -> None:
    response = await company.send("GET", f"{_campaign_path(company.campaign_id)}?priority={priority}")
    assert response.status_code == 400
    assert [error["field"] for error in response.json()["errors"]] == ["priority"]


async def test_every_bad_parameter_is_named(company: LeadCompany) -> None:
    query = "?status=x&campaign_id=x&assigned_to=x&limit=x&cursor=x"
    response = await company.send("GET", f"{company.list_path}{query}")
    errors = {error["field"]: error["message"] for error in response.json()["errors"]}
    assert errors.keys() == {"status", "campaign_id", "assigned_to", "limit", "cursor"}
    assert errors["status"] == "Invalid status value"


async def test_another_companys_campaign_is_not_found(company: LeadCompany, other_company: LeadCompany) -> None:
    await other_company.create()
    for query in ("", "?limit=5", "?status=pending"):
        response = await company.send("GET", f"{_campaign_path(other_company.campaign_id)}{query}")
        assert (response.status_code, response.json()) == (404, NO_CAMPAIGN)


async def test_filtering_by_another_companys_campaign_returns_no_leads(
    company: LeadCompany, other_company: LeadCompany
) -> None:
    await other_company.create()
    await company.create()
    assert await _listed(company, company.list_path, campaign_id=other_company.campaign_id) == []


async def test_a_deleted_campaigns_leads_are_still_there(company: LeadCompany) -> None:
    lead = await company.create()
    await company.api.rows("UPDATE campaigns SET deleted = true WHERE id = $1", company.campaign_id)
    assert await _listed(company, company.list_path) == [lead]


@pytest.mark.parametrize(
    "campaign_id", ["0", "-1", "x", "1.5", "1.0", "1_0", "01", "+1", "%201", "１", str(MAX_ID + 1)]
)
async def test_a_campaign_that_cannot_be_is_refused(company: LeadCompany, campaign_id: str) -> None:
    response = await company.send("GET", f"/api/voice-leads/campaign/{campaign_id}")
    assert response.status_code == 400
    assert [error["field"] for error in response.json()["errors"]] == ["campaignId"]


async def test_a_token_of_several_companies_sees_each_of_them(
    company: LeadCompany, other_company: LeadCompany, lead_api: LeadApi
) -> None:
    mine, theirs = await company.create(), await other_company.create()
    token = bearer(claims(company.id, other_company.id))
    for one, lead in ((company, mine), (other_company, theirs)):
        for path in _paths(one):
            response = await lead_api.client.get(path, headers=token)
            assert response.json() == [lead]


async def test_changes_are_seen_at_once(company: LeadCompany) -> None:
    lead = await company.create(phone=phone_number(1))
    await company.on_lead("PATCH", lead, "/status", {"status": "completed"})
    for path in _paths(company):
        assert await _listed(company, path, status="pending") == []
        assert [current["id"] for current in await _listed(company, path, status="completed")] == [lead["id"]]
