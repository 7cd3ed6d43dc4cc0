"""A lead that is not to be called any more has no `next_contact_date`, by any operation that ends it."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.fixtures.leads import CONTRACT_LEAD, LEAD_STATUSES, OPEN, LeadCompany, body_of

AGREED = CONTRACT_LEAD["next_contact_date"]
Way = Callable[[LeadCompany, dict[str, Any], str], Awaitable[Any]]


async def _patched(company: LeadCompany, lead: dict[str, Any], status: str) -> Any:
    return await company.on_lead("PATCH", lead, "/status", {"status": status})


async def _changed_in_bulk(company: LeadCompany, lead: dict[str, Any], status: str) -> Any:
    body = {"lead_ids": [lead["id"]], "updates": {"status": status}}
    return await company.send("PATCH", f"{company.path}/bulk-update", body)


async def _replaced(company: LeadCompany, lead: dict[str, Any], status: str) -> Any:
    return await company.on_lead("PUT", lead, "", body_of(lead, status=status))


WAYS: dict[str, Way] = {"PATCH": _patched, "bulk": _changed_in_bulk, "PUT": _replaced}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("status", LEAD_STATUSES)
async def test_a_lead_has_a_next_contact_only_while_it_is_to_be_called(
    company: LeadCompany, way: str, status: str
) -> None:
    lead = await company.create(status="pending")
    assert lead["next_contact_date"] == AGREED
    response = await WAYS[way](company, lead, status)
    assert response.status_code == 200, response.text
    current = await company.read(lead)
    assert (current["status"], current["next_contact_date"]) == (status, AGREED if status in OPEN else None)


@pytest.mark.parametrize("status", LEAD_STATUSES)
async def test_a_lead_that_is_created_done_has_no_next_contact(company: LeadCompany, status: str) -> None:
    lead = await company.create(status=status)
    assert (lead["status"], lead["next_contact_date"]) == (status, AGREED if status in OPEN else None)


async def test_a_lead_that_becomes_blacklisted_has_no_next_contact(company: LeadCompany) -> None:
    before = await company.create()
    listed = await company.send("POST", f"{company.path}/do-not-call", {"phones": [CONTRACT_LEAD["phone"]]})
    assert listed.status_code == 201, listed.text
    after = await company.create()
    for lead in (await company.read(before), after):
        assert (lead["status"], lead["next_contact_date"]) == ("blacklisted", None)


async def test_a_reopened_lead_can_be_scheduled_again(company: LeadCompany) -> None:
    lead = await company.create(status="failed")
    again = body_of(lead, status="scheduled", next_contact_date=AGREED)
    assert (await company.on_lead("PUT", lead, "", again)).status_code == 200
    current = await company.read(lead)
    assert (current["status"], current["next_contact_date"]) == ("scheduled", AGREED)
