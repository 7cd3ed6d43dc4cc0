"""The lifecycle under any sequence of calls, consecutive and concurrent, compared with a model."""

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
    as_body,
    bearer,
    claims,
    new_company,
    smallest_body,
)
from tests.fixtures.waiting import eventually

CHANGED_CONCURRENTLY = "Voice campaign was changed meanwhile"

VALUES: dict[str, list[Any]] = {
    "name": ["Alpha Survey", "beta sale", "100% OFF_er"],
    "description": [None, "The summer sale", "50 off"],
    "priority": ["low", "medium", "high"],
    "start_date": [None, "2024-02-29T23:59:59Z", "2024-03-01T00:00:00Z"],
    "end_date": [None, "2024-12-31T23:59:59Z", "2025-01-01T00:00:00Z"],
}
"""The values in which generated campaigns differ."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call on one of a company's campaigns."""

    campaign: int
    """Its index among them."""
    operation: str
    status: str | None
    """The status that PATCH and PUT set; None for the current one."""
    values: Mapping[str, Any]
    """The other values that PUT sets."""
    if_match: str
    """``none``, ``right``, ``stale`` or ``any``."""


@dataclass(slots=True)
class Modelled:
    """The expected state of a campaign."""

    id: int
    body: dict[str, Any]
    version: int = 1
    deleted: bool = False

    def apply(self, call: Call) -> tuple[int, list[tuple[Any, ...]]]:
        """Apply a call; return the response status and the emitted events as ``_event_key`` returns them."""
        if self.deleted:
            return 404, []
        if call.if_match == "stale":
            return 412, []
        source = self.body["status"]
        target = self._target(call)
        if call.operation == "delete":
            if source == "active":
                return 409, []
            self.deleted = True
            return 200, self._next_version(target, "deleted")
        if call.operation in TRANSITIONS and source not in TRANSITIONS[call.operation].sources:
            return 409, []
        if call.operation == "update" and source == "completed":
            return 409, []
        if target["status"] != source and (source, target["status"]) not in ALLOWED_TRANSITIONS:
            return 409, []
        kinds = ["status_changed"] if target["status"] != source else []
        if target | {"status": source} != self.body:
            kinds.append("updated")
        return 200, self._next_version(target, *kinds)

    def _target(self, call: Call) -> dict[str, Any]:
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


def _event_key(event: Envelope) -> tuple[Any, ...]:
    campaign: Any = event.data["campaign"]
    return campaign["id"], campaign["version"], event.type, campaign["status"], event.data.get("previous_status")


def _by_version(events: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Sort the events of each version; the order of versions is unchanged."""
    return [event for _, same in itertools.groupby(events, lambda event: event[:2]) for event in sorted(same, key=str)]


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


def _matches(body: Mapping[str, Any], query: Mapping[str, str]) -> bool:
    """Return whether one campaign matches the filters of the company's list."""
    text = f"{body['name']}\n{body['description'] or ''}".casefold()
    rules: dict[str, Callable[[str], bool]] = {
        "status": lambda status: body["status"] == status,
        "priority": lambda priority: body["priority"] == priority,
        "is_active": lambda active: (body["status"] == "active") == (active == "true"),
        "start_date": lambda day: body["start_date"] is not None and body["start_date"][:10] >= day,
        "end_date": lambda day: body["end_date"] is not None and body["end_date"][:10] <= day,
        "search": lambda words: all(word in text for word in words.casefold().split()),
    }
    return all(rules[name](value) for name, value in query.items())


async def _listed(api: CampaignApi, company: int, query: Mapping[str, str], path: str = "") -> dict[str, Any]:
    response = await api.client.get(
        f"/api/voice-campaigns/company/{company}{path}", params=query, headers=bearer(claims(company))
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
    return await api.transition(call.operation, campaign.id, company, headers=headers)


async def _created(api: CampaignApi, company: int, bodies: Sequence[Mapping[str, Any]]) -> list[Modelled]:
    created = [await api.create(smallest_body(company, **body)) for body in bodies]
    return [Modelled(campaign["id"], as_body(campaign)) for campaign in created]


@settings(several, max_examples=60)
@given(
    first=st.lists(bodies, min_size=3, max_size=3),
    called=st.lists(calls, max_size=15),
    filter_sets=st.lists(filters, max_size=5),
)
async def test_any_sequence_of_calls_agrees_with_the_model(
    campaign_api: CampaignApi, first: list[dict[str, Any]], called: list[Call], filter_sets: list[dict[str, str]]
) -> None:
    company = new_company()
    campaigns = await _created(campaign_api, company, first)
    expected: list[tuple[Any, ...]] = [
        (one.id, 1, "campaign.created.v1", one.body["status"], None) for one in campaigns
    ]
    for call in called:
        campaign = campaigns[call.campaign]
        response = await _call(campaign_api, company, campaign, call)
        status, events = campaign.apply(call)
        assert response.status_code == status, (call, response.text)
        expected += events

    assert _by_version([_event_key(event) for event in await campaign_api.events(company)]) == _by_version(expected)
    await _agrees(campaign_api, company, campaigns, [*SINGLE_FILTERS, *filter_sets])


async def _agrees(
    api: CampaignApi, company: int, campaigns: Sequence[Modelled], filter_sets: Sequence[Mapping[str, str]]
) -> None:
    """Assert that every read agrees with the model."""
    existing = [campaign for campaign in campaigns if not campaign.deleted]
    for campaign in campaigns:
        response = await api.get(f"/{campaign.id}", company)
        assert response.status_code == (404 if campaign.deleted else 200)
        if not campaign.deleted:
            current = response.json()
            assert (as_body(current), current["version"]) == (campaign.body, campaign.version)
    assert [campaign["id"] for campaign in (await api.get("", company)).json()] == [one.id for one in existing]
    for query in filter_sets:
        page = await _listed(api, company, query)
        matching = [one.id for one in existing if _matches(one.body, query)]
        assert ([campaign["id"] for campaign in page["data"]], page["total"]) == (matching[::-1], len(matching)), query
    active = await _listed(api, company, {}, "/active")
    running = [one.id for one in existing if one.body["status"] == "active"]
    assert ([campaign["id"] for campaign in active["data"]], active["total"]) == (running[::-1], len(running))


# A failure that depends on timing cannot be shrunk by repetition.
@settings(several, max_examples=40, phases=[Phase.generate])
@given(
    first=st.lists(bodies, min_size=3, max_size=5),
    batches=st.lists(st.lists(calls | bodies, min_size=2, max_size=12), min_size=1, max_size=3),
    filter_sets=st.lists(filters, max_size=8),
)
async def test_totals_equal_naive_counts_after_concurrent_calls(
    campaign_api: CampaignApi,
    first: list[dict[str, Any]],
    batches: list[list[Call | dict[str, Any]]],
    filter_sets: list[dict[str, str]],
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
    for query in [*SINGLE_FILTERS, *filter_sets]:
        matching = sum(_matches(row, query) for row in rows)
        page = await _listed(campaign_api, company, query)
        assert (page["total"], len(page["data"])) == (matching, matching), query
    for priority in (None, *VALUES["priority"]):
        query = {"priority": priority} if priority else {}
        active = await _listed(campaign_api, company, query, "/active")
        assert active["total"] == sum(_matches(row, query | {"status": "active"}) for row in rows)
    _is_a_legal_history(await campaign_api.events(company))


def _is_a_legal_history(events: Sequence[Envelope]) -> None:
    """Assert of each campaign: no gap in versions, and each change of status is legal and starts at the last one."""
    keys = sorted(map(_event_key, events), key=lambda event: event[:2])
    for _, of_one in itertools.groupby(keys, lambda event: event[0]):
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
async def _locked(api: CampaignApi, campaign_id: int) -> AsyncIterator[Callable[[int], Any]]:
    """Lock a campaign's row for the block; yield a function that waits until so many requests wait for the lock."""
    async with api.database.acquire() as holder, holder.transaction():
        await holder.execute("SELECT FROM campaigns WHERE id = $1 FOR UPDATE", campaign_id)

        async def waiting(number: int) -> None:
            async def all_wait() -> bool:
                return await _waiting_updates(api) == number

            await eventually(all_wait)

        yield waiting


async def _waiting_updates(api: CampaignApi) -> int:
    """Return how many sessions of the API wait for a row lock to update a campaign."""
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
    async with _locked(campaign_api, campaign["id"]) as waiting:
        tasks = []
        for number, operation in enumerate((first, second), 1):
            tasks.append(asyncio.create_task(campaign_api.attempt(CHANGES[operation], campaign)))
            await waiting(number)
    responses = [await task for task in tasks]

    assert sorted(response.status_code for response in responses) == [200, 409]
    [loser] = [response for response in responses if response.status_code == 409]
    assert loser.json()["message"] == CHANGED_CONCURRENTLY
    assert loser.json().keys() == {"message", "error"}
    assert "ETag" not in loser.headers
    [row] = await campaign_api.rows("SELECT version FROM campaigns WHERE id = $1", campaign["id"])
    assert row["version"] == 2
    _, *events = await campaign_api.events(company)
    assert [_event_key(event)[1] for event in events] == [2]


async def test_of_two_concurrent_updates_the_rejected_one_changes_nothing(
    campaign_api: CampaignApi, company: int
) -> None:
    campaign = await campaign_api.create(smallest_body(company))
    async with _locked(campaign_api, campaign["id"]) as waiting:
        tasks = [
            asyncio.create_task(campaign_api.put(campaign["id"], as_body(campaign, **changes), company))
            for changes in ({"name": "First"}, {"notes": "Second"})
        ]
        await waiting(2)
    responses = [await task for task in tasks]

    current = await campaign_api.read(campaign)
    made = [response.status_code == 200 for response in responses]
    assert sorted(made) == [False, True]
    assert [current["name"] == "First", current["notes"] == "Second"] == made


async def test_a_rejected_concurrent_change_can_be_retried(campaign_api: CampaignApi, company: int) -> None:
    campaign = await campaign_api.create(smallest_body(company, status="active"))
    async with _locked(campaign_api, campaign["id"]) as waiting:
        pause = asyncio.create_task(campaign_api.transition("pause", campaign["id"], company))
        await waiting(1)
        update = asyncio.create_task(campaign_api.put(campaign["id"], as_body(campaign, notes="New"), company))
        await waiting(2)
    assert {(await pause).status_code, (await update).status_code} == {200, 409}
    again = as_body(await campaign_api.read(campaign), notes="New", status="paused")
    assert (await campaign_api.put(campaign["id"], again, company)).status_code == 200
    current = await campaign_api.read(campaign)
    assert (current["status"], current["notes"]) == ("paused", "New")


async def test_a_request_that_changes_nothing_waits_for_no_lock(campaign_api: CampaignApi, company: int) -> None:
    campaign = await campaign_api.create(smallest_body(company))
    async with _locked(campaign_api, campaign["id"]):
        for request in (
            campaign_api.put(campaign["id"], as_body(campaign), company),
            campaign_api.patch(campaign["id"], {"status": "draft"}, company),
            campaign_api.get(f"/{campaign['id']}", company),
            campaign_api.get(f"/company/{company}", company),
        ):
            assert (await asyncio.wait_for(request, 5)).status_code == 200


async def test_concurrent_start_and_pause_are_serialized(campaign_api: CampaignApi, company: int) -> None:
    for _ in range(20):
        campaign = await campaign_api.create(smallest_body(company))
        start, pause = await asyncio.gather(
            campaign_api.transition("start", campaign["id"], company),
            campaign_api.transition("pause", campaign["id"], company),
        )
        current = await campaign_api.read(campaign)
        assert start.status_code == 200
        assert (pause.status_code, current["status"], current["version"]) in {(200, "paused", 3), (409, "active", 2)}
    _is_a_legal_history(await campaign_api.events(company))


@pytest.mark.parametrize("seed", range(5))
async def test_many_concurrent_transitions_form_a_legal_history(
    campaign_api: CampaignApi, company: int, seed: int
) -> None:
    campaign = await campaign_api.create(smallest_body(company))
    names = random.Random(seed).choices([*TRANSITIONS, "start", "pause", "resume"], k=60)
    responses = await asyncio.gather(*(campaign_api.transition(name, campaign["id"], company) for name in names))

    assert {response.status_code for response in responses} <= {200, 409}
    made = sorted(
        (int(response.headers["ETag"].strip('"')), response.json()["data"]["status"])
        for response in responses
        if response.status_code == 200
    )
    assert [version for version, _ in made] == list(range(2, len(made) + 2))
    path = ["draft", *(status for _, status in made)]
    assert set(itertools.pairwise(path)) <= ALLOWED_TRANSITIONS
    changes = [CampaignStatusChanged.model_validate(event.data) for event in (await campaign_api.events(company))[1:]]
    emitted = sorted((change.campaign.version, change.previous_status, change.campaign.status) for change in changes)
    assert emitted == [(version, *statuses) for version, statuses in enumerate(itertools.pairwise(path), 2)]
    current = await campaign_api.read(campaign)
    assert (current["status"], current["version"]) == (path[-1], len(path))


async def test_each_of_many_concurrent_updates_that_is_made_is_a_version(
    campaign_api: CampaignApi, company: int
) -> None:
    campaign = await campaign_api.create(smallest_body(company))
    responses = await asyncio.gather(
        *(campaign_api.put(campaign["id"], as_body(campaign, name=f"Name {number}"), company) for number in range(30))
    )
    made = [number for number, response in enumerate(responses) if response.status_code == 200]
    assert made
    assert {response.status_code for response in responses} <= {200, 409}
    names = [event.data["campaign"] for event in await campaign_api.events(company)][1:]
    assert sorted(one["version"] for one in names if isinstance(one, dict)) == list(range(2, len(made) + 2))
    assert {one["name"] for one in names if isinstance(one, dict)} == {f"Name {number}" for number in made}


async def test_concurrent_deletions_are_one_deletion(campaign_api: CampaignApi, company: int) -> None:
    campaign = await campaign_api.create(smallest_body(company))
    responses = await asyncio.gather(*(campaign_api.delete(campaign["id"], company) for _ in range(10)))
    statuses = [response.status_code for response in responses]
    assert statuses.count(200) == 1
    assert set(statuses) <= {200, 404, 409}
    assert [event.type for event in await campaign_api.events(company)] == [
        "campaign.created.v1",
        "campaign.deleted.v1",
    ]
