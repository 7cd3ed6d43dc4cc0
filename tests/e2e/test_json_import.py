"""Leads from JSON through the whole product: imported, counted, and taken back."""

from tests.fixtures.gateway import Caller, phone_number
from tests.fixtures.lead_imports import post_json
from tests.fixtures.waiting import eventually


async def test_leads_from_json_are_leads_like_any_others_until_they_are_taken_back(caller: Caller) -> None:
    campaign_id = await caller.create_campaign()
    leads = [{"phone": phone_number(number), "tags": ["vip"]} for number in range(600)]

    response = await post_json(caller, {"campaign_id": campaign_id, "leads": leads})

    assert response.status_code == 201, response.text
    assert await caller.leads(campaign_id=campaign_id) == response.json()["leads"]

    async def counted(number: int) -> bool:
        [campaign] = (await caller.get(f"/api/voice-campaigns/company/{caller.company_id}")).json()["data"]
        return bool(campaign["total_leads"] == number)

    await eventually(lambda: counted(600))
    undone = await caller.gateway.http.delete(response.headers["Location"], headers=caller.headers)
    assert undone.json() == {
        "message": "Lead import undone",
        "deleted_count": 600,
        "kept_count": 0,
        "kept_lead_ids": [],
    }
    assert await caller.leads() == []
    await eventually(lambda: counted(0))
