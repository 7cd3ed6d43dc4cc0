"""Endpoint 13: delete campaign. No caller finds it any more; its row, events and totals stay."""

import pytest

from shared.events.campaigns import CampaignDeleted
from tests.fixtures.campaigns import CAMPAIGN_OPERATIONS, CampaignApi, campaign_body

DELETED = {"message": "Voice campaign deleted successfully"}
NOT_FOUND = {"message": "Voice campaign not found", "error": "Voice campaign not found"}
DELETABLE = ["draft", "paused", "completed"]


async def test_the_response_is_that_of_the_contract(campaign_api: CampaignApi, company: int) -> None:
    created = await campaign_api.create(campaign_body(company))
    response = await campaign_api.delete(created["id"], company)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.json() == DELETED


@pytest.mark.parametrize("status", DELETABLE)
async def test_a_campaign_that_is_not_active_can_be_deleted(
    campaign_api: CampaignApi, company: int, status: str
) -> None:
    created = await campaign_api.create(campaign_body(company, status=status))
    assert (await campaign_api.delete(created["id"], company)).json() == DELETED
    assert (await campaign_api.get(f"/{created['id']}", company)).status_code == 404


async def test_an_active_campaign_cannot_be_deleted(campaign_api: CampaignApi, company: int) -> None:
    created = await campaign_api.create(campaign_body(company, status="active"))
    before = await campaign_api.stored(company)
    response = await campaign_api.delete(created["id"], company)
    assert response.status_code == 409
    assert response.json().keys() == {"message", "error"}
    assert await campaign_api.stored(company) == before
    assert await campaign_api.read(created) == created


async def test_an_active_campaign_can_be_deleted_once_it_is_paused(campaign_api: CampaignApi, company: int) -> None:
    created = await campaign_api.create(campaign_body(company, status="active"))
    await campaign_api.transition("pause", created["id"], company)
    assert (await campaign_api.delete(created["id"], company)).json() == DELETED


@pytest.mark.parametrize("operation", CAMPAIGN_OPERATIONS)
@pytest.mark.parametrize("status", DELETABLE)
async def test_no_operation_finds_a_deleted_campaign(
    campaign_api: CampaignApi, company: int, status: str, operation: str
) -> None:
    created = await campaign_api.create(campaign_body(company, status=status))
    await campaign_api.delete(created["id"], company)
    before = await campaign_api.stored(company)
    response = await campaign_api.attempt(CAMPAIGN_OPERATIONS[operation], created)
    assert response.status_code == 404
    assert response.json() == NOT_FOUND
    assert await campaign_api.stored(company) == before


@pytest.mark.parametrize("path", ["", "?company_id={}", "?status=paused", "?priority=high"])
async def test_the_list_of_all_campaigns_does_not_contain_a_deleted_one(
    campaign_api: CampaignApi, company: int, path: str
) -> None:
    gone = await campaign_api.create(campaign_body(company, status="paused"))
    stays = await campaign_api.create(campaign_body(company, status="paused"))
    await campaign_api.delete(gone["id"], company)
    assert (await campaign_api.get(path.format(company), company)).json() == [stays]


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?status=paused",
        "?priority=high",
        "?is_active=false",
        "?search=Survey",
        "?start_date=2024-03-01",
        "?limit=1",
    ],
)
async def test_the_companys_list_neither_contains_nor_counts_a_deleted_campaign(
    campaign_api: CampaignApi, company: int, query: str
) -> None:
    gone = await campaign_api.create(campaign_body(company, status="paused"))
    stays = await campaign_api.create(campaign_body(company, status="paused"))
    await campaign_api.delete(gone["id"], company)
    answer = (await campaign_api.get(f"/company/{company}{query}", company)).json()
    assert answer["total"] == 1
    assert [campaign["id"] for campaign in answer["data"]] == [stays["id"]]


@pytest.mark.parametrize("query", ["", "?priority=high"])
async def test_the_active_list_does_not_contain_a_deleted_campaign(
    campaign_api: CampaignApi, company: int, query: str
) -> None:
    created = await campaign_api.create(campaign_body(company, status="active"))
    await campaign_api.transition("complete", created["id"], company)
    await campaign_api.delete(created["id"], company)
    assert (await campaign_api.get(f"/company/{company}/active{query}", company)).json() == {"total": 0, "data": []}


async def test_the_row_of_a_deleted_campaign_stays(campaign_api: CampaignApi, company: int) -> None:
    created = await campaign_api.create(campaign_body(company))
    [before] = await campaign_api.rows("SELECT * FROM campaigns WHERE id = $1", created["id"])
    await campaign_api.delete(created["id"], company)
    [after] = await campaign_api.rows("SELECT * FROM campaigns WHERE id = $1", created["id"])
    differing = {name for name, value in after.items() if value != before[name]}
    assert differing == {"version", "updated_at", "deleted_at"}
    assert after["version"] == 2
    assert after["updated_at"] > before["updated_at"]


async def test_events_and_totals_of_a_deleted_campaign_stay(campaign_api: CampaignApi, company: int) -> None:
    created = await campaign_api.create(campaign_body(company))
    await campaign_api.rows("INSERT INTO campaign_totals VALUES ($1, 3, 2, 1)", created["id"])
    [before] = await campaign_api.events(company)
    await campaign_api.delete(created["id"], company)
    assert (await campaign_api.events(company))[0] == before
    [totals] = await campaign_api.rows("SELECT * FROM campaign_totals WHERE campaign_id = $1", created["id"])
    assert tuple(totals) == (created["id"], 3, 2, 1)


async def test_the_event_of_a_deletion_contains_the_last_state(campaign_api: CampaignApi, company: int) -> None:
    created = await campaign_api.create(campaign_body(company, status="paused"))
    await campaign_api.delete(created["id"], company)
    [_, event] = await campaign_api.events(company)
    assert (event.type, event.companyid) == ("campaign.deleted.v1", company)
    campaign = CampaignDeleted.model_validate(event.data).campaign
    assert (campaign.id, campaign.version, campaign.status, campaign.name) == (
        created["id"],
        2,
        "paused",
        created["name"],
    )


async def test_a_second_deletion_is_not_found(campaign_api: CampaignApi, company: int) -> None:
    created = await campaign_api.create(campaign_body(company))
    await campaign_api.delete(created["id"], company)
    response = await campaign_api.delete(created["id"], company)
    assert response.status_code == 404
    assert response.json() == NOT_FOUND
    assert [event.type for event in await campaign_api.events(company)] == [
        "campaign.created.v1",
        "campaign.deleted.v1",
    ]


async def test_a_campaign_that_does_not_exist_is_not_found(campaign_api: CampaignApi, company: int) -> None:
    response = await campaign_api.delete(2**63 - 1, company)
    assert response.status_code == 404
    assert response.json() == NOT_FOUND
