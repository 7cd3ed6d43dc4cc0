"""Statuses, versions, events and the do-not-call list under any sequence of calls, one after the other and at once."""

import asyncio
import itertools
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from shared.events.envelope import EventData
from shared.events.leads import LeadAssigned, LeadCallAttempted, LeadCreated, LeadDeleted, LeadStatusChanged
from tests.fixtures.gateway import phone_number
from tests.fixtures.leads import (
    ALLOWED_TRANSITIONS,
    LEAD_STATUSES,
    LeadApi,
    LeadCompany,
    company,
    lead_api,
    leads_database,
    other_company,
)
from tests.fixtures.waiting import eventually

__all__ = ["company", "lead_api", "leads_database", "other_company"]

PHONES = [phone_number(number) for number in range(3)]
MOST_ATTEMPTS = 3
"""The default of a campaign."""
BY_DISPOSITION = {
    "no_answer": "in_progress",
    "callback_requested": "scheduled",
    "sale": "completed",
    "not_interested": "failed",
    "do_not_call": "blacklisted",
}
PLACES = 4
"""Leads there are at first."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call of the API; what it does not need is not looked at."""

    operation: str
    leads: tuple[int, ...]
    """Places of the leads it is about; the first one, where it is about one."""
    status: str
    phone: str
    number: int
    """An agent, a priority, a value, or notes."""
    admin: bool
    disposition: str | None
    reports_status: bool

    @property
    def status_alone(self) -> bool:
        """Whether a bulk update sets nothing but the status."""
        return self.reports_status and self.number == 3


@dataclass(slots=True)
class Modelled:
    """A lead as it should be."""

    id: int
    phone: str
    status: str
    fields: dict[str, object] = field(default_factory=dict)
    attempts: int = 0
    deleted: bool = False


class Model:
    """A company's leads and its do-not-call list as they should be."""

    def __init__(self) -> None:
        self.leads: list[Modelled] = []
        self.listed: set[str] = set()

    def created(self, lead_id: int, phone: str, status: str) -> Modelled:
        """A lead was created; returns it as it should be."""
        lead = Modelled(lead_id, phone, "blacklisted" if phone in self.listed else status, {"priority": 1})
        self.leads.append(lead)
        if status == "blacklisted":
            self.list(phone)
        return lead

    def list(self, phone: str) -> int:
        """A number is put on the list; returns how many leads that blacklists."""
        self.listed.add(phone)
        hit = [lead for lead in self.leads if lead.phone == phone and lead.status != "blacklisted" and not lead.deleted]
        for lead in hit:
            lead.status = "blacklisted"
        return len(hit)

    def _set(self, lead: Modelled, status: str) -> None:
        if lead.status != status:
            lead.status = status
            if status == "blacklisted":
                self.list(lead.phone)

    def _set_and_list(self, lead: Modelled, status: str) -> None:
        """Set a requested status: a blacklisted lead's number goes on the list again."""
        lead.status = status
        if status == "blacklisted":
            self.list(lead.phone)

    def apply(self, call: Call) -> tuple[int, int | None]:
        """Apply a call; return the status of its response, and the count in it, if there is one."""
        operations: dict[str, Callable[[Call], tuple[int, int | None]]] = {
            "status": self._status,
            "update": self._update,
            "assign": self._assign,
            "schedule": self._schedule,
            "convert": self._convert,
            "call": self._call,
            "delete": self._delete,
            "bulk_update": self._bulk_update,
            "bulk_assign": self._bulk_assign,
            "list_number": self._list_number,
            "take_off": self._take_off,
        }
        return operations[call.operation](call)

    def _one(self, call: Call) -> Modelled | None:
        lead = self.leads[call.leads[0] % len(self.leads)]
        return None if lead.deleted else lead

    def _status(self, call: Call) -> tuple[int, None]:
        lead = self._one(call)
        if lead is None:
            return 404, None
        if lead.status == "blacklisted" != call.status:
            if not call.admin:
                return 403, None
            self.listed.discard(lead.phone)
            lead.status = call.status
            return 200, None
        if not _can_transition(lead.status, call.status):
            return 409, None
        self._set_and_list(lead, call.status)
        return 200, None

    def _update(self, call: Call) -> tuple[int, None]:
        lead = self._one(call)
        if lead is None:
            return 404, None
        if not _can_transition(lead.status, call.status):
            return 409, None
        moved = lead.phone != call.phone
        lead.phone = call.phone
        lead.fields = {"priority": 1, "notes": str(call.number)}
        self._set(lead, call.status)
        if moved and lead.status == "blacklisted":
            self.list(lead.phone)
        elif moved and lead.phone in self.listed:
            lead.status = "blacklisted"
        return 200, None

    def _bulk_update(self, call: Call) -> tuple[int, int | None]:
        leads = {place % len(self.leads): self.leads[place % len(self.leads)] for place in call.leads}.values()
        if any(lead.deleted for lead in leads):
            return 400, None
        updates: dict[str, object] = {} if call.status_alone else {"priority": 1 + call.number % 5}
        if call.reports_status and not all(_can_transition(lead.status, call.status) for lead in leads):
            return 409, None
        changed = 0
        for lead in leads:
            new_status = call.reports_status and lead.status != call.status
            changed += bool(new_status or lead.fields != lead.fields | updates)
            lead.fields |= updates
        for lead in leads:
            if call.reports_status:
                self._set_and_list(lead, call.status)
        return 200, changed

    def _bulk_assign(self, call: Call) -> tuple[int, int | None]:
        leads = {place % len(self.leads): self.leads[place % len(self.leads)] for place in call.leads}.values()
        if any(lead.deleted for lead in leads):
            return 400, None
        changed = [lead for lead in leads if lead.fields.get("assigned_to") != call.number]
        for lead in changed:
            lead.fields["assigned_to"] = call.number
        return 200, len(changed)

    def _assign(self, call: Call) -> tuple[int, None]:
        lead = self._one(call)
        if lead is None:
            return 404, None
        lead.fields["assigned_to"] = call.number
        return 200, None

    def _schedule(self, call: Call) -> tuple[int, None]:
        return self._becomes(call, "scheduled")

    def _convert(self, call: Call) -> tuple[int, None]:
        response = self._becomes(call, "completed")
        if response == (200, None):
            self.leads[call.leads[0] % len(self.leads)].fields["conversion_value"] = call.number
        return response

    def _becomes(self, call: Call, status: str) -> tuple[int, None]:
        lead = self._one(call)
        if lead is None:
            return 404, None
        if lead.status == "blacklisted":
            return 409, None
        lead.status = status
        return 200, None

    def _call(self, call: Call) -> tuple[int, None]:
        lead = self._one(call)
        if lead is None:
            return 404, None
        blacklists = call.disposition == "do_not_call" or (call.reports_status and call.status == "blacklisted")
        if lead.status == "blacklisted" and not blacklists:
            return 409, None
        if blacklists:
            expected = "blacklisted"
        elif call.reports_status:
            expected = call.status
            if not _can_transition(lead.status, expected):
                return 409, None
        else:
            expected = BY_DISPOSITION.get(call.disposition or "", "in_progress")
            if expected == "in_progress" and lead.attempts + 1 >= MOST_ATTEMPTS:
                expected = "failed"
            if not _can_transition(lead.status, expected):
                expected = lead.status  # no status was reported that could be rejected
        lead.attempts += 1
        self._set_and_list(lead, expected)
        return 200, None

    def _delete(self, call: Call) -> tuple[int, None]:
        lead = self._one(call)
        if lead is None:
            return 404, None
        lead.deleted = True
        return 200, None

    def _list_number(self, call: Call) -> tuple[int, int]:
        return 201, self.list(call.phone)

    def _take_off(self, call: Call) -> tuple[int, None]:
        if call.phone not in self.listed:
            return 404, None
        self.listed.discard(call.phone)
        return 200, None


OPERATIONS = (
    *("status", "update", "assign", "schedule", "convert", "call", "delete"),
    *("bulk_update", "bulk_assign", "list_number", "take_off"),
)
COUNTS = ("updated_count", "assigned_count", "blacklisted_count")


def _can_transition(status: str, expected: str) -> bool:
    return expected == status or expected in ALLOWED_TRANSITIONS[status]


async def _send(company: LeadCompany, model: Model, call: Call) -> httpx.Response:
    ids = [model.leads[place % len(model.leads)].id for place in call.leads]
    lead = f"/api/voice-leads/{ids[0]}"
    reported = {"status": call.status} if call.reports_status else {}
    replacement = company.smallest_body(phone=call.phone, status=call.status, notes=str(call.number), priority=1)
    updates = reported if call.status_alone else {"priority": 1 + call.number % 5, **reported}
    requests: dict[str, tuple[str, str, object]] = {
        "status": ("PATCH", f"{lead}/status", {"status": call.status}),
        "update": ("PUT", lead, replacement),
        "assign": ("PATCH", f"{lead}/assign", {"assigned_to": call.number}),
        "schedule": ("PATCH", f"{lead}/schedule", {"scheduled_call_time": "2024-03-20T14:00:00Z"}),
        "convert": ("PATCH", f"{lead}/convert", {"value": call.number}),
        "call": ("POST", f"{lead}/call-attempt", {"duration": 5, "disposition": call.disposition, **reported}),
        "delete": ("DELETE", lead, None),
        "bulk_update": ("PATCH", f"{company.path}/bulk-update", {"lead_ids": ids, "updates": updates}),
        "bulk_assign": ("PATCH", f"{company.path}/bulk-assign", {"lead_ids": ids, "assigned_to": call.number}),
        "list_number": ("POST", f"{company.path}/do-not-call", {"phones": [call.phone]}),
        "take_off": ("DELETE", f"{company.path}/do-not-call?phone=%2B{call.phone[1:]}", None),
    }
    return await company.send(*requests[call.operation], role="admin" if call.admin else "user")


calls = st.builds(
    Call,
    operation=st.sampled_from([*OPERATIONS, "status", "update", "call"]),
    leads=st.lists(st.integers(0, PLACES - 1), min_size=1, max_size=PLACES).map(tuple),
    status=st.sampled_from(LEAD_STATUSES),
    phone=st.sampled_from(PHONES),
    number=st.integers(1, 3),
    admin=st.booleans(),
    disposition=st.none() | st.sampled_from([*BY_DISPOSITION, "left_waiting"]),
    reports_status=st.booleans(),
)
new_leads = st.tuples(st.sampled_from(PHONES), st.sampled_from(LEAD_STATUSES))

several = settings(derandomize=True, suppress_health_check=list(HealthCheck))


async def _created(company: LeadCompany, model: Model, phone: str, status: str) -> None:
    created = await company.create(phone=phone, status=status, assigned_to=None)
    lead = model.created(created["id"], phone, status)
    assert created["status"] == lead.status


async def _matches_model(company: LeadCompany, model: Model) -> None:
    """The database has the state of the model, and no lead with a listed number is to be called."""
    rows = {row["id"]: row for row in await company.api.rows("SELECT * FROM leads WHERE company_id = $1", company.id)}
    there = [lead for lead in model.leads if not lead.deleted]
    assert rows.keys() == {lead.id for lead in there}
    for lead in there:
        row = rows[lead.id]
        assert (row["phone"], row["status"], row["attempts"]) == (lead.phone, lead.status, lead.attempts), lead
        assert {name: row[name] for name in lead.fields} == lead.fields
    assert await _listed(company) == model.listed
    await _no_listed_number_is_called(company)


async def _listed(company: LeadCompany) -> set[str]:
    rows = await company.api.rows("SELECT phone FROM do_not_call WHERE company_id = $1", company.id)
    return {row["phone"] for row in rows}


async def _no_listed_number_is_called(company: LeadCompany) -> None:
    reachable = await company.api.rows(
        "SELECT id, status FROM leads JOIN do_not_call USING (company_id, phone)"
        " WHERE company_id = $1 AND status <> 'blacklisted'",
        company.id,
    )
    assert reachable == []


async def _emits_every_change(company: LeadCompany) -> None:
    """Each lead has events of all of its versions, in order, and each status is the previous one of the next event."""
    emitted: dict[int, list[tuple[int, EventData, Any]]] = {}
    for event in await company.emitted_events():
        if isinstance(event, LeadCallAttempted):
            continue
        for lead in event.leads:  # type: ignore[attr-defined]
            emitted.setdefault(lead.id, []).append((lead.version, event, lead))
    rows = {row["id"]: row for row in await company.api.rows("SELECT * FROM leads WHERE company_id = $1", company.id)}
    assert rows.keys() <= emitted.keys()
    for lead_id, history in emitted.items():
        status: str | None = None
        assigned_to: int | None = None
        versions = [version for version, _ in itertools.groupby(history, lambda entry: entry[0])]
        assert versions == list(range(1, len(versions) + 1)), "emitted in the order of versions, without a gap"
        for version, event, lead in history:
            assert isinstance(event, LeadCreated) == (version == 1)
            if isinstance(event, LeadStatusChanged):
                assert lead.previous_status == status != lead.status
                status = lead.status
            elif isinstance(event, LeadAssigned):
                assert lead.previous_assigned_to == assigned_to != lead.assigned_to
                assigned_to = lead.assigned_to
            elif isinstance(event, LeadCreated):
                status, assigned_to = lead.status, lead.assigned_to
        if lead_id in rows:
            row = rows[lead_id]
            assert (versions[-1], status, assigned_to) == (row["version"], row["status"], row["assigned_to"])
        else:
            assert isinstance(history[-1][1], LeadDeleted)


@settings(several, max_examples=80)
@given(first=st.lists(new_leads, min_size=PLACES, max_size=PLACES), called=st.lists(calls | new_leads, max_size=12))
async def test_any_sequence_of_calls_leads_to_the_state_of_the_model(
    lead_api: LeadApi, first: list[tuple[str, str]], called: list[Call | tuple[str, str]]
) -> None:
    company = await lead_api.new_company()
    model = Model()
    for phone, status in first:
        await _created(company, model, phone, status)
    for call in called:
        if isinstance(call, tuple):
            await _created(company, model, *call)
            continue
        before = await company.stored()
        response = await _send(company, model, call)
        answer = model.apply(call)
        counted = next((value for name, value in response.json().items() if name in COUNTS), None)
        assert (response.status_code, counted) == answer, (call, response.text)
        if response.is_error:
            assert await company.stored() == before, call
        await _matches_model(company, model)
    await _emits_every_change(company)


# What goes wrong only now and then cannot be made smaller by trying again.
@settings(several, max_examples=25, phases=[Phase.generate])
@given(
    first=st.lists(new_leads, min_size=PLACES, max_size=PLACES),
    batches=st.lists(st.lists(calls | new_leads, min_size=2, max_size=10), min_size=1, max_size=3),
)
async def test_calls_at_once_leave_no_listed_number_to_be_called(
    lead_api: LeadApi, first: list[tuple[str, str]], batches: list[list[Call | tuple[str, str]]]
) -> None:
    company = await lead_api.new_company()
    model = Model()
    for phone, status in first:
        await _created(company, model, phone, status)

    async def do(call: Call | tuple[str, str]) -> None:
        if isinstance(call, tuple):
            response = await company.post(company.body(phone=call[0], status=call[1], assigned_to=None))
        else:
            response = await _send(company, model, call)
        assert response.status_code in {200, 201, 400, 403, 404, 409}, (call, response.text)

    for batch in batches:
        await asyncio.gather(*(do(call) for call in batch))
        await _no_listed_number_is_called(company)
    await _emits_every_change(company)


@asynccontextmanager
async def _locked(api: LeadApi, statement: str, *parameters: object) -> AsyncIterator[Callable[[int], Any]]:
    """Lock what a statement locks, until the block ends; yields a wait for a number of requests that wait for locks."""
    async with api.database.acquire() as holder, holder.transaction():
        await holder.execute(statement, *parameters)

        async def waiting(number: int) -> None:
            async def all_wait() -> bool:
                return await _waiting(api) == number

            await eventually(all_wait)

        yield waiting


async def _waiting(api: LeadApi) -> int:
    rows = await api.rows(
        "SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'lead-api'"
        " AND wait_event_type = 'Lock'"
    )
    return len(rows)


def _all_done(responses: Sequence[httpx.Response], *statuses: int) -> None:
    allowed = statuses or (200,)
    assert [response.status_code for response in responses if response.status_code not in allowed] == [], [
        response.text for response in responses
    ]


async def test_two_calls_to_a_lead_at_once_count_two(company: LeadCompany) -> None:
    lead = await company.create()
    async with _locked(company.api, "SELECT FROM leads WHERE id = $1 FOR UPDATE", lead["id"]) as waiting:
        tasks = []
        for number in (1, 2):
            call = company.on_lead("POST", lead, "/call-attempt", {"duration": number})
            tasks.append(asyncio.create_task(call))
            await waiting(number)
    _all_done([await task for task in tasks])
    current = await company.read(lead)
    assert (current["attempts"], current["version"]) == (2, 3)
    assert len(await company.call_history(lead)) == 2
    await _emits_every_change(company)


async def test_the_third_of_three_concurrent_unsuccessful_calls_is_the_last(company: LeadCompany) -> None:
    lead = await company.create()
    body = {"duration": 1, "disposition": "no_answer"}
    _all_done(await asyncio.gather(*(company.on_lead("POST", lead, "/call-attempt", body) for _ in range(3))))
    assert (await company.read(lead))["status"] == "failed"


async def test_a_lead_that_is_being_created_while_its_number_is_listed_is_blacklisted(company: LeadCompany) -> None:
    """The creation has looked at the list already when the number comes."""
    async with _locked(company.api, "LOCK TABLE leads IN SHARE MODE") as waiting:
        creation = asyncio.create_task(company.post(company.body(phone=PHONES[0])))
        await waiting(1)
        body = {"phones": [PHONES[0]]}
        listing = asyncio.create_task(company.send("POST", f"{company.path}/do-not-call", body))
        await waiting(2)
    _all_done([await creation, await listing], 201)
    await _no_listed_number_is_called(company)
    await _emits_every_change(company)


async def test_a_lead_that_comes_while_a_number_is_being_listed_is_blacklisted(company: LeadCompany) -> None:
    """The listing has looked for leads already when the new one comes."""
    async with _locked(company.api, "LOCK TABLE do_not_call IN SHARE MODE") as waiting:
        body = {"phones": [PHONES[0]]}
        listing = asyncio.create_task(company.send("POST", f"{company.path}/do-not-call", body))
        await waiting(1)
        creation = asyncio.create_task(company.post(company.body(phone=PHONES[0])))
        await waiting(2)
    _all_done([await creation, await listing], 201)
    assert (await creation).json()["data"]["status"] == "blacklisted"
    await _no_listed_number_is_called(company)


async def test_a_lead_that_gets_a_number_while_it_is_listed_is_blacklisted(company: LeadCompany) -> None:
    lead = await company.create(phone=PHONES[1])
    async with _locked(company.api, "SELECT FROM leads WHERE id = $1 FOR UPDATE", lead["id"]) as waiting:
        change = asyncio.create_task(company.on_lead("PUT", lead, body=company.body(phone=PHONES[0])))
        await waiting(1)
        body = {"phones": [PHONES[0]]}
        listing = asyncio.create_task(company.send("POST", f"{company.path}/do-not-call", body))
        await waiting(2)
    _all_done([await change, await listing], 200, 201)
    await _no_listed_number_is_called(company)
    await _emits_every_change(company)


BLACKLISTINGS: dict[str, Callable[[LeadCompany, dict[str, Any]], Any]] = {
    "status": lambda company, lead: company.on_lead("PATCH", lead, "/status", {"status": "blacklisted"}),
    "update": lambda company, lead: company.on_lead(
        "PUT", lead, body=company.body(phone=lead["phone"], status="blacklisted")
    ),
    "call": lambda company, lead: company.on_lead(
        "POST", lead, "/call-attempt", {"duration": 1, "disposition": "do_not_call"}
    ),
    "bulk update": lambda company, lead: company.send(
        "PATCH", f"{company.path}/bulk-update", {"lead_ids": [lead["id"]], "updates": {"status": "blacklisted"}}
    ),
    "list": lambda company, lead: company.send("POST", f"{company.path}/do-not-call", {"phones": [lead["phone"]]}),
}
"""Ways to blacklist every lead with the number of one."""


@pytest.mark.parametrize("way", BLACKLISTINGS)
async def test_blacklisting_while_leads_with_the_number_are_created_leaves_none_out(
    company: LeadCompany, way: str
) -> None:
    lead = await company.create(phone=PHONES[0])
    chance = random.Random(7)
    requests = [
        *(company.post(company.body(phone=PHONES[0], status=chance.choice(LEAD_STATUSES[:-1]))) for _ in range(20)),
        BLACKLISTINGS[way](company, lead),
    ]
    chance.shuffle(requests)
    _all_done(await asyncio.gather(*requests), 200, 201)
    rows = await company.api.rows("SELECT status FROM leads WHERE company_id = $1", company.id)
    assert [row["status"] for row in rows] == ["blacklisted"] * 21
    await _emits_every_change(company)


@pytest.mark.parametrize("way", BLACKLISTINGS)
async def test_blacklisting_and_a_bulk_update_do_not_deadlock(company: LeadCompany, way: str) -> None:
    """The bulk update has the first lead and needs the last; the blacklisting has the last and needs the first."""
    first, between, last = [await company.create(phone=phone) for phone in (PHONES[0], PHONES[1], PHONES[0])]
    body = {"lead_ids": [lead["id"] for lead in (first, between, last)], "updates": {"priority": 4}}
    async with _locked(company.api, "SELECT FROM leads WHERE id = $1 FOR UPDATE", between["id"]) as waiting:
        bulk = asyncio.create_task(company.send("PATCH", f"{company.path}/bulk-update", body))
        await waiting(1)
        blacklisting = asyncio.create_task(BLACKLISTINGS[way](company, last))
        await waiting(2)
    _all_done([await bulk, await blacklisting], 200, 201)
    current = [await company.read(lead) for lead in (first, between, last)]
    assert [lead["status"] for lead in current] == ["blacklisted", "pending", "blacklisted"]
    await _emits_every_change(company)


async def test_bulk_updates_of_the_same_leads_in_opposite_order_all_succeed(company: LeadCompany) -> None:
    leads = await company.create_many(20, assigned_to=None)
    ids = [lead["id"] for lead in leads]
    requests = []
    for number in range(12):
        mine = ids if number % 2 else ids[::-1]
        updates = {"priority": 1 + number % 5, "notes": f"Round {number}"}
        requests.append(
            company.send("PATCH", f"{company.path}/bulk-update", {"lead_ids": mine, "updates": updates})
            if number % 3
            else company.send("PATCH", f"{company.path}/bulk-assign", {"lead_ids": mine, "assigned_to": number + 1})
        )
    _all_done(await asyncio.gather(*requests))
    assert {(await company.read(lead))["version"] for lead in leads} == {13}
    await _emits_every_change(company)


async def test_bulk_blacklistings_of_overlapping_leads_in_opposite_order_all_succeed(company: LeadCompany) -> None:
    leads = [*await company.create_many(6), *await company.create_many(6)]
    ids = [lead["id"] for lead in leads]
    bodies = [
        {"lead_ids": part, "updates": {"status": "blacklisted"}} for part in (ids[:8], ids[:3:-1], ids[::2], ids[::-3])
    ]
    _all_done(await asyncio.gather(*(company.send("PATCH", f"{company.path}/bulk-update", body) for body in bodies)))
    rows = await company.api.rows("SELECT status, version FROM leads WHERE company_id = $1", company.id)
    assert {(row["status"], row["version"]) for row in rows} == {("blacklisted", 2)}
    await _emits_every_change(company)


async def test_a_bulk_update_does_not_bring_back_a_lead_that_was_blacklisted_meanwhile(company: LeadCompany) -> None:
    lead = await company.create(phone=PHONES[0])
    body = {"lead_ids": [lead["id"]], "updates": {"status": "completed"}}
    async with _locked(company.api, "SELECT FROM leads WHERE id = $1 FOR UPDATE", lead["id"]) as waiting:
        blacklisting = asyncio.create_task(BLACKLISTINGS["list"](company, lead))
        await waiting(1)
        bulk = asyncio.create_task(company.send("PATCH", f"{company.path}/bulk-update", body))
        await waiting(2)
    assert ((await blacklisting).status_code, (await bulk).status_code) in {(201, 409), (201, 200)}
    assert (await company.read(lead))["status"] == "blacklisted"
    await _no_listed_number_is_called(company)
    await _emits_every_change(company)


@pytest.mark.parametrize("step", ["/status", "/schedule", "/convert", "/call-attempt"])
async def test_nothing_brings_back_a_lead_that_was_blacklisted_meanwhile(company: LeadCompany, step: str) -> None:
    lead = await company.create(phone=PHONES[0])
    body = {
        "/status": {"status": "completed"},
        "/schedule": {"scheduled_call_time": "2024-03-20T14:00:00Z"},
        "/convert": {"value": 1},
        "/call-attempt": {"duration": 1, "status": "completed"},
    }[step]
    method = "POST" if step == "/call-attempt" else "PATCH"
    for _ in range(5):
        await asyncio.gather(BLACKLISTINGS["list"](company, lead), company.on_lead(method, lead, step, body))
        await _no_listed_number_is_called(company)
        assert (await company.read(lead))["status"] == "blacklisted"
        await company.on_lead("PATCH", lead, "/status", {"status": "pending"}, role="admin")
    await _emits_every_change(company)


async def test_one_companys_list_blocks_no_other_company(company: LeadCompany, other_company: LeadCompany) -> None:
    lead = await company.create(phone=PHONES[0])
    async with _locked(company.api, "SELECT FROM leads WHERE id = $1 FOR UPDATE", lead["id"]) as waiting:
        listing = asyncio.create_task(BLACKLISTINGS["list"](company, lead))
        await waiting(1)
        created = await asyncio.wait_for(other_company.post(other_company.body(phone=PHONES[0])), 5)
        listed = await asyncio.wait_for(BLACKLISTINGS["list"](other_company, lead), 5)
    _all_done([await listing, created, listed], 201)
