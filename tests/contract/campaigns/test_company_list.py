"""Endpoint 4: a company's campaigns, filtered, searched, sorted and paged."""

import re
from typing import Any

import pytest

from tests.fixtures.campaigns import STATUSES, CampaignApi, bearer, campaign_body, claims, smallest_body

UTC_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")

EXAMPLE: dict[str, Any] = {
    "id": 1,
    "name": "Customer Survey Campaign",
    "description": "Automated survey for customer satisfaction",
    "status": "active",
    "priority": "high",
    "campaign_type": "outbound",
    "calls_per_day": 50,
    "total_leads": 100,
    "completed_calls": 50,
    "successful_calls": 45,
    "failed_calls": 5,
    "calling_hours_start": "09:00:00",
    "calling_hours_end": "17:00:00",
    "time_zone": "UTC",
    "working_days": ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"],
    "ai_voice_id": "voice-123",
    "ai_voice_language": "en-US",
    "ai_voice_gender": "female",
    "max_attempts_per_lead": 3,
    "retry_delay_minutes": 60,
    "call_duration_limit": 300,
    "budget": 1000.00,
    "cost_per_call": 0.50,
    "owner_id": 123,
    "team_members": [124, 125, 126],
    "tags": ["customer-survey", "satisfaction", "q4-2024"],
    "start_date": "2024-03-01T09:00:00Z",
    "end_date": "2024-12-31T17:00:00Z",
    "created_at": "2024-02-19T10:00:00Z",
    "updated_at": "2024-02-19T10:00:00Z",
}
"""The contract's example of one campaign in the list."""

VARYING = {"id", "created_at", "updated_at"}


async def _page(api: CampaignApi, company: int, query: str = "") -> dict[str, Any]:
    response = await api.get(f"/company/{company}{query}", company)
    assert response.status_code == 200, response.text
    page: dict[str, Any] = response.json()
    return page


async def _names(api: CampaignApi, company: int, query: str = "") -> list[str]:
    """Return the names on a page that contains the whole list."""
    page = await _page(api, company, query)
    assert page["total"] == len(page["data"])
    return [campaign["name"] for campaign in page["data"]]


async def _create_all(api: CampaignApi, company: int, *changes: dict[str, Any]) -> None:
    for one in changes:
        await api.create(smallest_body(company, **one))


async def _multiply(api: CampaignApi, campaign_id: int, times: int) -> None:
    """Copy a campaign in one statement, so that the copies have equal created_at."""
    [row] = await api.rows("SELECT * FROM campaigns WHERE id = $1", campaign_id)
    columns = ", ".join(sorted(set(row.keys()) - {"id", "created_at", "updated_at"}))
    await api.rows(
        f"INSERT INTO campaigns ({columns}) SELECT {columns} FROM campaigns, generate_series(1, {times}) WHERE id = $1",
        campaign_id,
    )


async def test_the_contracts_example(campaign_api: CampaignApi, company: int) -> None:
    created = await campaign_api.create(campaign_body(company, status="active"))
    await campaign_api.rows("INSERT INTO campaign_totals VALUES ($1, 100, 50, 45)", created["id"])
    response = await campaign_api.get(f"/company/{company}", company)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    answer = response.json()
    assert {name: answer[name] for name in answer if name != "data"} == {"total": 1, "offset": 0, "limit": 50}
    [campaign] = answer["data"]
    assert {name: type(value) for name, value in campaign.items()} == {
        name: type(value) for name, value in EXAMPLE.items()
    }
    assert campaign == EXAMPLE | {name: created[name] for name in VARYING}
    assert UTC_TIME.fullmatch(campaign["created_at"])
    assert UTC_TIME.fullmatch(campaign["updated_at"])


async def test_a_missing_value_is_null_and_a_missing_total_is_zero(campaign_api: CampaignApi, company: int) -> None:
    created = await campaign_api.create(smallest_body(company))
    [campaign] = (await _page(campaign_api, company))["data"]
    assert campaign.keys() == EXAMPLE.keys()
    counted = {"total_leads", "completed_calls", "successful_calls", "failed_calls"}
    assert {name: campaign[name] for name in counted} == dict.fromkeys(counted, 0)
    assert {name: campaign[name] for name in campaign.keys() - counted} == {
        name: created[name] for name in campaign.keys() - counted
    }


async def test_a_company_without_campaigns_has_an_empty_list(campaign_api: CampaignApi, company: int) -> None:
    assert await _page(campaign_api, company) == {"total": 0, "offset": 0, "limit": 50, "data": []}


async def test_each_campaign_has_its_own_totals(campaign_api: CampaignApi, company: int) -> None:
    first, second = [await campaign_api.create(smallest_body(company)) for _ in range(2)]
    await campaign_api.rows(
        "INSERT INTO campaign_totals VALUES ($1, 3, 2, 2), ($2, 9, 8, 1)", first["id"], second["id"]
    )
    totals = {
        campaign["id"]: [
            campaign[name] for name in ("total_leads", "completed_calls", "successful_calls", "failed_calls")
        ]
        for campaign in (await _page(campaign_api, company))["data"]
    }
    assert totals == {first["id"]: [3, 2, 2, 0], second["id"]: [9, 8, 1, 7]}


async def test_a_list_contains_a_change_at_once(campaign_api: CampaignApi, company: int) -> None:
    created = await campaign_api.create(smallest_body(company))
    await campaign_api.transition("start", created["id"], company)
    await campaign_api.put(created["id"], smallest_body(company, status="active", name="Changed"), company)
    current = await campaign_api.read(created)
    [campaign] = (await _page(campaign_api, company))["data"]
    assert {name: campaign[name] for name in campaign.keys() & current.keys()} == {
        name: current[name] for name in campaign.keys() & current.keys()
    }
    assert (campaign["name"], campaign["status"]) == ("Changed", "active")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?status=active", {"active low", "active high"}),
        ("?status=paused", set()),
        ("?priority=high", {"draft high", "active high", "completed high"}),
        ("?status=active&priority=high", {"active high"}),
        ("?is_active=true", {"active low", "active high"}),
        ("?is_active=false", {"draft high", "completed high"}),
        ("?is_active=true&status=draft", set()),
        ("?is_active=false&status=draft", {"draft high"}),
        ("?is_active=true&priority=low", {"active low"}),
        ("?search=HIGH&is_active=true", {"active high"}),
        ("?search=a&status=completed&priority=high&is_active=false", set()),
    ],
)
async def test_a_list_contains_what_matches_its_filters(
    campaign_api: CampaignApi, company: int, query: str, expected: set[str]
) -> None:
    for status, priority in (("draft", "high"), ("active", "low"), ("active", "high"), ("completed", "high")):
        await _create_all(
            campaign_api, company, {"name": f"{status} {priority}", "status": status, "priority": priority}
        )
    assert set(await _names(campaign_api, company, query)) == expected


STARTS = {
    "the day before, last second": "2024-02-29T23:59:59Z",
    "the day before in UTC alone": "2024-03-01T00:30:00+01:00",
    "first second": "2024-03-01T00:00:00Z",
    "last second": "2024-03-01T23:59:59Z",
    "the day after in its own zone alone": "2024-03-02T00:30:00+01:00",
    "later": "2025-01-01T00:00:00Z",
    "none": None,
}


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2024-02-29", STARTS.keys() - {"none"}),
        (
            "2024-03-01",
            {"first second", "last second", "the day after in its own zone alone", "later"},
        ),
        ("2024-03-02", {"later"}),
        ("2025-01-02", set()),
    ],
)
async def test_start_date_selects_campaigns_that_start_on_that_day_or_later(
    campaign_api: CampaignApi, company: int, day: str, expected: set[str]
) -> None:
    await _create_all(campaign_api, company, *({"name": name, "start_date": at} for name, at in STARTS.items()))
    assert set(await _names(campaign_api, company, f"?start_date={day}")) == expected


ENDS = {
    "earlier": "2023-01-01T00:00:00Z",
    "first second": "2024-12-31T00:00:00Z",
    "last second": "2024-12-31T23:59:59Z",
    "that day in UTC alone": "2025-01-01T00:30:00+01:00",
    "the day after, first second": "2025-01-01T00:00:00Z",
    "none": None,
}


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2022-12-31", set()),
        ("2023-01-01", {"earlier"}),
        ("2024-12-30", {"earlier"}),
        ("2024-12-31", {"earlier", "first second", "last second", "that day in UTC alone"}),
        ("2025-01-01", ENDS.keys() - {"none"}),
    ],
)
async def test_end_date_selects_campaigns_that_end_on_that_day_or_earlier(
    campaign_api: CampaignApi, company: int, day: str, expected: set[str]
) -> None:
    await _create_all(campaign_api, company, *({"name": name, "end_date": at} for name, at in ENDS.items()))
    assert set(await _names(campaign_api, company, f"?end_date={day}")) == expected


async def test_both_dates_select_campaigns_within_the_period(campaign_api: CampaignApi, company: int) -> None:
    await _create_all(
        campaign_api,
        company,
        {"name": "within", "start_date": "2024-03-01T00:00:00Z", "end_date": "2024-03-31T23:59:59Z"},
        {"name": "starts before", "start_date": "2024-02-29T23:59:59Z", "end_date": "2024-03-31T00:00:00Z"},
        {"name": "ends after", "start_date": "2024-03-01T00:00:00Z", "end_date": "2024-04-01T00:00:00Z"},
        {"name": "open", "start_date": "2024-03-01T00:00:00Z"},
    )
    assert await _names(campaign_api, company, "?start_date=2024-03-01&end_date=2024-03-31") == ["within"]


SEARCHED: list[dict[str, Any]] = [
    {"name": "Summer Sale", "description": "Everything must go"},
    {"name": "Winter sale", "description": None},
    {"name": "Survey", "description": "About what people thought of the summer"},
    {"name": "100% off", "description": r"See C:\offers"},
    {"name": "1000 off_season", "description": 'It\'s "quoted"'},
    {"name": "ÜBER Ćáłł", "description": "ΠΡΟΣΦΟΡΆ für Élodie"},
    {"name": "電話", "description": "Tokyo"},
]


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        ("summer", {"Summer Sale", "Survey"}),
        ("SALE", {"Summer Sale", "Winter sale"}),
        ("umme", {"Summer Sale", "Survey"}),
        ("sale summer", {"Summer Sale"}),
        ("sale  \t must", {"Summer Sale"}),
        ("summer people", {"Survey"}),
        ("summer winter", set()),
        ("must go", {"Summer Sale"}),
        ("go must", {"Summer Sale"}),
        ("saleEverything", set()),
        ("null", set()),
        ("%", {"100% off"}),
        ("100%", {"100% off"}),
        ("0_o", set()),
        ("_", {"1000 off_season"}),
        ("f_s", {"1000 off_season"}),
        ("\\", {"100% off"}),
        ("c:\\OFF", {"100% off"}),
        ("\\%", set()),
        ("\\_", set()),
        ("it's", {"1000 off_season"}),
        ('"quoted"', {"1000 off_season"}),
        ("'; DROP TABLE campaigns; --", set()),
        ("über", {"ÜBER Ćáłł"}),
        ("ćÁŁł", {"ÜBER Ćáłł"}),
        ("προσφορά", {"ÜBER Ćáłł"}),
        ("éLODIE FÜR", {"ÜBER Ćáłł"}),
        ("電", {"電話"}),
        ("a", {"Summer Sale", "Winter sale", "Survey", "1000 off_season"}),
        ("x" * 200, set()),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else None,
)
async def test_a_search_finds_campaigns_with_every_word_in_name_or_description(
    campaign_api: CampaignApi, company: int, search: str, expected: set[str]
) -> None:
    await _create_all(campaign_api, company, *SEARCHED)
    response = await campaign_api.client.get(
        f"/api/voice-campaigns/company/{company}", params={"search": search}, headers=bearer(claims(company))
    )
    assert response.status_code == 200, response.text
    answer = response.json()
    assert {campaign["name"] for campaign in answer["data"]} == expected
    assert answer["total"] == len(expected)


@pytest.mark.parametrize("search", ["", "%20", "%09%0A"])
async def test_a_search_without_words_finds_all_campaigns(campaign_api: CampaignApi, company: int, search: str) -> None:
    await _create_all(campaign_api, company, {"name": "a"}, {"name": "b"})
    assert await _names(campaign_api, company, f"?search={search}") == ["b", "a"]


async def test_a_search_uses_the_current_text_of_a_campaign(campaign_api: CampaignApi, company: int) -> None:
    created = await campaign_api.create(smallest_body(company, name="Before"))
    await campaign_api.put(created["id"], smallest_body(company, name="After"), company)
    assert await _names(campaign_api, company, "?search=before") == []
    assert await _names(campaign_api, company, "?search=after") == ["After"]


NAMES = ["Zebra", "apple", "éclair", "Banana", "Äpfel", "cherry"]
NAMES_SORTED = ["Äpfel", "apple", "Banana", "cherry", "éclair", "Zebra"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", NAMES[::-1]),
        ("?sort=created_at", NAMES[::-1]),
        ("?sort=created_at&order=desc", NAMES[::-1]),
        ("?sort=created_at&order=asc", NAMES),
        ("?order=asc", NAMES),
        ("?order=desc", NAMES[::-1]),
        ("?sort=name", NAMES_SORTED),
        ("?sort=name&order=asc", NAMES_SORTED),
        ("?sort=name&order=desc", NAMES_SORTED[::-1]),
    ],
)
async def test_a_list_is_sorted_by_time_or_name(
    campaign_api: CampaignApi, company: int, query: str, expected: list[str]
) -> None:
    await _create_all(campaign_api, company, *({"name": name} for name in NAMES))
    assert await _names(campaign_api, company, query) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?sort=status", list(STATUSES)),
        ("?sort=status&order=asc", list(STATUSES)),
        ("?sort=status&order=desc", list(STATUSES[::-1])),
    ],
)
async def test_statuses_are_sorted_in_the_order_of_the_lifecycle(
    campaign_api: CampaignApi, company: int, query: str, expected: list[str]
) -> None:
    await _create_all(
        campaign_api, company, *({"status": status} for status in ("paused", "draft", "completed", "active"))
    )
    assert [campaign["status"] for campaign in (await _page(campaign_api, company, query))["data"]] == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?sort=priority", ["high", "medium", "low"]),
        ("?sort=priority&order=desc", ["high", "medium", "low"]),
        ("?sort=priority&order=asc", ["low", "medium", "high"]),
    ],
)
async def test_priorities_are_sorted_from_low_to_high(
    campaign_api: CampaignApi, company: int, query: str, expected: list[str]
) -> None:
    await _create_all(campaign_api, company, *({"priority": priority} for priority in ("medium", "low", "high")))
    assert [campaign["priority"] for campaign in (await _page(campaign_api, company, query))["data"]] == expected


async def test_a_filtered_list_is_sorted_too(campaign_api: CampaignApi, company: int) -> None:
    await _create_all(
        campaign_api, company, {"name": "b"}, {"name": "x", "status": "active"}, {"name": "a"}, {"name": "c"}
    )
    assert await _names(campaign_api, company, "?sort=name&order=desc&status=draft") == ["c", "b", "a"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", {"offset": 0, "limit": 50, "here": 50}),
        ("?limit=1", {"offset": 0, "limit": 1, "here": 1}),
        ("?limit=200", {"offset": 0, "limit": 200, "here": 61}),
        ("?offset=60", {"offset": 60, "limit": 50, "here": 1}),
        ("?offset=61", {"offset": 61, "limit": 50, "here": 0}),
        ("?limit=7&offset=57", {"offset": 57, "limit": 7, "here": 4}),
        ("?offset=1000000", {"offset": 1000000, "limit": 50, "here": 0}),
        ("?offset=2147483647", {"offset": 2147483647, "limit": 50, "here": 0}),
    ],
)
async def test_a_page_has_its_offset_and_limit_and_the_total_of_all_pages(
    campaign_api: CampaignApi, company: int, query: str, expected: dict[str, int]
) -> None:
    created = await campaign_api.create(smallest_body(company))
    await _multiply(campaign_api, created["id"], 60)
    page = await _page(campaign_api, company, query)
    assert {"offset": page["offset"], "limit": page["limit"], "here": len(page["data"])} == expected
    assert page["total"] == 61


@pytest.mark.parametrize(
    "query",
    ["?status=draft", "?priority=medium", "?is_active=false", "?search=survey", "?start_date=2024-03-01"],
)
async def test_the_total_of_a_filtered_page_counts_all_matches(
    campaign_api: CampaignApi, company: int, query: str
) -> None:
    matching = {"status": "draft", "priority": "medium", "name": "Survey", "start_date": "2024-03-01T00:00:00Z"}
    other = {"status": "active", "priority": "low", "name": "Other", "start_date": "2023-03-01T00:00:00Z"}
    await _create_all(campaign_api, company, *[matching] * 3, *[other] * 2)
    for page in ("&limit=1", "&limit=2&offset=2", "&offset=50"):
        assert (await _page(campaign_api, company, query + page))["total"] == 3


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("sort", ["created_at", "name", "status", "priority"])
async def test_all_pages_together_are_the_whole_list_also_with_equal_sort_values(
    campaign_api: CampaignApi, company: int, sort: str, order: str
) -> None:
    created = await campaign_api.create(smallest_body(company))
    await _multiply(campaign_api, created["id"], 30)
    query = f"?sort={sort}&order={order}"
    whole = [campaign["id"] for campaign in (await _page(campaign_api, company, query))["data"]]
    pages = [await _page(campaign_api, company, f"{query}&limit=4&offset={offset}") for offset in range(0, 32, 4)]
    assert [campaign["id"] for page in pages for campaign in page["data"]] == whole
    assert len(set(whole)) == 31


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("?status=running", "status"),
        ("?status=", "status"),
        ("?status=Active", "status"),
        ("?priority=urgent", "priority"),
        ("?priority=", "priority"),
        ("?is_active=maybe", "is_active"),
        ("?is_active=", "is_active"),
        ("?is_active=1", "is_active"),
        ("?is_active=yes", "is_active"),
        ("?start_date=yesterday", "start_date"),
        ("?start_date=", "start_date"),
        ("?start_date=2024-3-1", "start_date"),
        ("?start_date=2024-02-30", "start_date"),
        ("?start_date=20240301", "start_date"),
        ("?start_date=1709251200", "start_date"),
        ("?start_date=2024-03-01T00:00:00", "start_date"),
        ("?start_date=%D9%A2024-03-01", "start_date"),
        ("?start_date=0000-01-01", "start_date"),
        ("?end_date=2024-02-30", "end_date"),
        ("?end_date=", "end_date"),
        ("?end_date=2024-13-01", "end_date"),
        ("?sort=id", "sort"),
        ("?sort=", "sort"),
        ("?sort=name%20desc", "sort"),
        ("?sort=updated_at", "sort"),
        ("?order=up", "order"),
        ("?order=", "order"),
        ("?order=ASC", "order"),
        ("?limit=0", "limit"),
        ("?limit=201", "limit"),
        ("?limit=-1", "limit"),
        ("?limit=", "limit"),
        ("?limit=ten", "limit"),
        ("?limit=1.5", "limit"),
        ("?offset=-1", "offset"),
        ("?offset=", "offset"),
        ("?offset=x", "offset"),
        ("?offset=99999999999999999999", "offset"),
        ("?search=%00", "search"),
        ("?search=a%00b", "search"),
        (f"?search={'x' * 201}", "search"),
    ],
)
async def test_an_invalid_parameter_is_rejected_with_its_name(
    campaign_api: CampaignApi, company: int, query: str, field: str
) -> None:
    response = await campaign_api.get(f"/company/{company}{query}", company)
    assert response.status_code == 400, response.text
    answer = response.json()
    assert answer["message"] == "Invalid request"
    assert answer["error"].startswith(f"{field}: ")
    assert [error["field"] for error in answer["errors"]] == [field]


async def test_one_response_names_every_invalid_parameter(campaign_api: CampaignApi, company: int) -> None:
    query = "?status=x&priority=x&is_active=x&start_date=x&end_date=x&sort=x&order=x&limit=x&offset=x"
    response = await campaign_api.get(f"/company/{company}{query}", company)
    assert response.status_code == 400
    assert {error["field"] for error in response.json()["errors"]} == {
        "status",
        "priority",
        "is_active",
        "start_date",
        "end_date",
        "sort",
        "order",
        "limit",
        "offset",
    }


@pytest.mark.parametrize("company_id", ["0", "-1", "x", "1.5", str(2**63)])
async def test_an_invalid_company_id_is_rejected(campaign_api: CampaignApi, company: int, company_id: str) -> None:
    response = await campaign_api.get(f"/company/{company_id}", company)
    assert response.status_code == 400
    assert [error["field"] for error in response.json()["errors"]] == ["companyId"]


async def test_a_company_outside_the_token_is_rejected(campaign_api: CampaignApi, company: int) -> None:
    response = await campaign_api.get(f"/company/{company}", company + 1_000_000)
    assert response.status_code == 403
    assert response.json() == {"message": "Access denied", "error": f"The token does not cover company {company}"}
