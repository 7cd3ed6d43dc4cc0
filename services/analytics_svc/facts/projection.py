"""Keeps facts and sums current: events in, rows out."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from services.analytics_svc.facts import repository
from services.analytics_svc.facts.event_mapping import Facts, collect
from services.analytics_svc.queues import PROJECTIONS
from services.analytics_svc.rollups import repository as rollups
from shared.database.engine import Driver, driver_connection
from shared.events.envelope import Envelope
from shared.messaging.consumer import Subscription


async def project(connection: AsyncConnection, events: Sequence[Envelope]) -> None:
    """Apply a batch of events, in whatever order they came.

    Raises
    ------
    pydantic.ValidationError
        If the data of an event is not what its type promises.
    """
    facts = collect(events)
    driver = await driver_connection(connection)
    await repository.begin_writing(driver)
    call_ids = set(facts.calls)
    if facts.terms:
        call_ids.update(await repository.calls_under(driver, facts.terms))
    lead_ids = _leads_told_of(facts)
    await rollups.prepare(driver)
    await rollups.remember(driver, "call_facts", call_ids)
    await rollups.remember(driver, "lead_facts", lead_ids)
    await _store(driver, facts)
    await rollups.fold(driver, "call_facts", call_ids)
    await rollups.fold(driver, "lead_facts", lead_ids)
    if facts.companies:
        await repository.mark_changed(driver, facts.companies)


async def clear(connection: AsyncConnection) -> None:
    """Delete every fact and sum; other transactions go on reading them until this one ends."""
    driver = await driver_connection(connection)
    await repository.begin_writing(driver)
    await repository.clear(driver)
    await rollups.clear(driver)
    await rollups.store_version(driver)


def _leads_told_of(facts: Facts) -> set[int]:
    assigned = {lead_id for lead_id, _ in facts.assignments}
    called = {call.lead_id for call in facts.calls.values()}
    return facts.leads.keys() | facts.conversions.keys() | assigned | called


async def _store(driver: Driver, facts: Facts) -> None:
    if facts.campaigns:
        await repository.store_campaigns(driver, facts.campaigns)
    if facts.terms:
        await repository.store_terms(driver, facts.terms)
    if facts.leads:
        await repository.store_leads(driver, facts.leads)
    if facts.deleted_leads:
        await repository.delete_leads(driver, facts.deleted_leads)
    if facts.assignments:
        await repository.store_assignments(driver, facts.assignments)
    if facts.conversions:
        await repository.store_conversions(driver, facts.conversions)
    if facts.calls:
        await repository.store_calls(driver, facts.calls)
    if facts.members:
        await repository.store_members(driver, facts.members)


SUBSCRIPTION: Final = Subscription(PROJECTIONS, project, batch=100)
"""An event may hold 500 leads: the batch bounds the memory of a consumer that is behind."""
