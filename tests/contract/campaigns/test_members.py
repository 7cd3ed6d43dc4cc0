"""A company's directory of members: the names of the people to whom campaigns, leads and calls refer by id."""

import re
from typing import Any

import httpx
import pytest

from tests.fixtures.campaigns import CampaignApi, campaign_body

MAX_ID = 2**63 - 1
JOHN = 124
UTC_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
NOT_FOUND = {"message": "Member not found", "error": "Member not found"}


async def _put(api: CampaignApi, company: int, member_id: object, body: object) -> httpx.Response:
    return await api.send("PUT", f"/company/{company}/members/{member_id}", company, body=body)


async def _name(api: CampaignApi, company: int, member_id: int, name: str) -> dict[str, Any]:
    """Put a member and return it."""
    response = await _put(api, company, member_id, {"name": name})
    assert response.is_success, response.text
    member: dict[str, Any] = response.json()["data"]
    return member


async def _get(api: CampaignApi, company: int, member_id: object) -> httpx.Response:
    return await api.get(f"/company/{company}/members/{member_id}", company)


async def _delete(api: CampaignApi, company: int, member_id: object) -> httpx.Response:
    return await api.send("DELETE", f"/company/{company}/members/{member_id}", company)


async def _listed(api: CampaignApi, company: int, query: str = "") -> dict[str, Any]:
    response = await api.get(f"/company/{company}/members{query}", company)
    assert response.status_code == 200, response.text
    page: dict[str, Any] = response.json()
    return page


async def _backdate(api: CampaignApi, company: int) -> None:
    """Move the times of a company's members one minute into the past."""
    await api.rows(
        "UPDATE members SET created_at = created_at - interval '1 minute',"
        " updated_at = updated_at - interval '1 minute' WHERE company_id = $1",
        company,
    )


async def test_a_new_member_is_created(campaign_api: CampaignApi, company: int) -> None:
    response = await _put(campaign_api, company, JOHN, {"name": "John Smith"})
    assert response.status_code == 201
    assert response.headers["content-type"] == "application/json"
    answer = response.json()
    assert answer.keys() == {"message", "data"}
    assert answer["message"] == "Member created successfully"
    created = answer["data"]
    assert list(created) == ["id", "company_id", "name", "created_at", "updated_at"]
    assert (created["id"], created["company_id"], created["name"]) == (JOHN, company, "John Smith")
    assert UTC_TIME.fullmatch(created["created_at"])
    assert created["updated_at"] == created["created_at"]


async def test_an_existing_member_gets_the_new_name(campaign_api: CampaignApi, company: int) -> None:
    await _name(campaign_api, company, JOHN, "John Smith")
    await _backdate(campaign_api, company)
    before = (await _get(campaign_api, company, JOHN)).json()
    response = await _put(campaign_api, company, JOHN, {"name": "John Miller"})
    assert response.status_code == 200
    answer = response.json()
    assert answer["message"] == "Member updated successfully"
    changed = answer["data"]
    assert changed == before | {"name": "John Miller", "updated_at": changed["updated_at"]}
    assert changed["updated_at"] > before["updated_at"]


@pytest.mark.parametrize("again", ["John Smith", "  John Smith\n"])
async def test_an_equal_name_changes_nothing_and_emits_no_event(
    campaign_api: CampaignApi, company: int, again: str
) -> None:
    await _name(campaign_api, company, JOHN, "John Smith")
    await _backdate(campaign_api, company)
    before = (await _get(campaign_api, company, JOHN)).json()
    response = await _put(campaign_api, company, JOHN, {"name": again})
    assert response.status_code == 200
    assert response.json() == {"message": "Member updated successfully", "data": before}
    [row] = await campaign_api.rows("SELECT version FROM members WHERE company_id = $1", company)
    assert row["version"] == 1
    assert len(await campaign_api.events(company)) == 1


@pytest.mark.parametrize("member_id", [1, MAX_ID])
async def test_get_returns_the_member_as_put_returned_it(
    campaign_api: CampaignApi, company: int, member_id: int
) -> None:
    created = await _name(campaign_api, company, member_id, "John Smith")
    response = await _get(campaign_api, company, member_id)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.json() == created
    assert list(response.json()) == list(created)
    changed = await _name(campaign_api, company, member_id, "John Miller")
    assert (await _get(campaign_api, company, member_id)).json() == changed


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("x", "x"),
        ("x" * 200, "x" * 200),
        ("  John Smith\t", "John Smith"),
        (f" {'x' * 200} ", "x" * 200),
        ("John  Smith", "John  Smith"),
        ('Zoë "Z" O’Brien 王 🙂\\', 'Zoë "Z" O’Brien 王 🙂\\'),
    ],
    ids=["shortest", "longest", "space around", "longest with space around", "space within", "any letters"],
)
async def test_a_name_is_stored_without_the_space_around_it(
    campaign_api: CampaignApi, company: int, name: str, stored: str
) -> None:
    member = await _name(campaign_api, company, JOHN, name)
    assert member["name"] == stored
    assert (await _get(campaign_api, company, JOHN)).json()["name"] == stored
    assert [listed["name"] for listed in (await _listed(campaign_api, company))["data"]] == [stored]
    [event] = await campaign_api.events(company)
    member_in_event: Any = event.data["member"]
    assert member_in_event["name"] == stored


@pytest.mark.parametrize(
    ("body", "field", "message"),
    [
        ({}, "name", "Missing required field: name"),
        ({"name": "a\0b"}, "name", "must not contain a NUL character"),
        ({"name": "John Smith", "id": 5}, "id", "Unknown field: id"),
        ([], "", "Must be a JSON object, sent as application/json"),
    ],
)
@pytest.mark.parametrize("exists", [False, True], ids=["new", "existing"])
async def test_an_invalid_body_is_rejected_and_changes_nothing(
    campaign_api: CampaignApi, company: int, exists: bool, body: object, field: str, message: str
) -> None:
    if exists:
        await _name(campaign_api, company, JOHN, "John Smith")
    before = await _listed(campaign_api, company)
    response = await _put(campaign_api, company, JOHN, body)
    assert response.status_code == 400
    answer = response.json()
    assert answer.keys() == {"message", "error", "errors"}
    assert answer["message"] == "Invalid request"
    assert [(error["field"], error["message"]) for error in answer["errors"]] == [(field, message)]
    assert await _listed(campaign_api, company) == before
    assert len(await campaign_api.events(company)) == exists


async def test_a_missing_body_is_rejected(campaign_api: CampaignApi, company: int) -> None:
    response = await campaign_api.send("PUT", f"/company/{company}/members/{JOHN}", company)
    assert response.status_code == 400
    assert response.json()["error"] == "Missing request body"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("member_id", ["0", "-1", "x", "1.5", str(MAX_ID + 1)])
async def test_an_invalid_member_id_is_rejected(
    campaign_api: CampaignApi, company: int, member_id: str, method: str
) -> None:
    body = {"name": "John Smith"} if method == "PUT" else None
    response = await campaign_api.send(method, f"/company/{company}/members/{member_id}", company, body=body)
    assert response.status_code == 400
    assert [error["field"] for error in response.json()["errors"]] == ["memberId"]


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("GET", "/124"), ("PUT", "/124"), ("DELETE", "/124")])
@pytest.mark.parametrize("company_id", ["0", "-1", "x", str(MAX_ID + 1)])
async def test_an_invalid_company_id_is_rejected(
    campaign_api: CampaignApi, company: int, company_id: str, method: str, path: str
) -> None:
    body = {"name": "John Smith"} if method == "PUT" else None
    response = await campaign_api.send(method, f"/company/{company_id}/members{path}", company, body=body)
    assert response.status_code == 400
    assert [error["field"] for error in response.json()["errors"]] == ["companyId"]


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize("member_id", [JOHN + 1, MAX_ID])
async def test_a_missing_member_is_not_found(
    campaign_api: CampaignApi, company: int, member_id: int, method: str
) -> None:
    await _name(campaign_api, company, JOHN, "John Smith")
    response = await campaign_api.send(method, f"/company/{company}/members/{member_id}", company)
    assert response.status_code == 404
    assert response.json() == NOT_FOUND
    assert len(await campaign_api.events(company)) == 1


async def test_a_person_of_a_campaign_is_no_member_before_they_are_created(
    campaign_api: CampaignApi, company: int
) -> None:
    await campaign_api.create(campaign_body(company, team_members=[JOHN], owner_id=JOHN))
    assert (await _get(campaign_api, company, JOHN)).status_code == 404
    assert (await _listed(campaign_api, company))["data"] == []


async def test_a_deleted_member_is_not_found_or_listed(campaign_api: CampaignApi, company: int) -> None:
    await _name(campaign_api, company, JOHN, "John Smith")
    stays = await _name(campaign_api, company, JOHN + 1, "Jane Roe")
    response = await _delete(campaign_api, company, JOHN)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.json() == {"message": "Member deleted successfully"}
    assert (await _get(campaign_api, company, JOHN)).json() == NOT_FOUND
    assert await _listed(campaign_api, company) == {"total": 1, "offset": 0, "limit": 50, "data": [stays]}


async def test_a_second_deletion_is_not_found(campaign_api: CampaignApi, company: int) -> None:
    await _name(campaign_api, company, JOHN, "John Smith")
    await _delete(campaign_api, company, JOHN)
    response = await _delete(campaign_api, company, JOHN)
    assert response.status_code == 404
    assert response.json() == NOT_FOUND
    assert [event.type for event in await campaign_api.events(company)] == ["member.updated.v1", "member.deleted.v1"]


async def test_deleting_a_member_does_not_change_campaigns_with_the_id(campaign_api: CampaignApi, company: int) -> None:
    campaign = await campaign_api.create(campaign_body(company, team_members=[JOHN], owner_id=JOHN))
    await _name(campaign_api, company, JOHN, "John Smith")
    await _delete(campaign_api, company, JOHN)
    assert await campaign_api.read(campaign) == campaign


@pytest.mark.parametrize("name", ["John Smith", "Jane Roe"], ids=["the same name", "another name"])
async def test_a_deleted_member_can_be_created_again(campaign_api: CampaignApi, company: int, name: str) -> None:
    first = await _name(campaign_api, company, JOHN, "John Smith")
    await _delete(campaign_api, company, JOHN)
    await _backdate(campaign_api, company)
    response = await _put(campaign_api, company, JOHN, {"name": name})
    assert response.status_code == 201
    assert response.json()["message"] == "Member created successfully"
    again = response.json()["data"]
    assert (again["id"], again["name"]) == (JOHN, name)
    assert again["created_at"] == again["updated_at"] >= first["created_at"]
    assert (await _get(campaign_api, company, JOHN)).json() == again
    assert (await _listed(campaign_api, company))["data"] == [again]


async def test_a_company_without_members_has_an_empty_list(campaign_api: CampaignApi, company: int) -> None:
    assert await _listed(campaign_api, company) == {"total": 0, "offset": 0, "limit": 50, "data": []}


async def test_members_are_listed_by_id(campaign_api: CampaignApi, company: int) -> None:
    members = [await _name(campaign_api, company, one, f"Member {-one}") for one in (10, MAX_ID, 9, 100)]
    answer = await _listed(campaign_api, company)
    assert list(answer) == ["total", "offset", "limit", "data"]
    assert answer["data"] == sorted(members, key=lambda member: int(member["id"]))
    assert answer["total"] == 4


@pytest.mark.parametrize(
    ("query", "ids", "offset", "limit"),
    [
        ("?limit=2", [1, 2], 0, 2),
        ("?limit=2&offset=2", [3, 4], 2, 2),
        ("?offset=4", [5], 4, 50),
        ("?offset=5", [], 5, 50),
        ("?limit=200", [1, 2, 3, 4, 5], 0, 200),
    ],
)
async def test_a_list_is_paged(
    campaign_api: CampaignApi, company: int, query: str, ids: list[int], offset: int, limit: int
) -> None:
    for one in (5, 4, 3, 2, 1, 6):
        await _name(campaign_api, company, one, "John Smith")
    await _delete(campaign_api, company, 6)
    answer = await _listed(campaign_api, company, query)
    assert [member["id"] for member in answer["data"]] == ids
    assert (answer["total"], answer["offset"], answer["limit"]) == (5, offset, limit)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("?limit=0", "limit"),
        ("?limit=201", "limit"),
        ("?limit=x", "limit"),
        ("?offset=-1", "offset"),
        ("?offset=99999999999999999999", "offset"),
    ],
)
async def test_an_invalid_parameter_is_rejected_with_its_name(
    campaign_api: CampaignApi, company: int, query: str, field: str
) -> None:
    response = await campaign_api.get(f"/company/{company}/members{query}", company)
    assert response.status_code == 400
    assert [error["field"] for error in response.json()["errors"]] == [field]
