"""Queries on leads. Each is limited to companies that it is called with, so that no caller can forget the limit.

A lead is returned, and sent to other services, as JSON that PostgreSQL builds: the service passes the bytes on.
"""

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

import orjson
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Subquery,
    Text,
    any_,
    bindparam,
    delete,
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from services.lead_svc.campaigns.repository import CampaignCopy
from services.lead_svc.domain.fields import LeadStatus
from services.lead_svc.leads.change_sql import BY_ID, BY_PHONE, insert_sql, update_sql
from services.lead_svc.leads.columns import READ_COLUMNS
from services.lead_svc.leads.event_sql import event_parameters
from services.lead_svc.leads.events import LEAD_CREATED, LEAD_DELETED, LEAD_STATUS_CHANGED, EventSpecs
from services.lead_svc.leads.filters import LeadFilter
from services.lead_svc.leads.lead import Lead
from services.lead_svc.tables import call_attempts, campaigns, leads
from shared.database.engine import driver_connection
from shared.ids import CampaignId, CompanyId, ImportId, LeadId

ROWS_PER_READ: Final = 500
_IDS: Final = ARRAY(BigInteger)

ColumnValues = Mapping[str, object]
"""Values of a lead by the names of their columns."""


@dataclass(frozen=True, slots=True)
class CreatedLead:
    """A lead that was stored."""

    id: LeadId
    json: bytes
    """The lead as the API returns it."""

    @classmethod
    def from_json(cls, json: bytes) -> Self:
        """Return the lead with this JSON."""
        return cls(orjson.loads(json)["id"], json)

    def to_json(self) -> bytes:
        """Return the lead as JSON, which includes its id."""
        return self.json


@dataclass(frozen=True, slots=True)
class LeadPage:
    """A page of a list of leads."""

    json: bytes
    """The leads, as a JSON array."""
    next_cursor: int | None
    """The id of the last lead, if more leads follow."""


@dataclass(frozen=True, slots=True)
class LeadCampaign:
    """The campaign of a lead."""

    campaign_id: CampaignId
    campaign: CampaignCopy | None
    """None if there is no local copy."""


@dataclass(frozen=True, slots=True)
class ChangedLeads:
    """Leads that were changed, of those that had one status before."""

    previous_status: str
    count: int
    first_id: LeadId


def total_count(changed: Iterable[ChangedLeads]) -> int:
    """How many leads were changed, of any previous status."""
    return sum(group.count for group in changed)


def _read(*conditions: ColumnElement[bool], limit: int | None = None) -> Subquery:
    return select(*READ_COLUMNS).where(*conditions).order_by(leads.c.id).limit(limit).subquery("lead")


def _conditions(filters: LeadFilter) -> list[ColumnElement[bool]]:
    equal = {
        leads.c.campaign_id: filters.campaign_id,
        leads.c.status: filters.status,
        leads.c.priority: filters.priority,
        leads.c.assigned_to: filters.assigned_to,
    }
    return [
        leads.c.company_id.in_(filters.companies),
        *(column == value for column, value in equal.items() if value is not None),
        *([leads.c.id > filters.after_id] if filters.after_id is not None else []),
    ]


_LEAD_JSON: Final = literal_column("row_to_json(lead)::text", Text)
_VISIBLE: Final = (leads.c.id == bindparam("lead_id"), leads.c.company_id == any_(bindparam("companies", type_=_IDS)))
# Built once: composing 40 columns costs more than running the query for one lead.
_GET_JSON: Final = select(_LEAD_JSON).select_from(_read(*_VISIBLE))
# One text of all leads, in the order of the subquery: a row for each would cost the driver as much as building them.
# The range of ids is the primary key's: an index on `import_id` would cost every import.
_IMPORTED_JSON: Final = select(func.string_agg(_LEAD_JSON, ",")).select_from(
    _read(
        leads.c.id.between(bindparam("first_id"), bindparam("last_id")),
        leads.c.company_id == bindparam("company_id"),
        leads.c.import_id == bindparam("import_id"),
    )
)
_FIND_COMPANY: Final = select(leads.c.company_id).where(*_VISIBLE)
_FIND_CAMPAIGN: Final = (
    select(leads.c.campaign_id.label("lead_campaign_id"), campaigns)
    .select_from(leads.outerjoin(campaigns, campaigns.c.id == leads.c.campaign_id))
    .where(*_VISIBLE)
)
_LOCK: Final = select(leads).where(*_VISIBLE).with_for_update()


async def get_json(connection: AsyncConnection, lead_id: LeadId, companies: Collection[int]) -> bytes | None:
    """Return a lead of these companies as JSON; None if they have no such lead."""
    result = await connection.execute(_GET_JSON, {"lead_id": lead_id, "companies": list(companies)})
    lead = result.scalar_one_or_none()
    return lead.encode() if lead is not None else None


async def imported_json(
    connection: AsyncConnection, company_id: CompanyId, import_id: ImportId, first_id: LeadId, last_id: LeadId
) -> bytes:
    """Return the leads that an import created, in the order of its file, as the inside of a JSON array."""
    parameters = {"company_id": company_id, "import_id": import_id, "first_id": first_id, "last_id": last_id}
    all_leads: str | None = (await connection.execute(_IMPORTED_JSON, parameters)).scalar_one()
    return (all_leads or "").encode()


async def stream_json(connection: AsyncConnection, filters: LeadFilter) -> AsyncIterator[bytes]:
    """Yield leads in the order of their ids, as a JSON array in pieces."""
    query = select(_LEAD_JSON).select_from(_read(*_conditions(filters)))
    result = await connection.stream(query)
    opening = b"["
    async for rows in result.scalars().partitions(ROWS_PER_READ):
        yield opening + ",".join(rows).encode()
        opening = b","
    yield b"[]" if opening == b"[" else b"]"


async def page_json(connection: AsyncConnection, filters: LeadFilter, limit: int) -> LeadPage:
    """Return the first leads in the order of their ids."""
    read = _read(*_conditions(filters), limit=limit + 1)
    rows = (await connection.execute(select(_LEAD_JSON, read.c.id))).all()
    page = rows[:limit]
    json = ("[" + ",".join(row[0] for row in page) + "]").encode()
    return LeadPage(json, page[-1][1] if len(rows) > limit else None)


async def add(connection: AsyncConnection, company_id: CompanyId, values: ColumnValues) -> CreatedLead:
    """Store a new lead of a company, and emit ``lead.created``."""
    driver = await driver_connection(connection)
    events = (LEAD_CREATED,)
    [added] = await driver.fetch(
        insert_sql(tuple(values), events), company_id, *event_parameters(company_id, events), *_to_driver(values)
    )
    return CreatedLead(added["id"], added["json"].encode())


async def find_company(connection: AsyncConnection, lead_id: LeadId, companies: Collection[int]) -> CompanyId | None:
    """Return which of these companies has a lead; None if none of them has it."""
    parameters = {"lead_id": lead_id, "companies": list(companies)}
    return (await connection.execute(_FIND_COMPANY, parameters)).scalar_one_or_none()


async def find_campaign(
    connection: AsyncConnection, lead_id: LeadId, companies: Collection[int]
) -> LeadCampaign | None:
    """Return the campaign of a lead of these companies; None if they have no such lead."""
    parameters = {"lead_id": lead_id, "companies": list(companies)}
    row = (await connection.execute(_FIND_CAMPAIGN, parameters)).one_or_none()
    if row is None:
        return None
    campaign_id, *copy = row
    return LeadCampaign(campaign_id, CampaignCopy(*copy) if copy[0] is not None else None)


async def lock_for_update(connection: AsyncConnection, lead_id: LeadId, companies: Collection[int]) -> Lead | None:
    """Return a lead of these companies, locked until the transaction ends; None if they have no such lead."""
    parameters = {"lead_id": lead_id, "companies": list(companies)}
    row = (await connection.execute(_LOCK, parameters)).mappings().one_or_none()
    return Lead(**{**row, "status": LeadStatus(row["status"])}) if row is not None else None


async def change(
    connection: AsyncConnection, company_id: CompanyId, ids: Sequence[LeadId], changes: ColumnValues, events: EventSpecs
) -> list[ChangedLeads]:
    """Give leads of a company the same new values and emit the events of the change, in one statement.

    Leads that have all of the values already are not changed, ids that the company does not have are skipped. A new
    status also sets the columns that depend on it (`columns_after_status_change`), unless `changes` sets them.

    Returns
    -------
    list of ChangedLeads
        The leads that had other values, one item for each status before the change.
    """
    return await _change(connection, company_id, BY_ID, ids, changes, events)


async def change_by_phone(
    connection: AsyncConnection, company_id: CompanyId, phones: Sequence[str], status: LeadStatus
) -> int:
    """Set the status of every lead of a company that has one of these numbers, and emit ``lead.status_changed``.

    Returns how many leads had another status.
    """
    events = (LEAD_STATUS_CHANGED,)
    return total_count(await _change(connection, company_id, BY_PHONE, phones, {"status": status}, events))


async def _change(
    connection: AsyncConnection,
    company_id: CompanyId,
    condition: str,
    keys: Sequence[object],
    changes: ColumnValues,
    events: EventSpecs,
) -> list[ChangedLeads]:
    driver = await driver_connection(connection)
    statement = update_sql(condition, tuple(changes), events)
    rows = await driver.fetch(statement, company_id, *event_parameters(company_id, events), keys, *_to_driver(changes))
    return [ChangedLeads(*row) for row in rows]


def _to_driver(values: ColumnValues) -> Iterable[object]:
    """The values as the driver takes them: JSON as text."""
    for name, value in values.items():
        is_json = value is not None and isinstance(leads.c[name].type, JSONB)
        yield orjson.dumps(value).decode() if is_json else value


async def find_existing_ids(connection: AsyncConnection, company_id: CompanyId, ids: Collection[LeadId]) -> set[LeadId]:
    """Return those of the ids that are leads of the company."""
    query = select(leads.c.id).where(
        leads.c.id == any_(bindparam("ids", list(ids), type_=_IDS)), leads.c.company_id == company_id
    )
    return set((await connection.execute(query)).scalars())


async def list_phones(connection: AsyncConnection, company_id: CompanyId, ids: Collection[LeadId]) -> list[str]:
    """Return the distinct numbers of leads of the company, in the order of the numbers."""
    query = (
        select(leads.c.phone)
        .distinct()
        .where(leads.c.id == any_(bindparam("ids", list(ids), type_=_IDS)), leads.c.company_id == company_id)
        .order_by(leads.c.phone)
    )
    return list((await connection.execute(query)).scalars())


async def remove(connection: AsyncConnection, company_id: CompanyId, lead_id: LeadId) -> None:
    """Delete a lead and its call attempts, and emit ``lead.deleted``. The deletion is a version of its own."""
    await change(connection, company_id, [lead_id], {}, (LEAD_DELETED,))
    await connection.execute(delete(call_attempts).where(call_attempts.c.lead_id == lead_id))
    await connection.execute(delete(leads).where(leads.c.id == lead_id))
