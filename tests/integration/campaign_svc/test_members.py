"""Changes of members: each emits its event in its transaction and is a version of its own, also when concurrent."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx
import orjson
import pytest
from structlog.testing import capture_logs

from shared.events.catalogue import CATALOGUE
from shared.events.envelope import parse
from tests.fixtures.campaigns import CampaignApi
from tests.fixtures.waiting import eventually

JOHN = 124


async def _put(api: CampaignApi, company: int, name: str = "John Smith") -> httpx.Response:
    return await api.send("PUT", f"/company/{company}/members/{JOHN}", company, body={"name": name})


async def _delete(api: CampaignApi, company: int) -> httpx.Response:
    return await api.send("DELETE", f"/company/{company}/members/{JOHN}", company)


async def _emitted(api: CampaignApi, company: int) -> list[tuple[Any, ...]]:
    """Return kind, version and name of each event, in order."""
    members = [(event.type, event.data["member"]) for event in await api.events(company)]
    return [
        (kind.removeprefix("member.").removesuffix(".v1"), member["version"], member["name"])
        for kind, member in members
        if isinstance(member, dict)
    ]


@pytest.mark.parametrize("kind", ["created", "changed", "deleted"])
async def test_the_event_of_a_change_matches_the_catalogue(campaign_api: CampaignApi, company: int, kind: str) -> None:
    await _put(campaign_api, company)
    if kind == "changed":
        await _put(campaign_api, company, "John Miller")
    if kind == "deleted":
        await _delete(campaign_api, company)
    [*_, row] = await campaign_api.rows("SELECT * FROM outbox WHERE company_id = $1 ORDER BY id", company)
    [member] = await campaign_api.rows("SELECT * FROM members WHERE company_id = $1", company)

    event_type = "member.deleted.v1" if kind == "deleted" else "member.updated.v1"
    assert (row["exchange"], row["routing_key"]) == ("voice.events", event_type)
    event = parse(row["body"])
    assert event.id == row["event_id"]
    assert (event.type, event.source, event.companyid) == (event_type, "/campaign-svc", company)
    CATALOGUE[event.type].model_validate_json(orjson.dumps(event.data), strict=True)
    assert event.data == {
        "member": {
            "id": JOHN,
            "company_id": company,
            "version": 1 if kind == "created" else 2,
            "name": "John Miller" if kind == "changed" else "John Smith",
            "updated_at": member["updated_at"].isoformat().replace("+00:00", "Z"),
        }
    }


async def test_the_versions_of_a_member_continue_after_a_deletion(campaign_api: CampaignApi, company: int) -> None:
    """Otherwise a consumer that has applied the deletion would drop later events as stale."""
    for name in ("John Smith", "John Miller"):
        await _put(campaign_api, company, name)
    await _delete(campaign_api, company)
    await _put(campaign_api, company, "John Miller")
    await _put(campaign_api, company, "John Smith")
    assert await _emitted(campaign_api, company) == [
        ("updated", 1, "John Smith"),
        ("updated", 2, "John Miller"),
        ("deleted", 3, "John Miller"),
        ("updated", 4, "John Miller"),
        ("updated", 5, "John Smith"),
    ]


@pytest.mark.parametrize("change", [_put, _delete], ids=["put", "delete"])
async def test_an_event_that_cannot_be_stored_undoes_the_change(
    campaign_api: CampaignApi, company: int, change: Callable[[CampaignApi, int], Awaitable[httpx.Response]]
) -> None:
    if change is _delete:
        await _put(campaign_api, company)
    members = "SELECT * FROM members WHERE company_id = $1"
    before = await campaign_api.rows(members, company)
    await campaign_api.rows(f"ALTER TABLE outbox ADD CONSTRAINT refused CHECK (company_id <> {company}) NOT VALID")
    try:
        with capture_logs():
            response = await change(campaign_api, company)
    finally:
        await campaign_api.rows("ALTER TABLE outbox DROP CONSTRAINT refused")
    assert response.status_code == 500
    assert await campaign_api.rows(members, company) == before


@asynccontextmanager
async def _locked(api: CampaignApi, company: int) -> AsyncIterator[Callable[[int], Any]]:
    """Lock John's row for the block; yield a function that waits until so many requests wait for the lock.

    Without a row, its key is locked; it is free again when the block ends.
    """
    async with api.database.acquire() as holder:
        transaction = holder.transaction()
        await transaction.start()
        await holder.execute(
            "INSERT INTO members (company_id, id, version, name) VALUES ($1, $2, 1, 'Holder')"
            " ON CONFLICT (company_id, id) DO UPDATE SET name = members.name",
            company,
            JOHN,
        )

        async def waiting(number: int) -> None:
            async def all_wait() -> bool:
                rows: Sequence[object] = await api.rows(
                    "SELECT FROM pg_stat_activity WHERE datname = current_database()"
                    " AND application_name = 'campaign-api' AND wait_event_type = 'Lock' AND query LIKE '%members%'"
                )
                return len(rows) == number

            await eventually(all_wait)

        try:
            yield waiting
        finally:
            await transaction.rollback()


@pytest.mark.parametrize("start", ["new", "there", "deleted"])
async def test_two_concurrent_puts_are_made_one_after_the_other(
    campaign_api: CampaignApi, company: int, start: str
) -> None:
    if start != "new":
        await _put(campaign_api, company)
    if start == "deleted":
        await _delete(campaign_api, company)
    before = await _emitted(campaign_api, company)
    names = ["First", "Second"]
    async with _locked(campaign_api, company) as waiting:
        tasks = []
        for number, name in enumerate(names, 1):
            tasks.append(asyncio.create_task(_put(campaign_api, company, name)))
            await waiting(number)
    responses = [await task for task in tasks]

    assert sorted(response.status_code for response in responses) == ([200, 200] if start == "there" else [200, 201])
    assert [response.json()["data"]["name"] for response in responses] == names
    emitted = (await _emitted(campaign_api, company))[len(before) :]
    assert [(kind, version) for kind, version, _ in emitted] == [
        ("updated", len(before) + 1),
        ("updated", len(before) + 2),
    ]
    assert sorted(name for *_, name in emitted) == names
    [row] = await campaign_api.rows("SELECT * FROM members WHERE company_id = $1", company)
    assert (row["version"], row["name"]) == emitted[-1][1:]


async def test_a_change_that_waited_for_another_has_a_later_time(campaign_api: CampaignApi, company: int) -> None:
    await _put(campaign_api, company)
    async with _locked(campaign_api, company) as waiting:
        delete = asyncio.create_task(_delete(campaign_api, company))
        await waiting(1)
        put = asyncio.create_task(_put(campaign_api, company, "John Miller"))
        await waiting(2)
        [clock] = await campaign_api.rows("SELECT clock_timestamp() AS now")
    assert {(await delete).status_code, (await put).status_code} <= {200, 201}
    events = await campaign_api.rows("SELECT body FROM outbox WHERE company_id = $1 ORDER BY id", company)
    times = [orjson.loads(row["body"])["data"]["member"]["updated_at"] for row in events]
    assert times == sorted(times)
    assert times[1] > clock["now"].isoformat()


async def test_concurrent_puts_of_one_name_are_one_change(campaign_api: CampaignApi, company: int) -> None:
    responses = await asyncio.gather(*(_put(campaign_api, company) for _ in range(8)))
    assert sorted(response.status_code for response in responses) == [200] * 7 + [201]
    assert await _emitted(campaign_api, company) == [("updated", 1, "John Smith")]


async def test_concurrent_deletions_are_one_deletion(campaign_api: CampaignApi, company: int) -> None:
    await _put(campaign_api, company)
    responses = await asyncio.gather(*(_delete(campaign_api, company) for _ in range(8)))
    assert sorted(response.status_code for response in responses) == [200] + [404] * 7
    assert [kind for kind, *_ in await _emitted(campaign_api, company)] == ["updated", "deleted"]


async def test_many_concurrent_changes_are_consecutive_versions(campaign_api: CampaignApi, company: int) -> None:
    changes = [_put(campaign_api, company, f"Name {number}") for number in range(30)]
    deletions = [_delete(campaign_api, company) for _ in range(10)]
    pairs = itertools.zip_longest(changes, deletions)
    responses = await asyncio.gather(*(change for pair in pairs for change in pair if change is not None))

    made = [response for response in responses if response.status_code != 404]
    assert {response.status_code for response in made} <= {200, 201}
    emitted = await _emitted(campaign_api, company)
    assert [version for _, version, _ in emitted] == list(range(1, len(made) + 1))
    kinds = [kind for kind, *_ in emitted]
    deleted_before = [True, *(kind == "deleted" for kind in kinds[:-1])]
    created = [kind == "updated" and before for kind, before in zip(kinds, deleted_before, strict=True)]
    assert sum(created) == sum(response.status_code == 201 for response in responses)
    assert not any(kind == "deleted" and before for kind, before in zip(kinds, deleted_before, strict=True))
    [row] = await campaign_api.rows("SELECT * FROM members WHERE company_id = $1", company)
    assert (row["version"], row["name"], row["deleted_at"] is None) == (*emitted[-1][1:], kinds[-1] == "updated")
