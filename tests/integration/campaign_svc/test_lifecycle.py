"""The lifecycle under any sequence of calls, one after the other and at once, against a model of a few lines."""

import asyncio
import itertools
import random
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg
import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from shared.events.campaigns import CampaignStatusChanged
from shared.events.envelope import Envelope
from tests.fixtures.campaigns import (
    ALLOWED_TRANSITIONS,
    CHANGES,
    STATUSES,
    TRANSITIONS,
    CampaignApi,
    bearer,
    claims,
    new_company,
    sent_again,
    smallest_body,
)
from tests.fixtures.waiting import eventually

MEANWHILE = "Voice campaign was changed meanwhile"

VALUES: dict[str, list[Any]] = {
    "name": ["Alpha Survey", "beta sale", "100% OFF_er"],
    "description": [None, "The summer sale", "50 off"],
    "priority": ["low", "medium", "high"],
    "start_date": [None, "2024-02-29T23:59:59Z", "2024-03-01T00:00:00Z"],
    "end_date": [None, "2024-12-31T23:59:59Z", "2025-01-01T00:00:00Z"],
}
"""What campaigns differ in here."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call on one of a company's campaigns."""

    campaign: int
    """Its place among them."""
    operation: str
    status: str | None
    """What PATCH and PUT set; None is the one it has."""
    values: Mapping[str, Any]
    """What else PUT sets."""
    if_match: str
    """``none``, ``right``, ``stale`` or ``any``."""


@dataclass(slots=True)
class Modelled:
    """A campaign as it should be."""

    id: int
    body: dict[str, Any]
    version: int = 1
    deleted: bool = False

    def apply(self, call: Call) -> tuple[int, list[tuple[Any, ...]]]:
        """Take a call: the status that answers it, and the events it tells (as ``_told`` gives them)."""
        if self.deleted:
            return 404, []
        if call.if_match == "stale":
            return 412, []
        source = self.body["status"]
        wanted = self._wanted(call)
        if call.operation == "delete":
            if source == "active":
                return 409, []
            self.deleted = True
            return 200, self._next_version(wanted, "deleted")
        if call.operation in TRANSITIONS and source not in TRANSITIONS[call.operation].sources:
            return 409, []
        if call.operation == "update" and source == "completed":
            return 409, []
        if wanted["status"] != source and (source, wanted["status"]) not in ALLOWED_TRANSITIONS:
            return 409, []
        kinds = ["status_changed"] if wanted["status"] != source else []
        if wanted | {"status": source} != self.body:
            kinds.append("updated")
        return 200, self._next_version(wanted, *kinds)

    def _wanted(self, call: Call) -> dict[str, Any]:
        if call.operation in TRANSITIONS:
            return self.body | {"status": TRANSITIONS[call.operation].target}
        if call.operation == "delete":
            return self.body
        values = call.values if call.operation == "update" else {}
        return {**self.body, **values, "status": call.status or self.body["status"]}

    def _next_version(self, body: dict[str, Any], *kinds: str) -> list[tuple[Any, ...]]:
        previous, self.body = self.body["status"], body
        self.version += bool(kinds)
        return [
            (
                self.id,
                self.version,
                f"campaign.{kind}.v1",
                body["status"],
                previous if kind == "status_changed" else None,
            )
            for kind in kinds
        ]


def _told(event: Envelope) -> tuple[Any, ...]:
    campaign: Any = event.data["campaign"]
    return campaign["id"], campaign["version"], event.type, campaign["status"], event.data.get("previous_status")


def _in_order(told: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """In the order of telling; two events of one version may stand in any."""
    return [event for _, same in itertools.groupby(told, lambda event: event[:2]) for event in sorted(same, key=str)]


values = st.fixed_dictionaries({}, optional={name: st.sampled_from(choices) for name, choices in VALUES.items()})
bodies = st.builds(
    lambda status, fields: fields | {"status": status},
    st.sampled_from(STATUSES),
    st.fixed_dictionaries({name: st.sampled_from(choices) for name, choices in VALUES.items()}),
)
calls = st.builds(
    Call,
    campaign=st.integers(0, 2),
    operation=st.sampled_from([*CHANGES, *TRANSITIONS, "update"]),
    status=st.none() | st.sampled_from(STATUSES),
    values=values,
    if_match=st.sampled_from(["none", "none", "right", "right", "any", "stale"]),
)
filters = st.fixed_dictionaries(
    {},
    optional={
        "status": st.sampled_from(STATUSES),
        "priority": st.sampled_from(VALUES["priority"]),
        "is_active": st.sampled_from(["true", "false"]),
        "start_date": st.sampled_from(["2024-02-29", "2024-03-01", "2024-03-02"]),
        "end_date": st.sampled_from(["2024-12-30", "2024-12-31", "2025-01-01"]),
        "search": st.sampled_from(["SALE", "off", "%", "_", "a", "sale summer", "0%", "survey", "nowhere"]),
    },
)
SINGLE_FILTERS: list[dict[str, str]] = [
    {},
    *({"status": status} for status in STATUSES),
    *({"priority": priority} for priority in VALUES["priority"]),
    {"is_active": "true"},
    {"is_active": "false"},
    {"search": "sale"},
    {"start_date": "2024-03-01"},
    {"end_date": "2024-12-31"},
]

several = settings(derandomize=True, suppress_health_check=list(HealthCheck))


def _matches(body: Mapping[str, Any], wanted: Mapping[str, str]) -> bool:
    """The filters of the company's list, one campaign at a time."""
    text = f"{body['name']}\n{body['description'] or ''}".casefold()
    rules: dict[str, Callable[[str], bool]] = {
        "status": lambda status: body["status"] == status,
        "priority": lambda priority: body["priority"] == priority,
        "is_active": lambda active: (body["status"] == "active") == (active == "true"),
        "start_date": lambda day: body["start_date"] is not None and body["start_date"][:10] >= day,
        "end_date": lambda day: body["end_date"] is not None and body["end_date"][:10] <= day,
        "search": lambda words: all(word in text for word in words.casefold().split()),
    }
    return all(rules[name](value) for name, value in wanted.items())


async def _listed(api: CampaignApi, company: int, wanted: Mapping[str, str], path: str = "") -> dict[str, Any]:
    response = await api.client.get(
        f"/api/voice-campaigns/company/{company}{path}", params=wanted, headers=bearer(claims(company))
    )
    assert response.status_code == 200, response.text
    page: dict[str, Any] = response.json()
    return page


async def _call(api: CampaignApi, company: int, campaign: Modelled, call: Call) -> httpx.Response:
    tags = {"right": f'"{campaign.version}"', "stale": f'"{campaign.version + 1}"', "any": "*"}
    headers = {"If-Match": tags[call.if_match]} if call.if_match in tags else {}
    if call.operation == "update":
        body = {**campaign.body, **call.values, "status": call.status or campaign.body["status"]}
        return await api.put(campaign.id, body, company, headers=headers)
    if call.operation == "status":
        status = call.status or campaign.body["status"]
        return await api.patch(campaign.id, {"status": status}, company, headers=headers)
    if call.operation == "delete":
        return await api.delete(campaign.id, company, headers=headers)
    return await api.step(call.operation, campaign.id, company, headers=headers)


async def _created(api: CampaignApi, company: int, bodies: Sequence[Mapping[str, Any]]) -> list[Modelled]:
    created = [await api.create(smallest_body(company, **body)) for body in bodies]
    return [Modelled(campaign["id"], sent_again(campaign)) for campaign in created]


@settings(several, max_examples=60)
@given(
    first=st.lists(bodies, min_size=3, max_size=3),
    called=st.lists(calls, max_size=15),
    asked=st.lists(filters, max_size=5),
)
async def test_any_sequence_of_calls_leaves_what_the_model_says(
    campaign_api: CampaignApi, first: list[dict[str, Any]], called: list[Call], asked: list[dict[str, str]]
) -> None:
    company = new_company()
    campaigns = await _created(campaign_api, company, first)
    told: list[tuple[Any, ...]] = [(one.id, 1, "campaign.created.v1", one.body["status"], None) for one in campaigns]
    for call in called:
        campaign = campaigns[call.campaign]
        response = await _call(campaign_api, company, campaign, call)
        status, events = campaign.apply(call)
        assert response.status_code == status, (call, response.text)
        told += events

    assert _in_order([_told(event) for event in await campaign_api.events(company)]) == _in_order(told)
    await _agrees(campaign_api, company, campaigns, [*SINGLE_FILTERS, *asked])


async def _agrees(
    api: CampaignApi, company: int, campaigns: Sequence[Modelled], asked: Sequence[Mapping[str, str]]
) -> None:
    """Every way to read shows what the model has."""
    there = [campaign for campaign in campaigns if not campaign.deleted]
    for campaign in campaigns:
        response = await api.get(f"/{campaign.id}", company)
        assert response.status_code == (404 if campaign.deleted else 200)
        if not campaign.deleted:
            shown = response.json()
            assert (sent_again(shown), shown["version"]) == (campaign.body, campaign.version)
    assert [campaign["id"] for campaign in (await api.get("", company)).json()] == [one.id for one in there]
    for wanted in asked:
        page = await _listed(api, company, wanted)
        matching = [one.id for one in there if _matches(one.body, wanted)]
        assert ([campaign["id"] for campaign in page["data"]], page["total"]) == (matching[::-1], len(matching)), wanted
    active = await _listed(api, company, {}, "/active")
    running = [one.id for one in there if one.body["status"] == "active"]
    assert ([campaign["id"] for campaign in active["data"]], active["total"]) == (running[::-1], len(running))


# What goes wrong only now and then cannot be made smaller by trying again.
@settings(several, max_examples=40, phases=[Phase.generate])
@given(
    first=st.lists(bodies, min_size=3, max_size=5),
    batches=st.lists(st.lists(calls | bodies, min_size=2, max_size=12), min_size=1, max_size=3),
    asked=st.lists(filters, max_size=8),
)
async def test_totals_are_naive_counts_after_calls_at_once(
    campaign_api: CampaignApi,
    first: list[dict[str, Any]],
    batches: list[list[Call | dict[str, Any]]],
    asked: list[dict[str, str]],
) -> None:
    company = new_company()
    campaigns = await _created(campaign_api, company, first)

    async def do(what: Call | dict[str, Any]) -> None:
        if isinstance(what, dict):
            response = await campaign_api.post(smallest_body(company, **what), company)
        else:
            response = await _call(campaign_api, company, campaigns[what.campaign], what)
        assert response.status_code in {200, 201, 404, 409, 412}, response.text

    for batch in batches:
        await asyncio.gather(*(do(what) for what in batch))

    rows = await campaign_api.rows(
        "SELECT name, description, status::text, priority::text, to_char(start_date, 'YYYY-MM-DD') start_date,"
        " to_char(end_date, 'YYYY-MM-DD') end_date FROM campaigns WHERE company_id = $1 AND deleted_at IS NULL",
        company,
    )
    for wanted in [*SINGLE_FILTERS, *asked]:
        matching = sum(_matches(row, wanted) for row in rows)
        page = await _listed(campaign_api, company, wanted)
        assert (page["total"], len(page["data"])) == (matching, matching), wanted
    for priority in (None, *VALUES["priority"]):
        wanted = {"priority": priority} if priority else {}
        active = await _listed(campaign_api, company, wanted, "/active")
        assert active["total"] == sum(_matches(row, wanted | {"status": "active"}) for row in rows)
    _is_a_legal_history(await campaign_api.events(company))


def _is_a_legal_history(events: Sequence[Envelope]) -> None:
    """Of each campaign: versions without a gap, each change of status legal and from where the last one led."""
    told = sorted(map(_told, events), key=lambda event: event[:2])
    for _, of_one in itertools.groupby(told, lambda event: event[0]):
        status: str | None = None
        version = 0
        for (_, next_version), same in itertools.groupby(of_one, lambda event: event[:2]):
            assert next_version == version + 1
            version = next_version
            kinds = {kind: (previous, to) for _, _, kind, to, previous in same}
            changed = kinds.pop("campaign.status_changed.v1", None)
            if changed:
                assert changed[0] == status
                assert changed in ALLOWED_TRANSITIONS
                status = changed[1]
            for _, to in kinds.values():
                assert version == 1 or to == status
                status = to


@asynccontextmanager
async def _held(api: CampaignApi, campaign_id: int) -> AsyncIterator[Callable[[int], Any]]:
    """Keep anyone from changing a campaign; gives a wait for how many are about to. They go on after the block."""
    async with api.database.acquire() as holder, holder.transaction():
        await holder.execute("SELECT FROM campaigns WHERE id = $1 FOR UPDATE", campaign_id)

        async def waiting(number: int) -> None:
            async def all_wait() -> bool:
                return await _waiting_updates(api) == number

            await eventually(all_wait)

        yield waiting


async def _waiting_updates(api: CampaignApi) -> int:
    """How many sessions of the API wait for a row that they want to change."""
    rows: Sequence[asyncpg.Record] = await api.rows(
        "SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'campaign-api'"
        " AND wait_event_type = 'Lock' AND query ILIKE 'UPDATE%campaigns%'"
    )
    return len(rows)


RACES = {
    "start, start": ("draft", "start", "start"),
    "start, status": ("draft", "start", "status"),
    "start, delete": ("draft", "start", "delete"),
    "start, update": ("draft", "start", "update"),
    "pause, complete": ("active", "pause", "complete"),
    "pause, update": ("active", "pause", "update"),
    "complete, complete": ("active", "complete", "complete"),
    "resume, complete": ("paused", "resume", "complete"),
    "resume, delete": ("paused", "resume", "delete"),
    "update, update": ("draft", "update", "update"),
    "delete, delete": ("completed", "delete", "delete"),
    "delete, update": ("paused", "delete", "update"),
}


@pytest.mark.parametrize(("status", "first", "second"), RACES.values(), ids=RACES)
async def test_of_two_changes_of_one_version_exactly_one_is_made(
    campaign_api: CampaignApi, company: int, status: str, first: str, second: str
) -> None:
    campaign = await campaign_api.create(smallest_body(company, status=status))
    async with _held(campaign_api, campaign["id"]) as waiting:
        tasks = []
        for number, operation in enumerate((first, second), 1):
            tasks.append(asyncio.create_task(campaign_api.attempt(CHANGES[operation], campaign)))
            await waiting(number)
    responses = [await task for task in tasks]

    assert sorted(response.status_code for response in responses) == [200, 409]
    [loser] = [response for response in responses if response.status_code == 409]
    assert loser.json()["message"] == MEANWHILE
    assert loser.json().keys() == {"message", "error"}
    assert "ETag" not in loser.headers
    [row] = await campaign_api.rows("SELECT version FROM campaigns WHERE id = $1", campaign["id"])
    assert row["version"] == 2
    _, *events = await campaign_api.events(company)
    assert [_told(event)[1] for event in events] == [2]


async def test_of_two_updates_at_once_nothing_of_the_loser_is_kept(campaign_api: CampaignApi, company: int) -> None:
    campaign = await campaign_api.create(smallest_body(company))
    async with _held(campaign_api, campaign["id"]) as waiting:
        tasks = [
            asyncio.create_task(campaign_api.put(campaign["id"], sent_again(campaign, **changes), company))
            for changes in ({"name": "First"}, {"notes": "Second"})
        ]
        await waiting(2)
    responses = [await task for task in tasks]

    shown = await campaign_api.shown(campaign)
    made = [response.status_code == 200 for response in responses]
    assert sorted(made) == [False, True]
    assert [shown["name"] == "First", shown["notes"] == "Second"] == made


async def test_a_change_that_lost_can_be_made_again(campaign_api: CampaignApi, company: int) -> None:
    campaign = await campaign_api.create(smallest_body(company, status="active"))
    async with _held(campaign_api, campaign["id"]) as waiting:
        pause = asyncio.create_task(campaign_api.step("pause", campaign["id"], company))
        await waiting(1)
        update = asyncio.create_task(campaign_api.put(campaign["id"], sent_again(campaign, notes="New"), company))
        await waiting(2)
    assert {(await pause).status_code, (await update).status_code} == {200, 409}
    again = sent_again(await campaign_api.shown(campaign), notes="New", status="paused")
    assert (await campaign_api.put(campaign["id"], again, company)).status_code == 200
    shown = await campaign_api.shown(campaign)
    assert (shown["status"], shown["notes"]) == ("paused", "New")


async def test_what_changes_nothing_waits_for_no_one(campaign_api: CampaignApi, company: int) -> None:
    campaign = await campaign_api.create(smallest_body(company))
    async with _held(campaign_api, campaign["id"]):
        for request in (
            campaign_api.put(campaign["id"], sent_again(campaign), company),
            campaign_api.patch(campaign["id"], {"status": "draft"}, company),
            campaign_api.get(f"/{campaign['id']}", company),
            campaign_api.get(f"/company/{company}", company),
        ):
            assert (await asyncio.wait_for(request, 5)).status_code == 200


async def test_start_and_pause_at_once_are_as_one_after_the_other(campaign_api: CampaignApi, company: int) -> None:
    for _ in range(20):
        campaign = await campaign_api.create(smallest_body(company))
        start, pause = await asyncio.gather(
            campaign_api.step("start", campaign["id"], company), campaign_api.step("pause", campaign["id"], company)
        )
        shown = await campaign_api.shown(campaign)
        assert start.status_code == 200
        assert (pause.status_code, shown["status"], shown["version"]) in {(200, "paused", 3), (409, "active", 2)}
    _is_a_legal_history(await campaign_api.events(company))


@pytest.mark.parametrize("seed", range(5))
async def test_of_many_steps_at_once_each_that_is_taken_is_legal_after_the_one_before(
    campaign_api: CampaignApi, company: int, seed: int
) -> None:
    campaign = await campaign_api.create(smallest_body(company))
    names = random.Random(seed).choices([*TRANSITIONS, "start", "pause", "resume"], k=60)
    responses = await asyncio.gather(*(campaign_api.step(name, campaign["id"], company) for name in names))

    assert {response.status_code for response in responses} <= {200, 409}
    taken = sorted(
        (int(response.headers["ETag"].strip('"')), response.json()["data"]["status"])
        for response in responses
        if response.status_code == 200
    )
    assert [version for version, _ in taken] == list(range(2, len(taken) + 2))
    path = ["draft", *(status for _, status in taken)]
    assert set(itertools.pairwise(path)) <= ALLOWED_TRANSITIONS
    changes = [CampaignStatusChanged.model_validate(event.data) for event in (await campaign_api.events(company))[1:]]
    told = sorted((change.campaign.version, change.previous_status, change.campaign.status) for change in changes)
    assert told == [(version, *step) for version, step in enumerate(itertools.pairwise(path), 2)]
    shown = await campaign_api.shown(campaign)
    assert (shown["status"], shown["version"]) == (path[-1], len(path))


async def test_of_many_updates_at_once_each_that_is_made_is_a_version(campaign_api: CampaignApi, company: int) -> None:
    campaign = await campaign_api.create(smallest_body(company))
    responses = await asyncio.gather(
        *(
            campaign_api.put(campaign["id"], sent_again(campaign, name=f"Name {number}"), company)
            for number in range(30)
        )
    )
    made = [number for number, response in enumerate(responses) if response.status_code == 200]
    assert made
    assert {response.status_code for response in responses} <= {200, 409}
    names = [event.data["campaign"] for event in await campaign_api.events(company)][1:]
    assert sorted(one["version"] for one in names if isinstance(one, dict)) == list(range(2, len(made) + 2))
    assert {one["name"] for one in names if isinstance(one, dict)} == {f"Name {number}" for number in made}


async def test_deletions_at_once_are_one_deletion(campaign_api: CampaignApi, company: int) -> None:
    campaign = await campaign_api.create(smallest_body(company))
    responses = await asyncio.gather(*(campaign_api.delete(campaign["id"], company) for _ in range(10)))
    statuses = [response.status_code for response in responses]
    assert statuses.count(200) == 1
    assert set(statuses) <= {200, 404, 409}
    assert [event.type for event in await campaign_api.events(company)] == [
        "campaign.created.v1",
        "campaign.deleted.v1",
    ]
