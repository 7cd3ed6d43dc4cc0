"""An import is committed before its response, and there is no success response without a commit."""

import httpx
import pytest

from tests.fixtures.gateway import Caller, many_leads
from tests.fixtures.lead_service import LeadService

COMPANY = 7


async def refuse_commits(lead_service: LeadService, table: str) -> None:
    """Let every transaction that writes into the table fail at its very end."""
    await lead_service.execute(
        f"""
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not today'; END $$;
        CREATE CONSTRAINT TRIGGER refuse AFTER INSERT OR UPDATE ON {table} DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION refuse()
        """
    )


async def test_an_accepted_job_is_in_the_database_with_its_file_and_its_command(lead_service: LeadService) -> None:
    campaign_id = await lead_service.knows_campaign(1, COMPANY)

    async with lead_service.api() as api:
        response = await Caller(api, COMPANY).import_file(many_leads(2), campaign_id, respond_async=True)
        [job] = await lead_service.rows("SELECT id, status, content FROM imports JOIN import_files ON id = import_id")
        [message] = await lead_service.rows("SELECT routing_key, exchange, company_id FROM outbox")

    assert response.status_code == 202
    assert (job["id"], job["status"], job["content"]) == (
        response.json()["data"]["id"],
        "queued",
        many_leads(2).encode(),
    )
    assert tuple(message) == ("import.requested.v1", "voice.commands", COMPANY)


@pytest.mark.parametrize("table", ["imports", "import_files", "outbox"])
async def test_a_job_that_cannot_be_committed_is_not_accepted(lead_service: LeadService, table: str) -> None:
    campaign_id = await lead_service.knows_campaign(1, COMPANY)
    await refuse_commits(lead_service, table)

    async with lead_service.api() as api:
        for respond_async in (True, False):
            response = await Caller(api, COMPANY).import_file(many_leads(2), campaign_id, respond_async=respond_async)
            is_fault_of_ours(response)
            assert response.json()["message"] == "Error importing leads"
    for kept in ("imports", "import_files", "outbox"):
        assert await lead_service.value(f"SELECT count(*) FROM {kept}") == 0


def is_fault_of_ours(response: httpx.Response) -> None:
    assert response.status_code == 500
    assert set(response.json()) == {"message", "error"}
    assert "not today" not in response.text


async def test_leads_that_cannot_be_committed_are_not_reported_as_imported(lead_service: LeadService) -> None:
    campaign_id = await lead_service.knows_campaign(1, COMPANY)
    await refuse_commits(lead_service, "leads")

    async with lead_service.events(), lead_service.worker(), lead_service.api() as api:
        response = await Caller(api, COMPANY).import_file(many_leads(2), campaign_id)

    is_fault_of_ours(response)
    assert response.json()["message"] == "Error importing leads"
    assert await lead_service.value("SELECT count(*) FROM leads") == 0
    assert await lead_service.value("SELECT status FROM imports") == "aborted"
    assert await lead_service.value("SELECT count(*) FROM outbox WHERE routing_key LIKE 'lead%'") == 0
