"""The do-not-call list applies to files too."""

from typing import Any

from tests.fixtures.gateway import Caller, csv_of

LISTED, FREE = "+14155550100", "+14155550101"


async def _list(caller: Caller, *phones: str) -> None:
    path = f"/api/company/voice-leads/company/{caller.company_id}/do-not-call"
    answer = await caller.gateway.http.post(path, json={"phones": phones}, headers=caller.headers)
    assert answer.status_code == 201, answer.text


async def _numbers(caller: Caller) -> list[str]:
    answer = await caller.get(f"/api/company/voice-leads/company/{caller.company_id}/do-not-call")
    return [number["phone"] for number in answer.json()["data"]]


def _statuses(leads: list[dict[str, Any]]) -> dict[str, str]:
    return {lead["phone"]: lead["status"] for lead in leads}


async def test_an_imported_lead_with_a_listed_number_starts_blacklisted(caller: Caller, stranger: Caller) -> None:
    await _list(caller, LISTED)
    rows = [{"phone": LISTED, "status": "pending"}, {"phone": FREE, "status": "pending"}]

    mine = await caller.imported(csv_of(rows), await caller.create_campaign())
    theirs = await stranger.imported(csv_of(rows), await stranger.create_campaign())

    assert _statuses(mine) == {LISTED: "blacklisted", FREE: "pending"}
    assert _statuses(theirs) == {LISTED: "pending", FREE: "pending"}


async def test_a_number_that_a_file_blacklists_is_not_called_by_anybody_of_the_company(caller: Caller) -> None:
    campaign = await caller.create_campaign()
    [before] = await caller.imported(csv_of([{"phone": LISTED}]), campaign)

    await caller.imported(csv_of([{"phone": LISTED, "status": "blacklisted"}, {"phone": FREE, "status": ""}]), campaign)

    assert await _numbers(caller) == [LISTED]
    assert (await caller.get(f"/api/voice-leads/{before['id']}")).json()["status"] == "blacklisted"
