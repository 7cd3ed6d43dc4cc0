"""Queries on leads. Each is limited to the companies it is asked for, so that no caller can forget to.

A lead is shown as JSON that PostgreSQL builds: the service passes the bytes on and never takes a lead apart.
"""

from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass

from sqlalchemy import BigInteger, ColumnElement, Subquery, Text, any_, bindparam, func, literal_column, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from services.lead_svc.tables import leads

ROWS_PER_READ = 500
_IDS = ARRAY(BigInteger)


def _utc(column: ColumnElement[object]) -> ColumnElement[str]:
    """A time as the contract writes it: ``2024-03-20T10:00:00Z``."""
    text: ColumnElement[str] = func.to_char(func.timezone("UTC", column), 'YYYY-MM-DD"T"HH24:MI:SS"Z"', type_=Text)
    return text.label(column.name)


_TIMES = frozenset({"last_contact_date", "next_contact_date", "created_at", "updated_at"})
_SHOWN = [_utc(column) if column.name in _TIMES else column for column in leads.columns]
_TAGS = leads.c.custom_fields["tags"].label("tags")


@dataclass(frozen=True, slots=True)
class LeadFilter:
    """What narrows a list of leads; None does not."""

    campaign_id: int | None = None
    status: str | None = None
    assigned_to: int | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """The filter as SQL."""
        asked = {"campaign_id": self.campaign_id, "status": self.status, "assigned_to": self.assigned_to}
        return [leads.c[name] == value for name, value in asked.items() if value is not None]


def _shown(*conditions: ColumnElement[bool]) -> Subquery:
    return select(*_SHOWN, _TAGS).where(*conditions).order_by(leads.c.id).subquery("shown")


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


async def stream_json(connection: AsyncConnection, company_id: int, narrowed: LeadFilter) -> AsyncIterator[bytes]:
    """A company's leads in the order of their ids, as a JSON array in pieces."""
    query = select(_AS_JSON).select_from(_shown(leads.c.company_id == company_id, *narrowed.conditions()))
    result = await connection.stream(query)
    opening = b"["
    async for rows in result.scalars().partitions(ROWS_PER_READ):
        yield opening + ",".join(rows).encode()
        opening = b","
    yield b"[]" if opening == b"[" else b"]"
