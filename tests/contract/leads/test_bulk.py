"""Endpoints 17 and 18: many leads of a company, changed together or not at all."""

from typing import Any

import httpx
import pytest

from shared.events.leads import LEADS_PER_EVENT, LeadAssigned, LeadStatusChanged, LeadUpdated
from tests.fixtures.gateway import phone_number
from tests.fixtures.leads import ALLOWED_TRANSITIONS, LEAD_STATUSES, LeadCompany

MAX_ID = 2**63 - 1
CONTRACT_UPDATES = {"status": "in_progress", "priority": 2, "assigned_to": 123, "notes": "Bulk update notes"}
"""What the contract's example sets."""
BODIES: dict[str, dict[str, Any]] = {
    "bulk-update": {"updates": CONTRACT_UPDATES},
    "bulk-assign": {"assigned_to": 5},
}
"""What each of the two sends in addition to the ids."""
MOST = 1_000


async def _update(company: LeadCompany, leads: list[Any], /, **updates: object) -> httpx.Response:
    return await company.send("PATCH", f"{company.path}/bulk-update", {"lead_ids": _ids(leads), "updates": updates})


async def _assign(company: LeadCompany, leads: list[Any], agent: int) -> httpx.Response:
    return await company.send("PATCH", f"{company.path}/bulk-assign", {"lead_ids": _ids(leads), "assigned_to": agent})


def _ids(leads: list[Any]) -> list[int]:
    return [lead["id"] if isinstance(lead, dict) else lead for lead in leads]


def _updated(response: httpx.Response, count: int) -> None:
    assert (response.status_code, response.json()) == (
        200,
        {"message": "Leads updated successfully", "updated_count": count},
    ), response.text


def _assigned(response: httpx.Response, count: int) -> None:
    assert (response.status_code, response.json()) == (
        200,
        {"message": "Leads assigned successfully", "assigned_count": count},
    ), response.text


async def _multiply(company: LeadCompany, count: int) -> list[int]:
    """Many leads, behind the service's back."""
    rows = await company.api.rows(
        """
        INSERT INTO leads (company_id, campaign_id, phone, status, priority, timezone, preferred_language)
        SELECT $1, $2, '+1415' || lpad(number::text, 7, '0'), 'pending', 3, 'UTC', 'en-US'
        FROM generate_series(1, $3) AS number RETURNING id
        """,
        company.id,
        company.campaign_id,
        count,
    )
    return [row["id"] for row in rows]


# Endpoint 17


async def test_the_contracts_update_changes_all_of_its_leads_and_no_other(company: LeadCompany) -> None:
    *leads, left = await company.create_many(4)
    _updated(await _update(company, leads, **CONTRACT_UPDATES), 3)
    for lead in leads:
        current = await company.read(lead)
        changes = {"version": 2, "updated_at": current["updated_at"], **CONTRACT_UPDATES}
        assert current == lead | changes
    assert await company.read(left) == left


@pytest.mark.parametrize("field", CONTRACT_UPDATES)
async def test_each_field_can_be_set_alone(company: LeadCompany, field: str) -> None:
    leads = await company.create_many(2, assigned_to=None)
    _updated(await _update(company, leads, **{field: CONTRACT_UPDATES[field]}), 2)
    for lead in leads:
        current = await company.read(lead)
        changed = {name for name in lead if current[name] != lead[name]} - {"version", "updated_at"}
        assert changed == {field}


@pytest.mark.parametrize(
    ("updates", "emitted"),
    [
        ({"status": "completed"}, {LeadStatusChanged}),
        ({"priority": 2}, {LeadUpdated}),
        ({"notes": "x"}, {LeadUpdated}),
        ({"assigned_to": 5}, {LeadAssigned}),
        ({"status": "completed", "assigned_to": 5}, {LeadStatusChanged, LeadAssigned}),
        (
            {"status": "completed", "assigned_to": 5, "notes": "x"},
            {LeadStatusChanged, LeadAssigned, LeadUpdated},
        ),
    ],
    ids=lambda value: str(value if isinstance(value, dict) else sorted(event.event_type for event in value)),
)
async def test_an_update_emits_the_events_of_what_changed(
    company: LeadCompany, updates: dict[str, Any], emitted: set[type[Any]]
) -> None:
    leads = await company.create_many(2)
    _updated(await _update(company, leads, **updates), 2)
    events = (await company.emitted_events())[2:]
    assert {type(event) for event in events} == emitted
    assert len(events) == len(emitted)
    for event in events:
        assert isinstance(event, LeadStatusChanged | LeadAssigned | LeadUpdated)
        assert sorted((lead.id, lead.version) for lead in event.leads) == sorted((lead["id"], 2) for lead in leads)
        if isinstance(event, LeadStatusChanged):
            assert {(lead.previous_status, lead.status) for lead in event.leads} == {("pending", "completed")}
        if isinstance(event, LeadAssigned):
            assert {(lead.previous_assigned_to, lead.assigned_to) for lead in event.leads} == {(123, 5)}


@pytest.mark.parametrize(
    ("updates", "emitted"),
    [
        ({"priority": 2}, LeadUpdated),
        ({"assigned_to": 5}, LeadAssigned),
        ({"status": "in_progress"}, LeadStatusChanged),
    ],
    ids=str,
)
async def test_only_changed_leads_are_counted_and_emitted(
    company: LeadCompany, updates: dict[str, Any], emitted: type[Any]
) -> None:
    same = await company.create(**updates)
    other = await company.create(phone=phone_number(1))
    _updated(await _update(company, [same, other], **updates), 1)
    assert await company.read(same) == same
    [event] = (await company.emitted_events())[2:]
    assert isinstance(event, emitted)
    assert [lead.id for lead in event.leads] == [other["id"]]
    before = await company.stored()
    _updated(await _update(company, [same, other], **updates), 0)
    assert await company.stored() == before


async def test_an_event_names_only_the_leads_that_it_is_true_of(company: LeadCompany) -> None:
    assigned = await company.create(assigned_to=5)
    other = await company.create(phone=phone_number(1), status="in_progress")
    _updated(await _update(company, [assigned, other], status="in_progress", assigned_to=5), 2)
    emitted = {type(event): [lead.id for lead in event.leads] for event in (await company.emitted_events())[2:]}  # type: ignore[attr-defined]
    assert emitted == {LeadStatusChanged: [assigned["id"]], LeadAssigned: [other["id"]]}


@pytest.mark.parametrize("source", LEAD_STATUSES)
async def test_a_status_that_one_lead_may_not_take_is_refused_for_all(company: LeadCompany, source: str) -> None:
    leads = [*await company.create_many(2), await company.create(status=source)]
    for target in set(LEAD_STATUSES) - ALLOWED_TRANSITIONS[source] - {source, "pending"}:
        before = await company.stored()
        response = await _update(company, leads, status=target, notes="x")
        assert response.status_code == 409, (target, response.text)
        assert response.json().keys() == {"message", "error"}
        assert str(leads[-1]["id"]) in response.json()["error"]
        assert await company.stored() == before


async def test_not_even_an_administrator_takes_leads_off_the_blacklist_together(company: LeadCompany) -> None:
    lead = await company.create(status="blacklisted")
    before = await company.stored()
    body = {"lead_ids": [lead["id"]], "updates": {"status": "pending"}}
    response = await company.send("PATCH", f"{company.path}/bulk-update", body, role="admin")
    assert response.status_code == 409
    assert await company.stored() == before


async def test_blacklisted_leads_take_everything_but_a_status(company: LeadCompany) -> None:
    lead = await company.create(status="blacklisted")
    _updated(await _update(company, [lead], notes="x", priority=5, assigned_to=9), 1)
    assert (await company.read(lead))["status"] == "blacklisted"


async def test_blacklisting_together_takes_every_number_and_every_lead_with_it(
    company: LeadCompany, other_company: LeadCompany
) -> None:
    leads = await company.create_many(3)
    siblings = await company.create_many(3, status="completed")
    theirs = await other_company.create_many(3)
    _updated(await _update(company, leads[:2], status="blacklisted"), 2)
    assert await company.listed_numbers() == [phone_number(0), phone_number(1)]
    statuses = [(await company.read(lead))["status"] for lead in [*leads, *siblings]]
    assert statuses == ["blacklisted", "blacklisted", "pending", "blacklisted", "blacklisted", "completed"]
    assert [await other_company.read(lead) for lead in theirs] == theirs
    emitted = [
        (lead.id, lead.version, lead.previous_status)
        for event in await company.emitted_events()
        if isinstance(event, LeadStatusChanged)
        for lead in event.leads
    ]
    assert sorted(emitted) == sorted(
        [(lead["id"], 2, "pending") for lead in leads[:2]] + [(lead["id"], 2, "completed") for lead in siblings[:2]]
    )


# Endpoint 18


async def test_the_contracts_agent_gets_all_of_the_leads(company: LeadCompany) -> None:
    *leads, left = await company.create_many(4, assigned_to=7)
    _assigned(await _assign(company, leads, 123), 3)
    for lead in leads:
        current = await company.read(lead)
        assert current == lead | {"assigned_to": 123, "version": 2, "updated_at": current["updated_at"]}
    assert await company.read(left) == left
    [event] = (await company.emitted_events())[4:]
    assert isinstance(event, LeadAssigned)
    assert sorted((lead.id, lead.previous_assigned_to, lead.assigned_to, lead.version) for lead in event.leads) == [
        (lead["id"], 7, 123, 2) for lead in leads
    ]


async def test_leads_that_the_agent_has_already_are_not_counted(company: LeadCompany) -> None:
    mine, other = await company.create(assigned_to=5), await company.create(assigned_to=None)
    _assigned(await _assign(company, [mine, other], 5), 1)
    assert await company.read(mine) == mine
    [event] = (await company.emitted_events())[2:]
    assert isinstance(event, LeadAssigned)
    assert [(lead.id, lead.previous_assigned_to) for lead in event.leads] == [(other["id"], None)]
    before = await company.stored()
    _assigned(await _assign(company, [mine, other], 5), 0)
    assert await company.stored() == before


# Both


@pytest.mark.parametrize("operation", BODIES)
async def test_a_repeated_id_counts_once(company: LeadCompany, operation: str) -> None:
    [lead] = await company.create_many(1)
    body = {"lead_ids": [lead["id"]] * 3, **BODIES[operation]}
    response = await company.send("PATCH", f"{company.path}/{operation}", body)
    assert response.status_code == 200
    assert [value for value in response.json().values() if isinstance(value, int)] == [1]
    assert (await company.read(lead))["version"] == 2


@pytest.mark.parametrize("operation", BODIES)
async def test_ids_that_are_no_leads_of_the_company_are_each_named(
    company: LeadCompany, other_company: LeadCompany, operation: str
) -> None:
    mine, deleted = await company.create_many(2)
    theirs = await other_company.create()
    await company.on_lead("DELETE", deleted)
    before = await company.stored(), await other_company.stored()
    wrong = [theirs["id"], deleted["id"], MAX_ID]
    response = await company.send(
        "PATCH", f"{company.path}/{operation}", {"lead_ids": [mine["id"], *wrong, wrong[0]], **BODIES[operation]}
    )
    assert response.status_code == 400, response.text
    answer = response.json()
    assert answer.keys() == {"message", "error", "errors"}
    assert [error["field"] for error in answer["errors"]] == ["lead_ids"] * 3
    assert sorted(int(error["value"]) for error in answer["errors"]) == sorted(wrong)
    assert all(error["value"] in error["message"] for error in answer["errors"])
    assert (await company.stored(), await other_company.stored()) == before


@pytest.mark.parametrize("operation", BODIES)
async def test_another_of_the_callers_companies_leads_are_not_this_companys(
    company: LeadCompany, other_company: LeadCompany, operation: str
) -> None:
    theirs = await other_company.create()
    body = {"lead_ids": [theirs["id"]], **BODIES[operation]}
    response = await company.send(
        "PATCH", f"{company.path}/{operation}", body, companies=[company.id, other_company.id]
    )
    assert response.status_code == 400
    assert await other_company.read(theirs) == theirs


@pytest.mark.parametrize("operation", BODIES)
@pytest.mark.parametrize(
    "lead_ids",
    [None, [], "1,2", 1, {}, [0], [-1], ["1"], [1.5], [True], [None], [MAX_ID + 1], [[1]]],
    ids=str,
)
async def test_ids_that_cannot_be_are_refused(company: LeadCompany, operation: str, lead_ids: object) -> None:
    body = {"lead_ids": lead_ids, **BODIES[operation]}
    response = await company.send("PATCH", f"{company.path}/{operation}", body)
    assert response.status_code == 400, response.text
    assert {error["field"].partition(".")[0] for error in response.json()["errors"]} == {"lead_ids"}


@pytest.mark.parametrize("operation", BODIES)
async def test_a_thousand_leads_are_changed_at_once_and_no_more(company: LeadCompany, operation: str) -> None:
    ids = await _multiply(company, MOST + 1)
    path = f"{company.path}/{operation}"
    before = await company.stored()
    refused = await company.send("PATCH", path, {"lead_ids": ids, **BODIES[operation]})
    assert refused.status_code == 400
    assert [error["field"] for error in refused.json()["errors"]] == ["lead_ids"]
    assert await company.stored() == before

    response = await company.send("PATCH", path, {"lead_ids": ids[:MOST], **BODIES[operation]})
    assert [value for value in response.json().values() if isinstance(value, int)] == [MOST]
    versions = await company.api.rows(
        "SELECT version, count(*) FROM leads WHERE company_id = $1 GROUP BY 1", company.id
    )
    assert sorted(tuple(row) for row in versions) == [(1, 1), (2, MOST)]
    for kind in {type(event) for event in await company.emitted_events()}:
        emitted = [event.leads for event in await company.emitted_events() if isinstance(event, kind)]  # type: ignore[attr-defined]
        assert all(1 <= len(leads) <= LEADS_PER_EVENT for leads in emitted)
        assert sorted(lead.id for leads in emitted for lead in leads) == ids[:MOST]


async def test_a_thousand_unknown_ids_are_each_named(company: LeadCompany) -> None:
    ids = list(range(MAX_ID - MOST + 1, MAX_ID + 1))
    response = await _assign(company, ids, 5)
    assert response.status_code == 400
    assert sorted(int(error["value"]) for error in response.json()["errors"]) == ids


WRONG_UPDATES: list[tuple[object, set[str]]] = [
    (None, {"updates"}),
    ({}, {"updates"}),
    ([], {"updates"}),
    ({"status": None}, {"updates"}),
    ({"status": "running"}, {"updates.status"}),
    ({"status": ["pending"]}, {"updates.status"}),
    ({"priority": 0}, {"updates.priority"}),
    ({"priority": 6}, {"updates.priority"}),
    ({"priority": "high"}, {"updates.priority"}),
    ({"assigned_to": 0}, {"updates.assigned_to"}),
    ({"assigned_to": "me"}, {"updates.assigned_to"}),
    ({"notes": 1}, {"updates.notes"}),
    ({"phone": "+14155552671"}, {"updates.phone"}),
    ({"status": "x", "priority": 9, "phone": 1}, {"updates.status", "updates.priority", "updates.phone"}),
]


@pytest.mark.parametrize(("updates", "named"), WRONG_UPDATES, ids=str)
async def test_updates_that_cannot_be_are_refused_by_name(
    company: LeadCompany, updates: object, named: set[str]
) -> None:
    [lead] = await company.create_many(1)
    before = await company.stored()
    body = {"lead_ids": [lead["id"]], "updates": updates}
    response = await company.send("PATCH", f"{company.path}/bulk-update", body)
    assert response.status_code == 400, response.text
    assert {error["field"] for error in response.json()["errors"]} == named
    assert await company.stored() == before


@pytest.mark.parametrize("operation", BODIES)
async def test_every_error_and_every_unknown_field_is_named(company: LeadCompany, operation: str) -> None:
    body = {"lead_ids": [], **BODIES[operation], "colour": "red"}
    response = await company.send("PATCH", f"{company.path}/{operation}", body)
    assert response.status_code == 400
    assert {error["field"] for error in response.json()["errors"]} == {"lead_ids", "colour"}


@pytest.mark.parametrize("agent", [0, "me", None, True, MAX_ID + 1])
async def test_an_agent_who_cannot_be_is_refused(company: LeadCompany, agent: Any) -> None:
    [lead] = await company.create_many(1)
    response = await _assign(company, [lead], agent)
    assert response.status_code == 400
    assert [error["field"] for error in response.json()["errors"]] == ["assigned_to"]
