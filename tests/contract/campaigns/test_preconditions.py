"""ETag and If-Match: a change applies only to the version that the caller names."""

from typing import Any

import httpx
import pytest

from tests.fixtures.campaigns import CHANGES, TRANSITIONS, CampaignApi, as_body, bearer, campaign_body, claims

EVERY_CHANGE = pytest.mark.parametrize("operation", CHANGES)
TAGGED = [name for name in CHANGES if name != "delete"]
"""Changes whose response has an ETag."""

MATCHING = ['"2"', "*", '"1", "2"', '"2","7"', '"other" , "2"', 'W/"2", "2"', '  "2"  ', '"a,b", "2"']
OTHER_VERSIONS = ['"1"', '"3"', '"1", "3"', 'W/"2"', 'W/"1", W/"2"', '"02"', '"1,2"', '""', '"*"']
MALFORMED = [
    *("2", "'2'", '"2', '2"', "W/2", 'w/"2"', 'W/ "2"', '"1" "2"', '*, "2"', '"2", *', "**", '"2"; "3"', '"2" x', ""),
    *('" 2"', '"2 "', '"1, 2"'),  # a tag contains no space: RFC 9110, section 8.8.3
]


async def _at_version_2(api: CampaignApi, company: int, operation: str) -> dict[str, Any]:
    """Create a campaign in version 2 on which the operation succeeds."""
    created = await api.create(campaign_body(company, status=CHANGES[operation].status))
    response = await api.put(created["id"], as_body(created, notes="Second version"), company)
    assert response.status_code == 200
    return await api.read(created)


async def _attempt(api: CampaignApi, operation: str, campaign: dict[str, Any], if_match: str) -> httpx.Response:
    return await api.attempt(CHANGES[operation], campaign, headers={"If-Match": if_match})


async def test_a_created_campaign_has_the_etag_of_its_first_version(campaign_api: CampaignApi, company: int) -> None:
    assert (await campaign_api.post(campaign_body(company), company)).headers["ETag"] == '"1"'


async def test_a_campaign_has_the_etag_of_its_version(campaign_api: CampaignApi, company: int) -> None:
    campaign = await _at_version_2(campaign_api, company, "update")
    response = await campaign_api.get(f"/{campaign['id']}", company)
    assert response.headers["ETag"] == '"2"'
    assert response.json()["version"] == 2


@pytest.mark.parametrize("path", ["/{id}?company_id={company_id}", "", "/company/{company_id}"])
async def test_other_reads_have_no_etag(campaign_api: CampaignApi, company: int, path: str) -> None:
    """Their responses contain more than one version of one campaign."""
    campaign = await campaign_api.create(campaign_body(company))
    response = await campaign_api.get(path.format(**campaign), company)
    assert response.status_code == 200
    assert "ETag" not in response.headers


@pytest.mark.parametrize("operation", TAGGED)
async def test_a_change_has_the_etag_of_its_new_version(
    campaign_api: CampaignApi, company: int, operation: str
) -> None:
    campaign = await _at_version_2(campaign_api, company, operation)
    response = await campaign_api.attempt(CHANGES[operation], campaign)
    assert response.headers["ETag"] == '"3"'
    assert (await campaign_api.read(campaign))["version"] == 3


async def test_a_request_that_changes_nothing_has_the_etag_of_the_current_version(
    campaign_api: CampaignApi, company: int
) -> None:
    campaign = await _at_version_2(campaign_api, company, "update")
    for response in (
        await campaign_api.put(campaign["id"], as_body(campaign), company),
        await campaign_api.patch(campaign["id"], {"status": "draft"}, company),
    ):
        assert response.status_code == 200
        assert response.headers["ETag"] == '"2"'


async def test_the_etag_of_each_change_is_accepted_by_the_next(campaign_api: CampaignApi, company: int) -> None:
    response = await campaign_api.post(campaign_body(company), company)
    campaign_id = response.json()["data"]["id"]
    for name in ("start", "pause", "resume", "complete"):
        headers = {"If-Match": response.headers["ETag"]}
        response = await campaign_api.transition(name, campaign_id, company, headers=headers)
        assert response.status_code == 200
    assert response.headers["ETag"] == '"5"'


@EVERY_CHANGE
@pytest.mark.parametrize("if_match", MATCHING)
async def test_the_version_it_is_in_lets_a_change_through(
    campaign_api: CampaignApi, company: int, operation: str, if_match: str
) -> None:
    campaign = await _at_version_2(campaign_api, company, operation)
    response = await _attempt(campaign_api, operation, campaign, if_match)
    assert response.status_code == 200, response.text


@EVERY_CHANGE
@pytest.mark.parametrize("if_match", OTHER_VERSIONS)
async def test_any_other_version_changes_nothing(
    campaign_api: CampaignApi, company: int, operation: str, if_match: str
) -> None:
    campaign = await _at_version_2(campaign_api, company, operation)
    before = await campaign_api.stored(company)
    response = await _attempt(campaign_api, operation, campaign, if_match)
    assert response.status_code == 412, response.text
    assert response.json().keys() == {"message", "error"}
    assert await campaign_api.stored(company) == before


@EVERY_CHANGE
@pytest.mark.parametrize("if_match", MALFORMED)
async def test_a_malformed_if_match_is_rejected(
    campaign_api: CampaignApi, company: int, operation: str, if_match: str
) -> None:
    campaign = await _at_version_2(campaign_api, company, operation)
    before = await campaign_api.stored(company)
    response = await _attempt(campaign_api, operation, campaign, if_match)
    assert response.status_code == 400, response.text
    assert [error["field"] for error in response.json()["errors"]] == ["If-Match"]
    assert response.json()["error"].startswith("If-Match: ")
    assert await campaign_api.stored(company) == before


@pytest.mark.parametrize(("tags", "status"), [(['"1"', '"2"'], 200), (['"1"', '"3"'], 412), (['"2"', "2"], 400)])
async def test_tags_in_several_headers_are_one_list(
    campaign_api: CampaignApi, company: int, tags: list[str], status: int
) -> None:
    campaign = await _at_version_2(campaign_api, company, "start")
    headers = [*bearer(claims(company)).items(), *(("If-Match", tag) for tag in tags)]
    response = await campaign_api.client.post(f"/api/voice-campaigns/{campaign['id']}/start", headers=headers)
    assert response.status_code == status


async def test_empty_places_in_the_list_are_passed_over(campaign_api: CampaignApi, company: int) -> None:
    """RFC 9110, section 5.6.1.2."""
    campaign = await _at_version_2(campaign_api, company, "start")
    assert (await _attempt(campaign_api, "start", campaign, '"1", , "2",')).status_code == 200


@EVERY_CHANGE
async def test_an_old_version_is_reported_before_a_forbidden_transition(
    campaign_api: CampaignApi, company: int, operation: str
) -> None:
    """The caller's view of the campaign is out of date: that is the error that it needs."""
    created = await campaign_api.create(
        campaign_body(company, status="active" if operation == "delete" else "completed")
    )
    response = await _attempt(campaign_api, operation, created, '"7"')
    assert response.status_code == 412
    response = await _attempt(campaign_api, operation, created, '"1"')
    assert response.status_code == 409


@pytest.mark.parametrize("operation", ["update", "status"])
async def test_an_old_version_is_reported_although_nothing_would_change(
    campaign_api: CampaignApi, company: int, operation: str
) -> None:
    campaign = await _at_version_2(campaign_api, company, operation)
    headers = {"If-Match": '"1"'}
    if operation == "update":
        response = await campaign_api.put(campaign["id"], as_body(campaign), company, headers=headers)
    else:
        response = await campaign_api.patch(campaign["id"], {"status": "draft"}, company, headers=headers)
    assert response.status_code == 412


@EVERY_CHANGE
@pytest.mark.parametrize("if_match", ["*", '"1"', '"2"'])
async def test_a_campaign_that_is_not_there_is_not_found_whatever_the_version(
    campaign_api: CampaignApi, company: int, operation: str, if_match: str
) -> None:
    created = await campaign_api.create(campaign_body(company))
    await campaign_api.delete(created["id"], company)
    response = await _attempt(campaign_api, operation, created, if_match)
    assert response.status_code == 404


@pytest.mark.parametrize("operation", ["update", "status"])
async def test_an_invalid_body_is_reported_before_an_old_version(
    campaign_api: CampaignApi, company: int, operation: str
) -> None:
    campaign = await _at_version_2(campaign_api, company, operation)
    headers = {"If-Match": '"1"'}
    method = campaign_api.put if operation == "update" else campaign_api.patch
    response = await method(campaign["id"], {"status": "running"}, company, headers=headers)
    assert response.status_code == 400


async def test_a_retried_change_is_not_made_twice(campaign_api: CampaignApi, company: int) -> None:
    """A caller that lost the first response learns from the second that its change was made."""
    campaign = await _at_version_2(campaign_api, company, "update")
    first, second = [await _attempt(campaign_api, "update", campaign, '"2"') for _ in range(2)]
    assert (first.status_code, second.status_code) == (200, 412)
    assert (await campaign_api.read(campaign))["version"] == 3


@pytest.mark.parametrize("name", TRANSITIONS)
async def test_a_rejected_change_has_no_etag(campaign_api: CampaignApi, company: int, name: str) -> None:
    created = await campaign_api.create(campaign_body(company, status="completed"))
    for response in (
        await campaign_api.transition(name, created["id"], company),
        await _attempt(campaign_api, name, created, '"9"'),
    ):
        assert response.is_client_error
        assert "ETag" not in response.headers
