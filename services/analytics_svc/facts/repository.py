"""Stores facts: one statement per kind of fact and batch; the order and the number of repetitions do not matter.

Rows are written in the order of their keys.
"""

from collections.abc import Collection, Mapping
from typing import Final, TypeVar

from services.analytics_svc.facts import statements
from services.analytics_svc.facts.event_mapping import (
    Assignment,
    CallFact,
    CampaignFact,
    ConversionFact,
    LeadFact,
    MemberFact,
    Terms,
)
from services.analytics_svc.facts.statements import column_arrays
from services.analytics_svc.tables import (
    calls,
    campaign_terms,
    campaign_words,
    campaigns,
    lead_assignments,
    lead_contacts,
    lead_conversions,
    leads,
    members,
)
from shared.database.engine import Driver
from shared.database.queries import load_queries

TABLES: Final = (
    calls,
    campaign_words,
    campaign_terms,
    campaigns,
    lead_assignments,
    lead_contacts,
    lead_conversions,
    leads,
    members,
)
_QUERIES: Final = load_queries(__file__, "queries.sql")
_BEGIN_WRITING: Final = f"{_QUERIES.lock_writer};\n{_QUERIES.force_index_plans}"

K = TypeVar("K", int, tuple[int, int])
F = TypeVar("F")


async def begin_writing(driver: Driver) -> None:
    """Lock facts and roll-ups for this transaction (``lock_writer``) and force plans by key (``force_index_plans``)."""
    # Both in one round trip: every batch begins with them.
    await driver.execute(_BEGIN_WRITING)


async def store_campaigns(driver: Driver, facts: Mapping[int, CampaignFact]) -> None:
    """Store each campaign unless the stored one is as new or newer."""
    await driver.execute(statements.STORE_CAMPAIGNS, *column_arrays(campaigns, _in_order(facts)))


async def calls_under(driver: Driver, terms: Mapping[tuple[int, int], Terms]) -> list[int]:
    """Return the ids of the calls of the same campaigns that started at or after the beginning of these terms."""
    campaign_ids = [campaign_id for campaign_id, _ in terms]
    found = await driver.fetch(_QUERIES.calls_under, campaign_ids, [fact.since for fact in terms.values()])
    return [row["id"] for row in found]


async def store_terms(driver: Driver, facts: Mapping[tuple[int, int], Terms]) -> None:
    """Add the terms that are new."""
    await driver.execute(statements.STORE_TERMS, *column_arrays(campaign_terms, _in_order(facts)))


async def store_leads(driver: Driver, facts: Mapping[int, LeadFact]) -> None:
    """Store each lead unless the stored one is as new or newer; a deleted lead stays deleted."""
    await driver.execute(statements.STORE_LEADS, *column_arrays(leads, _in_order(facts)))


async def delete_leads(driver: Driver, ids: Collection[int]) -> None:
    """Mark stored leads as deleted."""
    await driver.execute(_QUERIES.delete_leads, sorted(ids))


async def store_assignments(driver: Driver, facts: Mapping[tuple[int, int], Assignment]) -> None:
    """Add the assignments that are new."""
    await driver.execute(statements.STORE_ASSIGNMENTS, *column_arrays(lead_assignments, _in_order(facts)))


async def store_conversions(driver: Driver, facts: Mapping[int, ConversionFact]) -> None:
    """Store each lead's conversion unless the stored one is as new or newer."""
    await driver.execute(statements.STORE_CONVERSIONS, *column_arrays(lead_conversions, _in_order(facts)))


async def store_calls(driver: Driver, facts: Mapping[int, CallFact]) -> None:
    """Add the calls that are new, count them for their leads, and count the words in their texts."""
    ordered = _in_order(facts)
    rows = await driver.fetch(statements.STORE_CALLS, *column_arrays(calls, ordered))
    new_ids = {row["id"] for row in rows}
    added = [call for call in ordered if call.id in new_ids]
    if not added:
        return
    await driver.execute(_QUERIES.count_contacts, [call.lead_id for call in added], [call.started_at for call in added])
    with_text = [call for call in added if call.text]
    if with_text:
        await driver.execute(
            _QUERIES.count_words, [call.campaign_id for call in with_text], [call.text for call in with_text]
        )


async def store_members(driver: Driver, facts: Mapping[tuple[int, int], MemberFact]) -> None:
    """Store each member unless the stored one is as new or newer."""
    await driver.execute(statements.STORE_MEMBERS, *column_arrays(members, _in_order(facts)))


async def mark_changed(driver: Driver, company_ids: Collection[int]) -> None:
    """Give companies a new mark: cached responses that were computed from their former facts are not found any more."""
    await driver.execute(_QUERIES.mark_changed, sorted(company_ids))


async def clear(driver: Driver) -> None:
    """Delete every fact; other transactions read them until this one commits."""
    for table in TABLES:
        await driver.execute(f"DELETE FROM {table.name}")
    await driver.execute(_QUERIES.mark_all_changed)


def _in_order(facts: Mapping[K, F]) -> list[F]:
    return [facts[key] for key in sorted(facts)]
