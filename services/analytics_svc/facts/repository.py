"""Stores facts: one statement a kind and batch, whatever the order they come in and however often.

A row goes in as one element of each column's array (``unnest``), so a statement has as many parameters as the table has
columns, is prepared once, and takes one row or fifty thousand. Rows go in the order of their keys.
"""

from collections.abc import Collection, Mapping, Sequence
from operator import attrgetter
from typing import Any, Final, TypeVar

import orjson
from sqlalchemy import ARRAY, Column, Dialect, Table
from sqlalchemy.dialects import postgresql

from services.analytics_svc.facts.event_mapping import (
    Assignment,
    CallFact,
    CampaignFact,
    ConversionFact,
    LeadFact,
    MemberFact,
    Terms,
)
from services.analytics_svc.tables import (
    calls,
    campaign_terms,
    campaigns,
    lead_assignments,
    lead_conversions,
    leads,
    members,
)
from shared.database.engine import Driver

WRITER_LOCK: Final = 7_060_003
FACTS: Final = (
    "calls",
    "campaign_words",
    "campaign_terms",
    "campaigns",
    "lead_assignments",
    "lead_contacts",
    "lead_conversions",
    "leads",
    "members",
)

_POSTGRESQL: Final[Dialect] = postgresql.dialect()  # type: ignore[no-untyped-call]

K = TypeVar("K", int, tuple[int, int])
F = TypeVar("F")


async def begin_writing(driver: Driver) -> None:
    """Lock facts and roll-ups for this transaction and force plans that find rows by their keys."""
    # One round trip for both: every batch begins with it.
    await driver.execute(f"{_LOCK_WRITER}; {_FORCE_INDEX_PLANS}")


async def store_campaigns(driver: Driver, facts: Mapping[int, CampaignFact]) -> None:
    """Keep each campaign, unless what is stored is as new or newer."""
    await driver.execute(_STORE_CAMPAIGNS, *_columns(campaigns, _in_order(facts)))


async def calls_under(driver: Driver, terms: Mapping[tuple[int, int], Terms]) -> list[int]:
    """Ids of the calls of the same campaigns that started after the beginning of these terms."""
    campaign_ids = [campaign_id for campaign_id, _ in terms]
    found = await driver.fetch(_CALLS_UNDER, campaign_ids, [each.since for each in terms.values()])
    return [row["id"] for row in found]


async def store_terms(driver: Driver, facts: Mapping[tuple[int, int], Terms]) -> None:
    """Add the terms that are new."""
    await driver.execute(_STORE_TERMS, *_columns(campaign_terms, _in_order(facts)))


async def store_leads(driver: Driver, facts: Mapping[int, LeadFact]) -> None:
    """Keep each lead, unless what is stored is as new or newer; once deleted it stays so."""
    await driver.execute(_STORE_LEADS, *_columns(leads, _in_order(facts)))


async def delete_leads(driver: Driver, ids: Collection[int]) -> None:
    """Mark leads, which are stored, as deleted."""
    await driver.execute(_DELETE_LEADS, sorted(ids))


async def store_assignments(driver: Driver, facts: Mapping[tuple[int, int], Assignment]) -> None:
    """Add the assignments that are new."""
    await driver.execute(_STORE_ASSIGNMENTS, *_columns(lead_assignments, _in_order(facts)))


async def store_conversions(driver: Driver, facts: Mapping[int, ConversionFact]) -> None:
    """Keep what each lead was converted for, unless what is stored is as new or newer."""
    await driver.execute(_STORE_CONVERSIONS, *_columns(lead_conversions, _in_order(facts)))


async def store_calls(driver: Driver, facts: Mapping[int, CallFact]) -> None:
    """Add the calls that are new, with what they say of their leads, and the words that occur in them."""
    ordered = _in_order(facts)
    rows = await driver.fetch(_STORE_CALLS, *_columns(calls, ordered))
    fresh = {row["id"] for row in rows}
    added = [call for call in ordered if call.id in fresh]
    if not added:
        return
    await driver.execute(_COUNT_CONTACTS, [call.lead_id for call in added], [call.started_at for call in added])
    worded = [call for call in added if call.text]
    if worded:
        await driver.execute(_COUNT_WORDS, [call.campaign_id for call in worded], [call.text for call in worded])


async def store_members(driver: Driver, facts: Mapping[tuple[int, int], MemberFact]) -> None:
    """Keep each person, unless what is stored is as new or newer."""
    await driver.execute(_STORE_MEMBERS, *_columns(members, _in_order(facts)))


async def mark_changed(driver: Driver, company_ids: Collection[int]) -> None:
    """Note that the facts of companies have changed: answers made of the former ones are not asked for any more."""
    await driver.execute(_MARK_CHANGED, sorted(company_ids))


async def clear(driver: Driver) -> None:
    """Delete every fact; other transactions go on reading them until this one ends."""
    for table in FACTS:
        await driver.execute(f"DELETE FROM {table}")
    await driver.execute("UPDATE ledgers SET mark = gen_random_uuid()")


def _in_order(facts: Mapping[K, F]) -> list[F]:
    return [facts[key] for key in sorted(facts)]


def _columns(table: Table, facts: Sequence[object]) -> list[list[object]]:
    """The facts as one array a column; lists as JSON, since the lists of a column differ in length."""
    columns = []
    for column in _told(table):
        values = list(map(attrgetter(column.name), facts))
        columns.append([orjson.dumps(value).decode() for value in values] if _is_list(column) else values)
    return columns


def _told(table: Table) -> list[Column[Any]]:
    """The columns that events tell; ``leads.deleted`` is set by a statement of its own."""
    return [column for column in table.columns if (table.name, column.name) != ("leads", "deleted")]


def _is_list(column: Column[Any]) -> bool:
    return isinstance(column.type, ARRAY)


def _type_of(column: Column[Any]) -> str:
    return str(column.type.compile(_POSTGRESQL))


def _insert(table: Table, **selected: str) -> str:
    """INSERT of the arrays' rows.

    Parameters
    ----------
    selected
        SQL to store for a column instead of the value that is told.
    """
    columns = _told(table)
    names = [column.name for column in columns]
    types = ["text" if _is_list(column) else _type_of(column) for column in columns]
    arrays = ", ".join(f"CAST(${number} AS {kind}[])" for number, kind in enumerate(types, 1))
    values = [selected.get(column.name, _list_of(column) if _is_list(column) else column.name) for column in columns]
    return (
        f"INSERT INTO {table.name} AS stored ({', '.join(names)})"
        f" SELECT {', '.join(values)} FROM unnest({arrays}) AS told ({', '.join(names)})"
    )


def _list_of(column: Column[Any]) -> str:
    kind = _type_of(column)
    return f"CAST(ARRAY(SELECT jsonb_array_elements_text(CAST({column.name} AS jsonb))) AS {kind})"


def _upsert_newer(table: Table) -> str:
    keys = [column.name for column in table.primary_key]
    changes = ", ".join(f"{each.name} = excluded.{each.name}" for each in _told(table) if each.name not in keys)
    return (
        f"{_insert(table)} ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {changes}"
        " WHERE stored.version < excluded.version"
    )


_STORE_CAMPAIGNS: Final = _upsert_newer(campaigns)
_STORE_TERMS: Final = f"{_insert(campaign_terms, time_zone='known_time_zone(time_zone)')} ON CONFLICT DO NOTHING"
_STORE_LEADS: Final = _upsert_newer(leads)
_DELETE_LEADS: Final = """
    UPDATE leads SET deleted = true FROM unnest($1::bigint[]) AS gone (id) WHERE leads.id = gone.id AND NOT deleted
"""
_STORE_ASSIGNMENTS: Final = f"{_insert(lead_assignments)} ON CONFLICT DO NOTHING"
_STORE_CONVERSIONS: Final = _upsert_newer(lead_conversions)
_STORE_CALLS: Final = f"{_insert(calls)} ON CONFLICT DO NOTHING RETURNING id"
_STORE_MEMBERS: Final = _upsert_newer(members)
# A call looks up its campaign's terms, and terms look up the calls to which they apply: two transactions that wrote
# them at the same time would not see each other's rows. Nor would two changes of a lead.
_LOCK_WRITER: Final = f"SELECT pg_advisory_xact_lock({WRITER_LOCK})"
# The plan to avoid: a table that grew since its statistics were made counts as a small one, and a sequential scan of it
# for each batch, or as the inner side of a join for each row of a batch, looks cheap.
_FORCE_INDEX_PLANS: Final = """
    SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off
"""
_CALLS_UNDER: Final = """
    SELECT DISTINCT calls.id
    FROM unnest($1::bigint[], $2::timestamptz[]) AS changed (campaign_id, since)
    JOIN calls ON calls.campaign_id = changed.campaign_id AND calls.started_at >= changed.since
"""
_COUNT_CONTACTS: Final = """
    INSERT INTO lead_contacts AS stored (lead_id, attempts, first_call_at)
    SELECT lead_id, count(*), min(started_at)
    FROM unnest($1::bigint[], $2::timestamptz[]) AS added (lead_id, started_at) GROUP BY lead_id ORDER BY lead_id
    ON CONFLICT (lead_id) DO UPDATE SET
        attempts = stored.attempts + excluded.attempts,
        first_call_at = least(stored.first_call_at, excluded.first_call_at)
"""
_COUNT_WORDS: Final = """
    INSERT INTO campaign_words AS stored (campaign_id, word, calls)
    SELECT campaign_id, word, count(*)
    FROM unnest($1::bigint[], $2::text[]) AS added (campaign_id, said),
        unnest(tsvector_to_array(to_tsvector('said_words', said))) AS words (word)
    WHERE char_length(word) >= 3
    GROUP BY campaign_id, word ORDER BY campaign_id, word
    ON CONFLICT (campaign_id, word) DO UPDATE SET calls = stored.calls + excluded.calls
"""
_MARK_CHANGED: Final = """
    INSERT INTO ledgers (company_id, mark) SELECT unnest($1::bigint[]), gen_random_uuid()
    ON CONFLICT (company_id) DO UPDATE SET mark = excluded.mark
"""
