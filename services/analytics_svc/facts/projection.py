"""Keeps the facts current: events in, rows out."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from services.analytics_svc.facts import repository
from services.analytics_svc.facts.collecting import collect
from shared.events.envelope import Envelope


async def project(connection: AsyncConnection, events: Sequence[Envelope]) -> None:
    """Apply a batch of events, in whatever order they came.

    Raises
    ------
    pydantic.ValidationError
        If the data of an event is not what its type promises.
    """
    facts = collect(events)
    await repository.be_the_only_writer(connection)
    if facts.campaigns:
        await repository.store_campaigns(connection, facts.campaigns)
        await repository.store_prices(connection, facts.prices)
    if facts.leads:
        await repository.store_leads(connection, facts.leads)
    if facts.calls:
        await repository.store_calls(connection, facts.calls)
