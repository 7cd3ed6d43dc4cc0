"""Who sees and changes what: a token opens its companies' leads, calls and do-not-call lists, and no others."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import jwt
import pytest

from tests.fixtures.campaigns import bearer, claims
from tests.fixtures.gateway import phone_number
from tests.fixtures.leads import LeadApi, LeadCompany, body_of

UNAUTHENTICATED = {"message": "Authentication required", "error": "No valid authentication token provided"}
AN_HOUR = timedelta(hours=1)
MESSAGES = {"lead": "Voice lead not found", "campaign": "Voice campaign not found"}
MAX_ID = 2**63 - 1
NOTHING: list[list[Any]] = [[], [], [], []]


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation on leads, as a request that succeeds for the company of a lead."""

    method: str
    path: str
    """With ``{lead}``, ``{campaign}`` and ``{company}``."""
    body: Callable[[Mapping[str, Any]], object] | None = None
    """The body, for a lead."""
    file: bytes | None = None
    status: int = 200
    """Of its success."""

    @property
    def refused_with(self) -> int:
        """The status for another company's token: 403 if the path has a company, 404 if a lead or campaign."""
        return 404 if "{lead}" in self.path or "{campaign}" in self.path else 403


COMPANY = "/api/company/voice-leads/company/{company}"
LEAD = "/api/voice-leads/{lead}"
OPERATIONS = {
    "create": Operation("POST", "/api/voice-leads", body_of, status=201),
    "company list": Operation("GET", "/api/voice-leads/company/{company}"),
    "page of the company list": Operation("GET", "/api/voice-leads/company/{company}?limit=1"),
    "campaign list": Operation("GET", "/api/voice-leads/campaign/{campaign}"),
    "page of the campaign list": Operation("GET", "/api/voice-leads/campaign/{campaign}?limit=1"),
    "get": Operation("GET", LEAD),
    "update": Operation("PUT", LEAD, lambda lead: body_of(lead, first_name="Changed")),
    "delete": Operation("DELETE", LEAD),
    "status": Operation("PATCH", f"{LEAD}/status", lambda _: {"status": "completed"}),
    "blacklist": Operation("PATCH", f"{LEAD}/status", lambda _: {"status": "blacklisted"}),
    "assign": Operation("PATCH", f"{LEAD}/assign", lambda _: {"assigned_to": 5}),
    "schedule": Operation("PATCH", f"{LEAD}/schedule", lambda _: {"scheduled_call_time": "2024-03-20T14:00:00Z"}),
    "call": Operation("POST", f"{LEAD}/call-attempt", lambda _: {"duration": 5}),
    "call that blacklists": Operation(
        "POST", f"{LEAD}/call-attempt", lambda _: {"duration": 5, "disposition": "do_not_call"}
    ),
    "calls": Operation("GET", f"{LEAD}/call-attempts"),
    "convert": Operation("PATCH", f"{LEAD}/convert", lambda _: {"value": 5}),
    "bulk update": Operation(
        "PATCH", f"{COMPANY}/bulk-update", lambda lead: {"lead_ids": [lead["id"]], "updates": {"priority": 5}}
    ),
    "bulk assign": Operation(
        "PATCH", f"{COMPANY}/bulk-assign", lambda lead: {"lead_ids": [lead["id"]], "assigned_to": 5}
    ),
    "do-not-call list": Operation("GET", f"{COMPANY}/do-not-call"),
    "add to the list": Operation(
        "POST", f"{COMPANY}/do-not-call", lambda lead: {"phones": [lead["phone"]]}, status=201
    ),
    "import into the list": Operation(
        "POST", f"{COMPANY}/do-not-call/import", file=b"phone\n+1234567890\n", status=201
    ),
    "take off the list": Operation("DELETE", f"{COMPANY}/do-not-call?phone=%2B14150000001"),
}
"""Every operation on leads but imports, exports and reports."""
ON_ONE_LEAD = [name for name, operation in OPERATIONS.items() if "{lead}" in operation.path]
CHANGES = [name for name, operation in OPERATIONS.items() if operation.method != "GET"]


def _bad_tokens(company: int) -> dict[str, dict[str, str]]:
    good = bearer(claims(company))["Authorization"]
    head, payload, signature = good.split(".")
    unsigned = jwt.encode(claims(company), "", algorithm="none")
    return {
        "none at all": {},
        "empty": {"Authorization": "Bearer "},
        "another scheme": {"Authorization": good.replace("Bearer", "Basic")},
        "expired": bearer(claims(company, exp=datetime.now(UTC) - AN_HOUR)),
        "another key": bearer(claims(company), secret="x" * 64),
        "algorithm none": {"Authorization": f"Bearer {unsigned}"},
        "no signature": {"Authorization": f"{head}.{payload}."},
        "changed": {"Authorization": f"{head}.{payload[:-2]}AA.{signature}"},
    }


BAD_TOKENS = sorted(_bad_tokens(1))


async def _prepared(company: LeadCompany) -> dict[str, Any]:
    """A lead on which every operation would succeed, with a call in its history and another number on the list."""
    lead = await company.create()
    assert (await company.on_lead("POST", lead, "/call-attempt", {"duration": 9})).status_code == 200
    listed = await company.send("POST", f"{company.path}/do-not-call", {"phones": [phone_number(1)]})
    assert listed.status_code == 201
    return await company.read(lead)


async def _attempt(
    api: LeadApi, name: str, lead: Mapping[str, Any], token: Mapping[str, str], *, body: object = None
) -> httpx.Response:
    operation = OPERATIONS[name]
    path = operation.path.format(lead=lead["id"], campaign=lead["campaign_id"], company=lead["company_id"])
    sent: dict[str, Any] = {}
    if operation.file is not None:
        sent["files"] = {"file": ("numbers.csv", operation.file)}
    elif operation.body is not None:
        sent["json"] = operation.body(lead) if body is None else body
    return await api.client.request(operation.method, path, headers=token, **sent)


async def test_no_operation_is_forgotten_here(lead_api: LeadApi) -> None:
    document = (await lead_api.client.get("/openapi.json")).json()
    names = {"lead": "{id}", "campaign": "{campaignId}", "company": "{companyId}"}
    tried = {
        (operation.method.lower(), operation.path.partition("?")[0].format(**names))
        for operation in OPERATIONS.values()
    }
    documented_errors = {
        (method, path)
        for path, methods in document["paths"].items()
        for method in methods
        if not path.startswith("/api/company/voice-leads/company/{companyId}/import") and "export" not in path
    }
    assert tried == documented_errors


@pytest.mark.parametrize("name", OPERATIONS)
async def test_with_its_companys_token_every_operation_succeeds(company: LeadCompany, name: str) -> None:
    response = await _attempt(company.api, name, await _prepared(company), company.token())
    assert response.status_code == OPERATIONS[name].status, response.text


@pytest.mark.parametrize("name", CHANGES)
async def test_with_its_companys_token_every_change_changes_something(company: LeadCompany, name: str) -> None:
    lead = await _prepared(company)
    before = await company.stored()
    await _attempt(company.api, name, lead, company.token())
    assert await company.stored() != before


@pytest.mark.parametrize("token", BAD_TOKENS)
async def test_an_invalid_token_changes_nothing_and_is_401(company: LeadCompany, token: str) -> None:
    lead = await _prepared(company)
    before = await company.stored()
    response = await _attempt(company.api, "status", lead, _bad_tokens(company.id)[token])
    assert response.status_code == 401
    assert response.json() == UNAUTHENTICATED
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert await company.stored() == before


async def test_every_operation_demands_a_token(company: LeadCompany) -> None:
    """Fails when an operation does not authenticate its caller: `OPERATIONS` has every operation (see above)."""
    lead = await _prepared(company)
    before = await company.stored()
    expired = _bad_tokens(company.id)["expired"]
    responses = {
        (name, bool(token)): await _attempt(company.api, name, lead, token)
        for name in OPERATIONS
        for token in ({}, expired)
    }
    assert {key: response.status_code for key, response in responses.items()} == dict.fromkeys(responses, 401)
    assert await company.stored() == before


@pytest.mark.parametrize("name", OPERATIONS)
async def test_without_a_token_the_response_reveals_no_other_error(lead_api: LeadApi, name: str) -> None:
    operation = OPERATIONS[name]
    response = await lead_api.client.request(
        operation.method,
        operation.path.partition("?")[0].format(lead="x", campaign="x", company="x"),
        content=b"{",
        headers={"Content-Type": "application/json", "Idempotency-Key": ""},
        params={"limit": "x", "cursor": "x"},
    )
    assert (response.status_code, response.json()) == (401, UNAUTHENTICATED)


@pytest.mark.parametrize("role", ["user", "admin"])
@pytest.mark.parametrize("name", OPERATIONS)
async def test_another_companys_token_opens_nothing(
    company: LeadCompany, other_company: LeadCompany, role: str, name: str
) -> None:
    lead = await _prepared(company)
    before = await company.stored()
    response = await _attempt(company.api, name, lead, other_company.token(role=role))
    refused_with = 403 if name == "update" else OPERATIONS[name].refused_with  # whose body names the company
    assert response.status_code == refused_with
    if refused_with == 403:
        assert response.json()["message"] == "Access denied"
    else:
        assert response.json()["message"] == MESSAGES["campaign" if "campaign" in name else "lead"]
    for secret in (lead["first_name"], lead["phone"], phone_number(1)):
        assert secret not in response.text
    assert await company.stored() == before
    assert await other_company.stored() == NOTHING


@pytest.mark.parametrize("name", ON_ONE_LEAD)
async def test_another_companys_lead_is_answered_as_one_that_does_not_exist(
    company: LeadCompany, other_company: LeadCompany, name: str
) -> None:
    lead = await _prepared(company)
    body = other_company.body() if name == "update" else None  # of a company that the token does cover
    answers = [
        await _attempt(company.api, name, one, other_company.token(), body=body)
        for one in (lead, lead | {"id": MAX_ID})
    ]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].json() == answers[1].json()
    assert answers[0].json() == {"message": "Voice lead not found", "error": "Voice lead not found"}


@pytest.mark.parametrize("name", OPERATIONS)
async def test_a_token_of_no_company_opens_nothing(company: LeadCompany, name: str) -> None:
    lead = await _prepared(company)
    before = await company.stored()
    response = await _attempt(company.api, name, lead, bearer(claims()))
    assert response.status_code == (403 if name == "update" else OPERATIONS[name].refused_with)
    assert await company.stored() == before


@pytest.mark.parametrize("name", ["bulk update", "bulk assign"])
async def test_a_companys_own_path_does_not_open_another_companys_leads(
    company: LeadCompany, other_company: LeadCompany, name: str
) -> None:
    lead = await _prepared(company)
    before = await company.stored()
    aimed = lead | {"company_id": other_company.id}
    response = await _attempt(company.api, name, aimed, other_company.token())
    assert response.status_code == 400
    assert [error["value"] for error in response.json()["errors"]] == [str(lead["id"])]
    assert await company.stored() == before
    assert await other_company.stored() == NOTHING


async def test_no_lead_is_created_in_another_companys_campaign(
    company: LeadCompany, other_company: LeadCompany
) -> None:
    response = await other_company.post(other_company.body(campaign_id=company.campaign_id))
    assert response.status_code == 400
    assert await company.stored() == NOTHING
    assert await other_company.stored() == NOTHING


async def test_another_companys_list_and_leads_stay_as_they_are_whatever_one_does(
    company: LeadCompany, other_company: LeadCompany
) -> None:
    """With the same numbers in both."""
    lead = await _prepared(company)
    await _prepared(other_company)
    before = await other_company.stored()
    for name in CHANGES:
        if name != "delete":
            await _attempt(company.api, name, lead, company.token())
    await _attempt(company.api, "delete", lead, company.token())
    assert await other_company.stored() == before
