"""Queries on leads. Each is limited to the companies it is asked for, so that no caller can forget to.

A lead is shown, and told to other services, as JSON that PostgreSQL builds: the service passes the bytes on and never
takes a lead apart.
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    RowMapping,
    Subquery,
    Text,
    any_,
    bindparam,
    case,
    delete,
    false,
    func,
    insert,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from services.lead_svc.leads.told import Told
from services.lead_svc.tables import call_attempts, leads
from shared.events.leads import Lead

ROWS_PER_READ = 500
_IDS = ARRAY(BigInteger)


def _utc(column: ColumnElement[object]) -> ColumnElement[str]:
    """A time as the contract writes it: ``2024-03-20T10:00:00Z``."""
    text: ColumnElement[str] = func.to_char(func.timezone("UTC", column), 'YYYY-MM-DD"T"HH24:MI:SS"Z"', type_=Text)
    return text.label(column.name)


_TIMES = frozenset({"last_contact_date", "next_contact_date", "converted_at", "created_at", "updated_at"})
_SHOWN = [_utc(column) if column.name in _TIMES else column for column in leads.columns]
_TAGS = leads.c.custom_fields["tags"].label("tags")


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


def _shown(*conditions: ColumnElement[bool], limit: int | None = None) -> Subquery:
    return select(*_SHOWN, _TAGS).where(*conditions).order_by(leads.c.id).limit(limit).subquery("shown")


_AS_JSON = literal_column("row_to_json(shown)::text", Text)

# Built once: putting 40 columns together costs more than running the query for one lead.
_BY_ID = select(_AS_JSON).select_from(
    _shown(leads.c.id == bindparam("lead_id"), leads.c.company_id == any_(bindparam("companies", type_=_IDS)))
)
# One text of all leads, in the order of the subquery: a row for each would cost the driver as much as building them.
# The range of ids is the primary key's: an index on `import_id` would cost every import.
_IMPORTED = select(func.string_agg(_AS_JSON, ",")).select_from(
    _shown(
        leads.c.id.between(bindparam("first_id"), bindparam("last_id")),
        leads.c.company_id == bindparam("company_id"),
        leads.c.import_id == bindparam("import_id"),
    )
)

_TOLD_COLUMNS: Final = ", ".join(f"leads.{name}" for name in Lead.model_fields)
_TOLD_JSON: Final = literal_column(f"(SELECT row_to_json(told)::text FROM (SELECT {_TOLD_COLUMNS}) AS told)", Text)
"""The row at hand as events carry it."""
_LOCK: Final = (
    select(leads)
    .where(leads.c.id == bindparam("lead_id"), leads.c.company_id == any_(bindparam("companies", type_=_IDS)))
    .with_for_update()
)


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


async def add(connection: AsyncConnection, row: Mapping[str, object]) -> Told:
    """Store a new lead."""
    columns = (leads.c.id, leads.c.phone, leads.c.status, leads.c.assigned_to, _TOLD_JSON.label("json"))
    lead_id, phone, status, agent, json = (
        await connection.execute(insert(leads).values(row).returning(*columns))
    ).one()
    return Told(lead_id, phone, status, status, agent, agent, False, json)


async def company_of(connection: AsyncConnection, lead_id: int, companies: Collection[int]) -> int | None:
    """Which of these companies has a lead."""
    query = select(leads.c.company_id).where(leads.c.id == lead_id, leads.c.company_id.in_(companies))
    return (await connection.execute(query)).scalar_one_or_none()


async def lock(connection: AsyncConnection, lead_id: int, companies: Collection[int]) -> RowMapping | None:
    """One lead of these companies, which nobody else changes until the transaction ends."""
    asked = {"lead_id": lead_id, "companies": list(companies)}
    return (await connection.execute(_LOCK, asked)).mappings().one_or_none()


async def change(
    connection: AsyncConnection, company_id: int, ids: Sequence[int], changes: Mapping[str, object]
) -> list[Told]:
    """Give leads of a company new values, all of them the same, in one statement.

    Returns those that had others, in the order of ids. Leads that the company does not have are passed over. What was
    said of a lead's status (`sub_status`) goes with it, unless another is said.
    """
    return await _change(connection, leads.c.id == any_(bindparam("ids", list(ids), type_=_IDS)), company_id, changes)


async def change_number(connection: AsyncConnection, company_id: int, phones: Sequence[str], status: str) -> list[Told]:
    """Give a status to every lead of a company that has one of these numbers; returns those that had another."""
    has_number = leads.c.phone == any_(bindparam("phones", list(phones), type_=ARRAY(Text)))
    return await _change(connection, has_number, company_id, {"status": status})


async def bump(connection: AsyncConnection, company_id: int, lead_id: int) -> Told:
    """Make a lead's next version, of the same content; it must be there."""
    [told] = await _change(connection, leads.c.id == lead_id, company_id, {})
    return told


async def _change(
    connection: AsyncConnection, which: ColumnElement[bool], company_id: int, changes: Mapping[str, object]
) -> list[Told]:
    differs = [leads.c[name].is_distinct_from(value) for name, value in changes.items()]
    compared = {name: leads.c[name] for name in ("id", "status", "assigned_to", *changes)}
    previous = (
        select(*compared.values())
        .where(leads.c.company_id == company_id, which, *([or_(*differs)] if differs else []))
        # In one order, so that two requests with some leads in common cannot wait for each other.
        .order_by(leads.c.id)
        .with_for_update()
        .cte("previous")
    )
    told_otherwise = [
        previous.c[name].is_distinct_from(value)
        for name, value in changes.items()
        if name not in ("status", "assigned_to")
    ]
    values = dict(changes)
    if "status" in changes:
        values.setdefault("sub_status", case((previous.c.status == changes["status"], leads.c.sub_status)))
    statement = (
        update(leads)
        .where(leads.c.id == previous.c.id)
        .values(**values, version=leads.c.version + 1, updated_at=func.now())
        .returning(
            leads.c.id,
            leads.c.phone,
            leads.c.status,
            previous.c.status.label("previous_status"),
            leads.c.assigned_to,
            previous.c.assigned_to.label("previous_assigned_to"),
            (or_(*told_otherwise) if told_otherwise else false()).label("differs"),
            _TOLD_JSON.label("json"),
        )
    )
    rows = (await connection.execute(statement)).all()
    return sorted((Told(*row) for row in rows), key=lambda told: told.id)


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


async def remove(connection: AsyncConnection, company_id: int, lead_id: int) -> Told:
    """Delete a lead and its call attempts; it must be there. Its deletion is a version of its own."""
    gone = await bump(connection, company_id, lead_id)
    await connection.execute(delete(call_attempts).where(call_attempts.c.lead_id == lead_id))
    await connection.execute(delete(leads).where(leads.c.id == lead_id))
    return gone
