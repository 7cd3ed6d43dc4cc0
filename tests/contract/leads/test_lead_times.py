"""Times of leads without an offset from UTC: they are what a wall clock in the time zone of the campaign shows."""

from typing import Any

import pytest
from fastapi import FastAPI
from starlette.responses import JSONResponse

from tests.fixtures.leads import LeadCompany, lead_api_on, lead_api_settings
from tests.fixtures.servers import ServerUrls
from tests.fixtures.serving import serving

NEW_YORK = "America/New_York"
WALL_CLOCK = {
    "2024-02-20 14:00:00": "2024-02-20T19:00:00Z",
    "2024-07-20T14:00:00": "2024-07-20T18:00:00Z",
    "2024-07-20 14:00": "2024-07-20T18:00:00Z",
    # The clock is put from 02:00 to 03:00.
    "2024-03-10 01:59:59": "2024-03-10T06:59:59Z",
    "2024-03-10 02:00:00": "2024-03-10T07:00:00Z",
    "2024-03-10 02:30:00": "2024-03-10T07:30:00Z",
    "2024-03-10 03:00:00": "2024-03-10T07:00:00Z",
    # It is put from 02:00 to 01:00.
    "2024-11-03 01:30:00": "2024-11-03T05:30:00Z",
    "2024-11-03 02:00:00": "2024-11-03T07:00:00Z",
    # With an offset the time zone does not matter.
    "2024-02-20T14:00:00Z": "2024-02-20T14:00:00Z",
    "2024-02-20 14:00:00+01:00": "2024-02-20T13:00:00Z",
}


async def _in(company: LeadCompany, time_zone: str) -> int:
    return await company.add_campaign(time_zone=time_zone)


@pytest.mark.parametrize(("text", "meant"), WALL_CLOCK.items())
async def test_times_of_a_new_lead_are_in_the_time_zone_of_its_campaign(
    company: LeadCompany, text: str, meant: str
) -> None:
    campaign_id = await _in(company, NEW_YORK)
    lead = await company.create(campaign_id=campaign_id, last_contact_date=text, next_contact_date=text)
    assert (lead["last_contact_date"], lead["next_contact_date"]) == (meant, meant)


@pytest.mark.parametrize(("text", "meant"), WALL_CLOCK.items())
async def test_a_call_is_scheduled_in_the_time_zone_of_its_campaign(
    company: LeadCompany, text: str, meant: str
) -> None:
    lead = await company.create(campaign_id=await _in(company, NEW_YORK))
    response = await company.on_lead("PATCH", lead, "/schedule", {"scheduled_call_time": text})
    assert response.status_code == 200
    assert (await company.read(lead))["next_contact_date"] == meant
    event = (await company.emitted_events())[-1].model_dump(mode="json")
    assert event["leads"][0]["next_contact_date"] == meant


@pytest.mark.parametrize(("text", "meant"), WALL_CLOCK.items())
async def test_a_call_started_in_the_time_zone_of_its_campaign(company: LeadCompany, text: str, meant: str) -> None:
    lead = await company.create(campaign_id=await _in(company, NEW_YORK), last_contact_date=None)
    response = await company.on_lead("POST", lead, "/call-attempt", {"duration": 0, "started_at": text})
    assert response.status_code == 200
    [call] = await company.call_history(lead)
    assert call["started_at"] == meant
    assert (await company.read(lead))["last_contact_date"] == meant


async def test_times_of_an_update_are_in_the_time_zone_of_its_campaign(company: LeadCompany) -> None:
    campaign_id = await _in(company, "Asia/Kolkata")
    body = company.body(campaign_id=campaign_id, last_contact_date=None, next_contact_date="2024-02-20 14:00:00")
    lead = await company.create(campaign_id=campaign_id, last_contact_date=None, next_contact_date=None)
    for _ in range(2):
        assert (await company.on_lead("PUT", lead, body=body)).status_code == 200
        current = await company.read(lead)
        assert current["next_contact_date"] == "2024-02-20T08:30:00Z"
        assert current["version"] == 2  # the same moment again is no change


async def test_a_requested_campaign_has_its_time_zone(servers: ServerUrls, company: LeadCompany) -> None:
    campaign_id = company.campaign_id + 5_000_000
    answer: dict[str, Any] = {"id": campaign_id, "company_id": company.id, "status": "active", "version": 1}
    answer |= {"retry_delay_minutes": 60, "max_attempts_per_lead": 3, "time_zone": "Asia/Tokyo"}
    answer |= {"budget": None, "cost_per_call": None}
    campaign_svc = FastAPI()
    campaign_svc.add_route("/api/voice-campaigns/{id}", lambda _request: JSONResponse(answer))
    [database] = await company.api.rows("SELECT current_database()")
    database_url = f"{servers.postgres.rpartition('/')[0]}/{database[0]}"

    async with (
        serving(campaign_svc) as url,
        lead_api_on(lead_api_settings(servers, database_url, url)) as api,
    ):
        here = LeadCompany(api, company.id, campaign_id)
        lead = await here.create(next_contact_date="2024-02-20 14:00:00")

    assert lead["next_contact_date"] == "2024-02-20T05:00:00Z"


async def test_the_document_does_not_promise_an_offset(company: LeadCompany) -> None:
    schemas = (await company.api.client.get("/openapi.json")).json()["components"]["schemas"]
    for body, field in (
        ("LeadCreate", "last_contact_date"),
        ("LeadCreate", "next_contact_date"),
        ("LeadSchedule", "scheduled_call_time"),
        ("CallAttemptCreate", "started_at"),
    ):
        schema = schemas[body]["properties"][field]
        text = next((kind for kind in schema.get("anyOf", []) if kind["type"] == "string"), schema)
        assert text["type"] == "string"
        assert "format" not in text
        assert "`time_zone`" in text["description"]
    assert schemas["LeadRead"]["properties"]["created_at"]["format"] == "date-time"
