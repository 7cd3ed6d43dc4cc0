"""Endpoints 14 and 16 to 19: the lifecycle by PATCH, by its transitions, and by PUT."""

import itertools
from typing import Any

import pytest

from services.campaign_svc.campaigns.schemas import CampaignResponse
from shared.events.campaigns import CampaignStatusChanged
from tests.fixtures.campaigns import (
    ALLOWED_TRANSITIONS,
    CHANGES,
    STATUSES,
    TRANSITIONS,
    CampaignApi,
    as_body,
    bearer,
    campaign_body,
    claims,
)

CHANGED = {"message": "Campaign status updated successfully"}
NOT_FOUND = {"message": "Voice campaign not found", "error": "Voice campaign not found"}


async def _outcome(api: CampaignApi, campaign: dict[str, Any]) -> tuple[str, int, list[tuple[str, str]]]:
    """Return the status, the version and the emitted changes of status of the company's only campaign."""
    current = await api.read(campaign)
    [_, *events] = await api.events(campaign["company_id"])
    changes = [CampaignStatusChanged.model_validate(event.data) for event in events]
    return current["status"], current["version"], [(event.previous_status, event.campaign.status) for event in changes]


@pytest.mark.parametrize("name", TRANSITIONS)
@pytest.mark.parametrize("source", STATUSES)
async def test_a_transition_is_made_from_its_sources_only(
    campaign_api: CampaignApi, company: int, source: str, name: str
) -> None:
    campaign = await campaign_api.create(campaign_body(company, status=source))
    transition = TRANSITIONS[name]
    response = await campaign_api.transition(name, campaign["id"], company)
    if source in transition.sources:
        assert response.status_code == 200
        assert await _outcome(campaign_api, campaign) == (transition.target, 2, [(source, transition.target)])
    else:
        assert response.status_code == 409
        assert await _outcome(campaign_api, campaign) == (source, 1, [])


@pytest.mark.parametrize("target", STATUSES)
@pytest.mark.parametrize("source", STATUSES)
async def test_patch_makes_allowed_transitions_only(
    campaign_api: CampaignApi, company: int, source: str, target: str
) -> None:
    campaign = await campaign_api.create(campaign_body(company, status=source))
    response = await campaign_api.patch(campaign["id"], {"status": target}, company)
    if (source, target) in ALLOWED_TRANSITIONS:
        assert response.status_code == 200
        assert await _outcome(campaign_api, campaign) == (target, 2, [(source, target)])
    else:
        assert response.status_code == (200 if source == target else 409)
        assert await _outcome(campaign_api, campaign) == (source, 1, [])


@pytest.mark.parametrize("target", STATUSES)
@pytest.mark.parametrize("source", STATUSES)
async def test_put_makes_allowed_transitions_only(
    campaign_api: CampaignApi, company: int, source: str, target: str
) -> None:
    campaign = await campaign_api.create(campaign_body(company, status=source))
    response = await campaign_api.put(campaign["id"], as_body(campaign, status=target), company)
    if (source, target) in ALLOWED_TRANSITIONS:
        assert response.status_code == 200
        assert await _outcome(campaign_api, campaign) == (target, 2, [(source, target)])
    else:
        assert response.status_code == (200 if source == target != "completed" else 409)
        assert await _outcome(campaign_api, campaign) == (source, 1, [])


@pytest.mark.parametrize("name", TRANSITIONS)
async def test_a_transition_returns_the_whole_campaign(campaign_api: CampaignApi, company: int, name: str) -> None:
    transition = TRANSITIONS[name]
    campaign = await campaign_api.create(campaign_body(company, status=CHANGES[name].status))
    response = await campaign_api.transition(name, campaign["id"], company)
    assert response.headers["content-type"] == "application/json"
    CampaignResponse.model_validate_json(response.content)
    current = await campaign_api.read(campaign)
    assert response.json() == {"message": transition.message, "data": current}
    assert current == campaign | {"status": transition.target, "version": 2, "updated_at": current["updated_at"]}


async def test_the_response_to_a_new_status_is_that_of_the_contract(campaign_api: CampaignApi, company: int) -> None:
    campaign = await campaign_api.create(campaign_body(company))
    response = await campaign_api.patch(campaign["id"], {"status": "active"}, company)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.json() == CHANGED


@pytest.mark.parametrize("status", STATUSES)
async def test_an_equal_status_changes_nothing(campaign_api: CampaignApi, company: int, status: str) -> None:
    campaign = await campaign_api.create(campaign_body(company, status=status))
    before = await campaign_api.stored(company)
    response = await campaign_api.patch(campaign["id"], {"status": status}, company)
    assert response.status_code == 200
    assert response.json() == CHANGED
    assert await campaign_api.stored(company) == before


@pytest.mark.parametrize("name", ["status", *TRANSITIONS])
async def test_a_change_of_status_changes_no_other_column(campaign_api: CampaignApi, company: int, name: str) -> None:
    campaign = await campaign_api.create(campaign_body(company, status=CHANGES[name].status))
    [before] = await campaign_api.rows("SELECT * FROM campaigns WHERE id = $1", campaign["id"])
    await campaign_api.attempt(CHANGES[name], campaign)
    [after] = await campaign_api.rows("SELECT * FROM campaigns WHERE id = $1", campaign["id"])
    assert {field for field, value in after.items() if value != before[field]} == {"status", "version", "updated_at"}
    assert after["updated_at"] > before["updated_at"]


@pytest.mark.parametrize("name", ["status", *TRANSITIONS])
async def test_the_event_of_a_change_of_status_contains_the_changed_campaign(
    campaign_api: CampaignApi, company: int, name: str
) -> None:
    operation = CHANGES[name]
    campaign = await campaign_api.create(campaign_body(company, status=operation.status))
    await campaign_api.attempt(operation, campaign)
    [_, event] = await campaign_api.events(company)
    assert (event.type, event.companyid) == ("campaign.status_changed.v1", company)
    change = CampaignStatusChanged.model_validate(event.data)
    current = await campaign_api.read(campaign)
    assert change.previous_status == operation.status
    assert (change.campaign.id, change.campaign.version, change.campaign.status, change.campaign.name) == (
        campaign["id"],
        2,
        current["status"],
        campaign["name"],
    )


async def test_a_whole_lifecycle(campaign_api: CampaignApi, company: int) -> None:
    campaign = await campaign_api.create(campaign_body(company))
    for name in ("start", "pause", "resume", "pause", "complete"):
        assert (await campaign_api.transition(name, campaign["id"], company)).status_code == 200
    path = ["draft", "active", "paused", "active", "paused", "completed"]
    assert await _outcome(campaign_api, campaign) == ("completed", 6, list(itertools.pairwise(path)))


async def test_a_rejected_transition_names_the_current_status(campaign_api: CampaignApi, company: int) -> None:
    campaign = await campaign_api.create(campaign_body(company, status="completed"))
    for response in (
        await campaign_api.transition("start", campaign["id"], company),
        await campaign_api.patch(campaign["id"], {"status": "active"}, company),
    ):
        answer = response.json()
        assert answer.keys() == {"message", "error"}
        assert "completed" in answer["message"] + answer["error"]


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({}, {"status": "Missing required field: status"}),
        ({"status": None}, None),
        ({"status": "running"}, {"status": "Input should be 'draft', 'active', 'paused' or 'completed'"}),
        ({"status": "Active"}, {"status": "Input should be 'draft', 'active', 'paused' or 'completed'"}),
        ({"status": " active"}, {"status": "Input should be 'draft', 'active', 'paused' or 'completed'"}),
        ({"status": ["active"]}, None),
        ({"status": 1}, None),
        ({"status": "active", "name": "x"}, {"name": "Unknown field: name"}),
        ({"status": "active", "version": 1}, {"version": "Unknown field: version"}),
        ({"status": "active", "company_id": 1}, {"company_id": "Unknown field: company_id"}),
        (
            {"status": "running", "name": "x", "colour": None},
            {
                "status": "Input should be 'draft', 'active', 'paused' or 'completed'",
                "name": "Unknown field: name",
                "colour": "Unknown field: colour",
            },
        ),
    ],
    ids=str,
)
async def test_an_invalid_status_body_is_rejected_with_every_error(
    campaign_api: CampaignApi, company: int, body: dict[str, Any], errors: dict[str, str] | None
) -> None:
    campaign = await campaign_api.create(campaign_body(company))
    before = await campaign_api.stored(company)
    response = await campaign_api.patch(campaign["id"], body, company)
    assert response.status_code == 400
    received = {error["field"]: error["message"] for error in response.json()["errors"]}
    if errors is None:
        assert received.keys() == {"status"}
    else:
        assert received == errors
    assert await campaign_api.stored(company) == before


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b'"active"', b"active", b"\xff\xfe"])
async def test_a_status_body_that_is_not_a_json_object_is_rejected(
    campaign_api: CampaignApi, company: int, content: bytes
) -> None:
    campaign = await campaign_api.create(campaign_body(company))
    before = await campaign_api.stored(company)
    response = await campaign_api.client.patch(
        f"/api/voice-campaigns/{campaign['id']}/status",
        content=content,
        headers={**bearer(claims(company)), "Content-Type": "application/json"},
    )
    assert response.status_code == 400
    assert response.json().keys() >= {"message", "error"}
    assert await campaign_api.stored(company) == before


@pytest.mark.parametrize("name", ["status", *TRANSITIONS])
async def test_a_campaign_that_does_not_exist_is_not_found(campaign_api: CampaignApi, company: int, name: str) -> None:
    response = await campaign_api.attempt(CHANGES[name], {"id": 2**63 - 1, "company_id": company})
    assert response.status_code == 404
    assert response.json() == NOT_FOUND


@pytest.mark.parametrize("campaign_id", ["0", "-1", "abc", "1.5", str(2**63)])
@pytest.mark.parametrize("name", CHANGES)
async def test_an_invalid_campaign_id_is_rejected(
    campaign_api: CampaignApi, company: int, name: str, campaign_id: str
) -> None:
    operation = CHANGES[name]
    body = campaign_body(company) if name == "update" else operation.body_of({})
    path = operation.path.format(id=campaign_id)
    response = await campaign_api.send(operation.method, path, company, body=body)
    assert response.status_code == 400
    assert [error["field"] for error in response.json()["errors"]] == ["id"]


@pytest.mark.parametrize("name", TRANSITIONS)
async def test_a_transition_allows_post_only(campaign_api: CampaignApi, company: int, name: str) -> None:
    campaign = await campaign_api.create(campaign_body(company, status=CHANGES[name].status))
    before = await campaign_api.stored(company)
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        response = await campaign_api.send(method, f"/{campaign['id']}/{name}", company)
        assert response.status_code == 405
        assert response.json().keys() == {"message", "error"}
    assert await campaign_api.stored(company) == before
