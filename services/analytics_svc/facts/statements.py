"""Statements that store facts: SQL composed from the columns of a table.

A batch's rows are one array per column (``unnest``), so a statement has as many parameters as the table has columns, is
prepared once, and takes one row or fifty thousand. ``STORE_MEMBERS`` is::

    INSERT INTO members AS stored (company_id, id, version, name, deleted)
    SELECT company_id, id, version, name, deleted
    FROM unnest(CAST($1 AS BIGINT[]), CAST($2 AS BIGINT[]), CAST($3 AS INTEGER[]), CAST($4 AS TEXT[]),
                CAST($5 AS BOOLEAN[])) AS added (company_id, id, version, name, deleted)
    ON CONFLICT (company_id, id) DO UPDATE
    SET version = excluded.version, name = excluded.name, deleted = excluded.deleted
    WHERE stored.version < excluded.version
"""

from collections.abc import Sequence
from operator import attrgetter
from typing import Any, Final

import orjson
from sqlalchemy import ARRAY, Column, Dialect, Table
from sqlalchemy.dialects import postgresql

from services.analytics_svc.tables import (
    calls,
    campaign_terms,
    campaigns,
    lead_assignments,
    lead_conversions,
    leads,
    members,
)

_POSTGRESQL: Final[Dialect] = postgresql.dialect()  # type: ignore[no-untyped-call]


def column_arrays(table: Table, facts: Sequence[object]) -> list[list[object]]:
    """Return the parameters of a statement: one array per column, from the facts' attributes.

    Lists are JSON text, because the lists of one column differ in length and PostgreSQL's arrays are rectangular.
    """
    arrays = []
    for column in _event_columns(table):
        values = list(map(attrgetter(column.name), facts))
        arrays.append([orjson.dumps(value).decode() for value in values] if _is_list(column) else values)
    return arrays


def _event_columns(table: Table) -> list[Column[Any]]:
    """Return the columns that events fill; ``leads.deleted`` is set by ``delete_leads``."""
    return [column for column in table.columns if (table.name, column.name) != ("leads", "deleted")]


def _is_list(column: Column[Any]) -> bool:
    return isinstance(column.type, ARRAY)


def _type_of(column: Column[Any]) -> str:
    return str(column.type.compile(_POSTGRESQL))


def _insert(table: Table, **expressions: str) -> str:
    """Compose an INSERT of the arrays' rows.

    Parameters
    ----------
    expressions
        SQL to store for a column instead of the event's value.
    """
    columns = _event_columns(table)
    names = [column.name for column in columns]
    types = ["text" if _is_list(column) else _type_of(column) for column in columns]
    arrays = ", ".join(f"CAST(${number} AS {sql_type}[])" for number, sql_type in enumerate(types, 1))
    values = [expressions.get(column.name, _value_of(column)) for column in columns]
    return (
        f"INSERT INTO {table.name} AS stored ({', '.join(names)})"
        f" SELECT {', '.join(values)} FROM unnest({arrays}) AS added ({', '.join(names)})"
    )


def _value_of(column: Column[Any]) -> str:
    if not _is_list(column):
        return column.name
    return f"CAST(ARRAY(SELECT jsonb_array_elements_text(CAST({column.name} AS jsonb))) AS {_type_of(column)})"


def _upsert_newer(table: Table) -> str:
    """Compose an INSERT that replaces a stored row of a lower version and leaves every other one."""
    keys = [column.name for column in table.primary_key]
    names = [column.name for column in _event_columns(table) if column.name not in keys]
    changes = ", ".join(f"{name} = excluded.{name}" for name in names)
    return (
        f"{_insert(table)} ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {changes}"
        " WHERE stored.version < excluded.version"
    )


STORE_CAMPAIGNS: Final = _upsert_newer(campaigns)
STORE_TERMS: Final = f"{_insert(campaign_terms, time_zone='known_time_zone(time_zone)')} ON CONFLICT DO NOTHING"
STORE_LEADS: Final = _upsert_newer(leads)
STORE_ASSIGNMENTS: Final = f"{_insert(lead_assignments)} ON CONFLICT DO NOTHING"
STORE_CONVERSIONS: Final = _upsert_newer(lead_conversions)
STORE_CALLS: Final = f"{_insert(calls)} ON CONFLICT DO NOTHING RETURNING id"
STORE_MEMBERS: Final = _upsert_newer(members)
