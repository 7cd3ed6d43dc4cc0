"""Projection of the other services' events into facts and roll-ups, both in the consumer's transaction."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from services.analytics_svc.facts import repository as facts_repository
from services.analytics_svc.facts.event_mapping import Facts, map_events
from services.analytics_svc.queues import PROJECTIONS
from services.analytics_svc.rollups import repository as rollups
from shared.database.engine import Driver, driver_connection
from shared.events.envelope import Envelope
from shared.messaging.consumer import Subscription


async def project(connection: AsyncConnection, events: Sequence[Envelope]) -> None:
    """Apply a batch of events; events may arrive late, repeatedly and in any order.

    Raises
    ------
    pydantic.ValidationError
        If the data of an event is not of its type's schema.
    """
    facts = map_events(events)
    driver = await driver_connection(connection)
    await facts_repository.begin_writing(driver)
    call_ids = set(facts.calls)
    if facts.terms:
        call_ids.update(await facts_repository.calls_under(driver, facts.terms))
    lead_ids = _affected_leads(facts)
    await rollups.create_before_tables(driver)
    await rollups.copy_before(driver, "call_facts", call_ids)
    await rollups.copy_before(driver, "lead_facts", lead_ids)
    await _store(driver, facts)
    await rollups.add_differences(driver, "call_facts", call_ids)
    await rollups.add_differences(driver, "lead_facts", lead_ids)
    if facts.companies:
        await facts_repository.mark_changed(driver, facts.companies)


async def clear(connection: AsyncConnection) -> None:
    """Delete every fact and sum, as a rebuild begins; other transactions read them until this one commits."""
    driver = await driver_connection(connection)
    await facts_repository.begin_writing(driver)
    await facts_repository.clear(driver)
    await rollups.clear(driver)
    await rollups.store_version(driver)


def _affected_leads(facts: Facts) -> set[int]:
    """Return the ids of leads whose row in ``lead_facts`` a batch may change."""
    assigned = {lead_id for lead_id, _ in facts.assignments}
    called = {call.lead_id for call in facts.calls.values()}
    return facts.leads.keys() | facts.conversions.keys() | assigned | called


async def _store(driver: Driver, facts: Facts) -> None:
    if facts.campaigns:
        await facts_repository.store_campaigns(driver, facts.campaigns)
    if facts.terms:
        await facts_repository.store_terms(driver, facts.terms)
    if facts.leads:
        await facts_repository.store_leads(driver, facts.leads)
    if facts.deleted_leads:
        await facts_repository.delete_leads(driver, facts.deleted_leads)
    if facts.assignments:
        await facts_repository.store_assignments(driver, facts.assignments)
    if facts.conversions:
        await facts_repository.store_conversions(driver, facts.conversions)
    if facts.calls:
        await facts_repository.store_calls(driver, facts.calls)
    if facts.members:
        await facts_repository.store_members(driver, facts.members)


SUBSCRIPTION: Final = Subscription(PROJECTIONS, project, batch=100)
"""An event may have 500 leads: the batch bounds the memory of a consumer that is behind."""
