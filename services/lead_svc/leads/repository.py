"""Queries on leads. Each is limited to the companies it is asked for, so that no caller can forget to.

A lead is shown, and told to other services, as JSON that PostgreSQL builds: the service passes the bytes on and never
takes a lead apart.
"""

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Final

import orjson
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Label,
    RowMapping,
    Subquery,
    Text,
    any_,
    bindparam,
    case,
    delete,
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, asyncpg
from sqlalchemy.ext.asyncio import AsyncConnection

from services.lead_svc.domain.lead_status import OPEN
from services.lead_svc.leads import event_sql
from services.lead_svc.leads.event_sql import CREATED, DELETED, STATUS_CHANGED, Tellings
from services.lead_svc.tables import call_attempts, leads
from shared.database.engine import driver_connection

ROWS_PER_READ = 500
_IDS = ARRAY(BigInteger)


def _utc(column: ColumnElement[object]) -> ColumnElement[str]:
    """A time as the contract writes it: ``2024-03-20T10:00:00Z``."""
    text: ColumnElement[str] = func.to_char(func.timezone("UTC", column), 'YYYY-MM-DD"T"HH24:MI:SS"Z"', type_=Text)
    return text.label(column.name)


_TIMES = frozenset({"last_contact_date", "next_contact_date", "converted_at", "created_at", "updated_at"})
_SHOWN = [_utc(column) if column.name in _TIMES else column for column in leads.columns]
_STORED_TAGS = leads.c.custom_fields["tags"]
# Among the custom fields anything may be called so.
_TAGS = case((func.jsonb_typeof(_STORED_TAGS) == "array", _STORED_TAGS)).label("tags")


@dataclass(frozen=True, slots=True)
class LeadFilter:
    """Whose leads, and what narrows a list of them; None does not."""

    companies: Collection[int]
    campaign_id: int | None = None
    status: str | None = None
    priority: int | None = None
    assigned_to: int | None = None
    after_id: int | None = None
    """Only leads with larger ids: where the page before ended."""

    def conditions(self) -> list[ColumnElement[bool]]:
        """The filter as SQL."""
        asked = {
            "campaign_id": self.campaign_id,
            "status": self.status,
            "priority": self.priority,
            "assigned_to": self.assigned_to,
        }
        return [
            leads.c.company_id.in_(self.companies),
            *(leads.c[name] == value for name, value in asked.items() if value is not None),
            *([leads.c.id > self.after_id] if self.after_id is not None else []),
        ]


@dataclass(frozen=True, slots=True)
class Changed:
    """Leads that were changed, of those that had one status before."""

    previous_status: str
    count: int
    first_id: int


def count_of(changed: Iterable[Changed]) -> int:
    """How many leads were changed, whatever status they had."""
    return sum(group.count for group in changed)


def _shown(*conditions: ColumnElement[bool], limit: int | None = None) -> Subquery:
    return select(*_SHOWN, _TAGS).where(*conditions).order_by(leads.c.id).limit(limit).subquery("shown")


_AS_JSON = literal_column("row_to_json(shown)::text", Text)


def _sql(column: ColumnElement[Any]) -> str:
    inner = column.element if isinstance(column, Label) else column
    text = inner.compile(dialect=asyncpg.dialect(), compile_kwargs={"literal_binds": True})  # type: ignore[no-untyped-call]
    return f"{text} AS {column.key}"


_ROW_AS_JSON: Final = event_sql.as_json(_sql(column) for column in [*_SHOWN, _TAGS])
"""The lead that a statement has at hand."""

_VISIBLE: Final = (leads.c.id == bindparam("lead_id"), leads.c.company_id == any_(bindparam("companies", type_=_IDS)))
# Built once: putting 40 columns together costs more than running the query for one lead.
_BY_ID = select(_AS_JSON).select_from(_shown(*_VISIBLE))
# One text of all leads, in the order of the subquery: a row for each would cost the driver as much as building them.
# The range of ids is the primary key's: an index on `import_id` would cost every import.
_IMPORTED = select(func.string_agg(_AS_JSON, ",")).select_from(
    _shown(
        leads.c.id.between(bindparam("first_id"), bindparam("last_id")),
        leads.c.company_id == bindparam("company_id"),
        leads.c.import_id == bindparam("import_id"),
    )
)

_COMPANY_OF: Final = select(leads.c.company_id).where(*_VISIBLE)
_LOCK: Final = select(leads).where(*_VISIBLE).with_for_update()


async def get_json(connection: AsyncConnection, lead_id: int, companies: Collection[int]) -> bytes | None:
    """One lead of these companies, as JSON."""
    result = await connection.execute(_BY_ID, {"lead_id": lead_id, "companies": list(companies)})
    lead = result.scalar_one_or_none()
    return lead.encode() if lead is not None else None


async def imported_json(
    connection: AsyncConnection, company_id: int, import_id: int, first_id: int, last_id: int
) -> bytes:
    """The leads that an import loaded, in the order of its file, as the inside of a JSON array."""
    asked = {"company_id": company_id, "import_id": import_id, "first_id": first_id, "last_id": last_id}
    all_leads: str | None = (await connection.execute(_IMPORTED, asked)).scalar_one()
    return (all_leads or "").encode()


async def stream_json(connection: AsyncConnection, narrowed: LeadFilter) -> AsyncIterator[bytes]:
    """Leads in the order of their ids, as a JSON array in pieces."""
    query = select(_AS_JSON).select_from(_shown(*narrowed.conditions()))
    result = await connection.stream(query)
    opening = b"["
    async for rows in result.scalars().partitions(ROWS_PER_READ):
        yield opening + ",".join(rows).encode()
        opening = b","
    yield b"[]" if opening == b"[" else b"]"


async def page_json(connection: AsyncConnection, narrowed: LeadFilter, limit: int) -> tuple[bytes, int | None]:
    """The first leads in the order of their ids, as a JSON array, and the id of the last when more follow."""
    shown = _shown(*narrowed.conditions(), limit=limit + 1)
    rows = (await connection.execute(select(_AS_JSON, shown.c.id))).all()
    page = rows[:limit]
    return ("[" + ",".join(row[0] for row in page) + "]").encode(), page[-1][1] if len(rows) > limit else None


async def add(connection: AsyncConnection, company_id: int, row: Mapping[str, object]) -> tuple[int, bytes]:
    """Store a new lead of a company, and tell of it; returns its id, and the lead as JSON."""
    driver = await driver_connection(connection)
    tellings = (CREATED,)
    values = (_sent(name, value) for name, value in row.items())
    [added] = await driver.fetch(
        _insertion(tuple(row), tellings), company_id, *event_sql.frames(company_id, tellings), *values
    )
    return added["id"], added["json"].encode()


async def company_of(connection: AsyncConnection, lead_id: int, companies: Collection[int]) -> int | None:
    """Which of these companies has a lead."""
    asked = {"lead_id": lead_id, "companies": list(companies)}
    return (await connection.execute(_COMPANY_OF, asked)).scalar_one_or_none()


async def lock(connection: AsyncConnection, lead_id: int, companies: Collection[int]) -> RowMapping | None:
    """One lead of these companies, which nobody else changes until the transaction ends."""
    asked = {"lead_id": lead_id, "companies": list(companies)}
    return (await connection.execute(_LOCK, asked)).mappings().one_or_none()


async def change(
    connection: AsyncConnection,
    company_id: int,
    ids: Sequence[int],
    changes: Mapping[str, object],
    tellings: Tellings,
) -> list[Changed]:
    """Give leads of a company new values, all of them the same, and tell of it, in one statement.

    Returns those that had others, by the status they had. Leads that the company does not have are passed over.
    With a new status goes what was said of the one before (`goes_with_status`), unless `changes` says that anew.
    """
    return await _change(connection, company_id, "id = any($4::bigint[])", ids, changes, tellings)


async def change_number(connection: AsyncConnection, company_id: int, phones: Sequence[str], status: str) -> int:
    """Give a status to every lead of a company that has one of these numbers, and tell of it.

    Returns how many had another status.
    """
    which = "phone = any($4::text[])"
    changed = await _change(connection, company_id, which, phones, {"status": status}, (STATUS_CHANGED,))
    return count_of(changed)


async def _change(
    connection: AsyncConnection,
    company_id: int,
    which: str,
    asked: Sequence[object],
    changes: Mapping[str, object],
    tellings: Tellings,
) -> list[Changed]:
    driver = await driver_connection(connection)
    values = (_sent(name, value) for name, value in changes.items())
    rows = await driver.fetch(
        _update(which, tuple(changes), tellings), company_id, *event_sql.frames(company_id, tellings), asked, *values
    )
    return [Changed(*row) for row in rows]


def goes_with_status(status: str, previous: str) -> dict[str, str]:
    """SQL of what a lead keeps, by column, when its status (SQL, as that of the one before) is set.

    The word on its status goes when that changes, and the next contact when nobody is to call the lead any more.
    """
    to_be_called = ", ".join(sorted(OPEN))
    return {
        "sub_status": f"CASE WHEN {status} = {previous} THEN leads.sub_status END",
        "next_contact_date": f"CASE WHEN {status} = ANY('{{{to_be_called}}}') THEN leads.next_contact_date END",
    }


# A replaced lead may differ in any of its columns: what is seldom asked for is put together again.
@lru_cache(maxsize=256)
def _update(which: str, names: tuple[str, ...], tellings: Tellings) -> str:
    """SQL that gives these columns new values, where at least one of them is not what it was."""
    value = {name: f"${number}" for number, name in enumerate(names, start=5)}
    differs = [f"{name} IS DISTINCT FROM {value[name]}" for name in names]
    differs_otherwise = [
        test for name, test in zip(names, differs, strict=True) if name not in ("status", "assigned_to")
    ]
    previous = f"""
        SELECT id, status, assigned_to, {" OR ".join(differs_otherwise) or "false"} AS differs
        FROM leads
        WHERE company_id = $1 AND {which} AND ({" OR ".join(differs) or "true"})
        ORDER BY id -- so that two requests with some leads in common cannot wait for each other
        FOR UPDATE
    """
    sets = [f"{name} = {value[name]}" for name in names]
    if "status" in names:
        goes = goes_with_status(value["status"], "previous.status")
        sets += [f"{name} = {kept}" for name, kept in goes.items() if name not in names]
    update = f"""
        UPDATE leads SET {", ".join([*sets, "version = leads.version + 1", "updated_at = now()"])}
        FROM previous WHERE leads.id = previous.id
    """
    return event_sql.statement(
        update,
        tellings,
        "previous_status, count(*), min(id) FROM changed GROUP BY previous_status ORDER BY min(id)",
        previous=previous,
        returning=("leads.id", "previous.status AS previous_status"),
    )


@cache
def _insertion(names: tuple[str, ...], tellings: Tellings) -> str:
    """SQL that stores a lead with these columns."""
    values = (f"${number}" for number, _ in enumerate(names, start=4))
    insertion = f"INSERT INTO leads ({', '.join(names)}) VALUES ({', '.join(values)})"
    return event_sql.statement(
        insertion, tellings, "id, json FROM changed", returning=("leads.id", f"{_ROW_AS_JSON} AS json")
    )


def _sent(name: str, value: object) -> object:
    """A value of a column as the driver takes it."""
    return orjson.dumps(value).decode() if value is not None and isinstance(leads.c[name].type, JSONB) else value


async def known_ids(connection: AsyncConnection, company_id: int, ids: Collection[int]) -> set[int]:
    """Those of the ids that are leads of the company."""
    query = select(leads.c.id).where(
        leads.c.id == any_(bindparam("ids", list(ids), type_=_IDS)), leads.c.company_id == company_id
    )
    return set((await connection.execute(query)).scalars())


async def phones_of(connection: AsyncConnection, company_id: int, ids: Collection[int]) -> list[str]:
    """The numbers of leads of the company, each once, in their order."""
    query = (
        select(leads.c.phone)
        .distinct()
        .where(leads.c.id == any_(bindparam("ids", list(ids), type_=_IDS)), leads.c.company_id == company_id)
        .order_by(leads.c.phone)
    )
    return list((await connection.execute(query)).scalars())


async def remove(connection: AsyncConnection, company_id: int, lead_id: int) -> None:
    """Delete a lead and its call attempts, and tell of it. Its deletion is a version of its own."""
    await change(connection, company_id, [lead_id], {}, (DELETED,))
    await connection.execute(delete(call_attempts).where(call_attempts.c.lead_id == lead_id))
    await connection.execute(delete(leads).where(leads.c.id == lead_id))
