"""The events of campaigns: stored in the transaction of the change, before the response is sent."""

import asyncpg
import orjson
import pytest
from structlog.testing import capture_logs

from shared.events.campaigns import CampaignCreated
from shared.events.envelope import parse
from tests.fixtures.campaigns import CampaignApi, campaign_body, smallest_body


async def _events(api: CampaignApi, company: int) -> list[asyncpg.Record]:
    return list(await api.rows("SELECT * FROM outbox WHERE company_id = $1 ORDER BY id", company))


@pytest.mark.parametrize("body", [campaign_body, smallest_body])
async def test_the_event_of_a_created_campaign_matches_the_catalogue(
    campaign_api: CampaignApi, company: int, body: object
) -> None:
    assert callable(body)
    created = await campaign_api.create(body(company))

    [row] = await _events(campaign_api, company)
    assert (row["exchange"], row["routing_key"]) == ("voice.events", "campaign.created.v1")
    event = parse(row["body"])
    assert event.id == row["event_id"]
    assert (event.type, event.source, event.companyid) == ("campaign.created.v1", "/campaign-svc", company)
    CampaignCreated.model_validate(event.data)
    emitted = orjson.loads(row["body"])["data"]["campaign"]
    times = ("created_at", "updated_at")
    assert all(emitted.pop(name)[:19] == created[name][:19] for name in times)
    assert emitted == {name: created[name] for name in emitted}
    assert emitted.keys() | set(times) == CampaignCreated.model_fields["campaign"].annotation.model_fields.keys()  # type: ignore[union-attr]


async def test_a_rejected_campaign_emits_no_event(campaign_api: CampaignApi, company: int) -> None:
    await campaign_api.post(campaign_body(company, status="running"), company)
    await campaign_api.post(campaign_body(company))
    assert await _events(campaign_api, company) == []


async def test_an_event_that_cannot_be_stored_rolls_back_the_campaign(campaign_api: CampaignApi, company: int) -> None:
    await campaign_api.rows(f"ALTER TABLE outbox ADD CONSTRAINT refused CHECK (company_id <> {company})")
    try:
        with capture_logs() as log:
            response = await campaign_api.post(campaign_body(company), company)
    finally:
        await campaign_api.rows("ALTER TABLE outbox DROP CONSTRAINT refused")
    assert response.status_code == 500
    assert response.headers["X-Request-ID"]
    assert [line["event"] for line in log] == ["request_failed", "request"]
    assert (await campaign_api.get("", company)).json() == []


async def test_a_failed_commit_is_answered_500(campaign_api: CampaignApi, company: int) -> None:
    """The database rejects only at COMMIT: a 201 before it would be wrong."""
    await campaign_api.rows(
        """
        CREATE FUNCTION refuse_at_commit() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'refused at commit'; END $$
        """
    )
    await campaign_api.rows(
        f"""
        CREATE CONSTRAINT TRIGGER refused AFTER INSERT ON campaigns DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW WHEN (NEW.company_id = {company}) EXECUTE FUNCTION refuse_at_commit()
        """
    )
    try:
        with capture_logs() as log:
            response = await campaign_api.post(campaign_body(company), company)
    finally:
        await campaign_api.rows("DROP TRIGGER refused ON campaigns")
        await campaign_api.rows("DROP FUNCTION refuse_at_commit")
    assert response.status_code == 500
    assert response.json() == {"message": "Internal server error", "error": "An unexpected error occurred"}
    assert "refused at commit" in str(log[0]["exc_info"])
    assert (await campaign_api.get("", company)).json() == []
    assert await _events(campaign_api, company) == []
