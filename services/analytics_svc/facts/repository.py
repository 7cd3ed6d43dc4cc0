"""Stores facts: one statement a kind and batch, whatever the order they come in and however often.

A row goes in as one element of each column's array (``unnest``), so a statement has as many parameters as the table has
columns, is prepared once, and takes one row or fifty thousand.
"""

from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any

from sqlalchemy import (
    ARRAY,
    Column,
    ColumnElement,
    Table,
    TableValuedAlias,
    Update,
    bindparam,
    func,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.analytics_svc.facts.collecting import CallFact, CampaignFact, Price
from services.analytics_svc.tables import calls, campaign_prices, campaigns, leads
from shared.events.leads import Lead

WRITER_LOCK = 7_060_003


async def be_the_only_writer(connection: AsyncConnection) -> None:
    """Wait until no other transaction writes facts, and keep it so until the end of this one.

    A call looks up its campaign's price, and a price looks for the calls it belongs to: written at the same time in
    two transactions, neither would see the other.
    """
    await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": WRITER_LOCK})


async def store_campaigns(connection: AsyncConnection, facts: Sequence[CampaignFact]) -> None:
    """Keep each campaign, unless what is stored is as new or newer."""
    await connection.execute(_STORE_CAMPAIGNS, _arrays(campaigns.columns, facts))


async def store_leads(connection: AsyncConnection, facts: Sequence[Lead]) -> None:
    """Keep each lead, unless what is stored is as new or newer."""
    await connection.execute(_STORE_LEADS, _arrays(leads.columns, facts))


async def store_prices(connection: AsyncConnection, prices: Sequence[Price]) -> None:
    """Keep the prices, and give them to the calls already here that were made while they held."""
    await connection.execute(_STORE_PRICES, _arrays(campaign_prices.columns, prices))
    await connection.execute(_REPRICE_CALLS, _arrays([campaign_prices.c.campaign_id, campaign_prices.c.since], prices))


async def store_calls(connection: AsyncConnection, facts: Sequence[CallFact]) -> None:
    """Add the calls that are new, each with its cost as far as it is known."""
    await connection.execute(_STORE_CALLS, _arrays(_REPORTED_COLUMNS, facts))


def _rows(columns: Sequence[Column[Any]]) -> TableValuedAlias:
    arrays = [bindparam(f"new_{column.name}", type_=ARRAY(column.type)) for column in columns]
    return func.unnest(*arrays).table_valued(*(column.name for column in columns)).render_derived("new_row")


def _arrays(columns: Iterable[Column[Any]], rows: Sequence[object]) -> dict[str, list[object]]:
    return {f"new_{column.name}": list(map(attrgetter(column.name), rows)) for column in columns}


def _insert(table: Table) -> Insert:
    rows = _rows(list(table.columns))
    return insert(table).from_select([column.name for column in table.columns], select(rows))


def _upsert_newer(table: Table) -> Insert:
    statement = _insert(table)
    return statement.on_conflict_do_update(
        index_elements=["id"],
        set_={column.name: statement.excluded[column.name] for column in table.columns if not column.primary_key},
        where=table.c.version < statement.excluded.version,
    )


def _price_at(campaign_id: ColumnElement[Any], time: ColumnElement[Any]) -> ColumnElement[Any]:
    """The campaign's price at a time; null when it is not known, or the campaign has none."""
    return (
        select(campaign_prices.c.cost_per_call)
        .where(campaign_prices.c.campaign_id == campaign_id, campaign_prices.c.since <= time)
        .order_by(campaign_prices.c.version.desc())
        .limit(1)
        .scalar_subquery()
    )


def _insert_calls() -> Insert:
    rows = _rows(_REPORTED_COLUMNS).c
    cost = func.coalesce(rows.reported_cost, _price_at(rows.campaign_id, rows.started_at))
    names = [column.name for column in _REPORTED_COLUMNS]
    return (
        insert(calls)
        .from_select([*names, "cost"], select(*(rows[name] for name in names), cost))
        .on_conflict_do_nothing()
    )


def _reprice_calls() -> Update:
    changed = _rows([campaign_prices.c.campaign_id, campaign_prices.c.since]).c
    price = _price_at(calls.c.campaign_id, calls.c.started_at)
    return (
        update(calls)
        .values(cost=price)
        .where(
            calls.c.campaign_id == changed.campaign_id,
            calls.c.started_at >= changed.since,
            calls.c.reported_cost.is_(None),
            calls.c.cost.is_distinct_from(price),
        )
    )


_REPORTED_COLUMNS = [column for column in calls.columns if column.name != "cost"]

_STORE_CAMPAIGNS = _upsert_newer(campaigns)
_STORE_LEADS = _upsert_newer(leads)
_STORE_PRICES = _insert(campaign_prices).on_conflict_do_nothing()
_REPRICE_CALLS = _reprice_calls()
_STORE_CALLS = _insert_calls()
