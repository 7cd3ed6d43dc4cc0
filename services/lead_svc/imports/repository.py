"""Queries on import jobs, their files, and the leads that imports look up, change and take back."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from typing import Final, Literal

import orjson
from sqlalchemy import (
    LargeBinary,
    Select,
    Text,
    any_,
    bindparam,
    cast,
    delete,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from services.lead_svc.imports.failed_rows import KEPT
from services.lead_svc.imports.options import ImportOptions, OnDuplicate, OnError
from services.lead_svc.imports.validation.lead_columns import LEAD_COLUMNS
from services.lead_svc.imports.validation.stored_lead import StoredLead
from services.lead_svc.leads import event_sql
from services.lead_svc.leads.event_sql import ASSIGNED, DELETED, STATUS_CHANGED, UPDATED
from services.lead_svc.leads.repository import goes_with_status
from services.lead_svc.spreadsheets.file_kind import FileKind
from services.lead_svc.spreadsheets.row_errors import NO_ERRORS, ErrorSummary
from services.lead_svc.tables import import_failed_rows, import_files, imports, leads
from shared.database.engine import driver_connection


@dataclass(frozen=True, slots=True)
class NewImport:
    """A file to be loaded, as it was asked for."""

    company_id: int
    campaign_id: int
    requested_by: str
    filename: str
    kind: FileKind
    default_values: dict[str, object]
    row_limit: int | None
    """Most rows the file may have; None for as many as fit into it."""
    content: bytes
    options: ImportOptions = field(default_factory=ImportOptions)


@dataclass(frozen=True, slots=True)
class QueuedImport:
    """A job that has not ended, with its file."""

    id: int
    company_id: int
    campaign_id: int
    filename: str
    kind: FileKind
    default_values: dict[str, object]
    row_limit: int | None
    content: bytes
    options: ImportOptions = field(default_factory=ImportOptions)


@dataclass(frozen=True, slots=True)
class ImportRecord:
    """A job as it is stored, without its file."""

    id: int
    company_id: int
    campaign_id: int
    filename: str
    size_bytes: int
    column_map: dict[str, str]
    on_error: str
    on_duplicate: str
    dry_run: bool
    status: str
    row_count: int | None
    imported_count: int
    updated_count: int
    skipped_count: int
    first_lead_id: int | None
    last_lead_id: int | None
    error: str | None
    error_count: int
    errors: list[dict[str, object]]
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    undone_at: datetime | None


@dataclass(frozen=True, slots=True)
class Ending:
    """What is written of a job when it ends."""

    status: Literal["completed", "failed", "aborted"]
    """``failed`` when the file is at fault, ``aborted`` when it is not known to be; nothing is loaded in both cases."""
    started_at: datetime | None = None
    row_count: int | None = None
    imported_count: int = 0
    updated_count: int = 0
    skipped_count: int = 0
    lead_ids: Sequence[int] = ()
    """Of the new leads, in the order of the file."""
    error: str | None = None
    error_summary: ErrorSummary = NO_ERRORS


_OPTIONS: Final = tuple(part.name for part in fields(ImportOptions))
_ENDS: Final = (
    "status", "started_at", "row_count", "imported_count", "updated_count", "skipped_count", "first_lead_id",
    "last_lead_id", "error", "error_count", "errors",
)  # fmt: skip

# Statements are built once, and those that belong together are one: a caller waits for each.
_JOB = (
    insert(imports)
    .values({part.name: bindparam(part.name) for part in fields(NewImport) if part.name in imports.c})
    .values({name: bindparam(name) for name in (*_OPTIONS, "size_bytes")})
    .returning(imports.c.id)
    .cte("job")
)
_CREATE = (
    insert(import_files)
    .from_select(["import_id", "content"], select(_JOB.c.id, bindparam("content", type_=LargeBinary)))
    .returning(import_files.c.import_id)
)
_LOCK = (
    select(*(imports.c[part.name] for part in fields(QueuedImport) if part.name in imports.c))
    .add_columns(import_files.c.content, *(imports.c[name] for name in _OPTIONS))
    .join(import_files, import_files.c.import_id == imports.c.id)
    .where(imports.c.id == bindparam("import_id"), imports.c.status == "queued")
    .with_for_update(of=imports)
)
_END = (
    update(imports)
    .where(imports.c.id == bindparam("import_id"))
    .values({name: bindparam(name) for name in _ENDS})
    .values(finished_at=func.clock_timestamp())
    .add_cte(delete(import_files).where(import_files.c.import_id == bindparam("import_id")).cte("file"))
)
_KEEP_FAILED_ROWS = insert(import_failed_rows)
_GET = select(*(imports.c[part.name] for part in fields(ImportRecord))).where(
    imports.c.id == bindparam("import_id"), imports.c.company_id == bindparam("company_id")
)
# Of the faults only their number: a page of jobs would be mostly these.
_LIST = (
    select(
        *(imports.c[part.name] for part in fields(ImportRecord) if part.name != "errors"),
        cast("[]", JSONB).label("errors"),
    )
    .where(imports.c.company_id == bindparam("company_id"))
    .order_by(imports.c.id.desc())
    .limit(bindparam("limit"))
)
_FAILED_ROWS = (
    select(import_failed_rows.c.content)
    .join(imports, imports.c.id == import_failed_rows.c.import_id)
    .where(imports.c.id == bindparam("import_id"), imports.c.company_id == bindparam("company_id"))
)


async def create(connection: AsyncConnection, new: NewImport) -> int:
    """Store a job and its file; returns the job's id."""
    values = {part.name: getattr(new, part.name) for part in fields(new) if part.name != "options"}
    options = {name: getattr(new.options, name) for name in _OPTIONS}
    values |= options | {"kind": new.kind.value, "size_bytes": len(new.content)}
    import_id: int = (await connection.execute(_CREATE, values)).scalar_one()
    return import_id


async def lock_queued(connection: AsyncConnection, import_id: int) -> QueuedImport | None:
    """Take a job for this transaction; None when it has ended. Waits while another worker has it."""
    row = (await connection.execute(_LOCK, {"import_id": import_id})).mappings().one_or_none()
    if row is None:
        return None
    job = dict(row)
    options = ImportOptions(
        column_map=job.pop("column_map"),
        on_error=OnError(job.pop("on_error")),
        on_duplicate=OnDuplicate(job.pop("on_duplicate")),
        dry_run=job.pop("dry_run"),
    )
    return QueuedImport(**job | {"kind": FileKind(job["kind"]), "options": options})


async def end(connection: AsyncConnection, import_id: int, ending: Ending) -> None:
    """End a job and delete its file; of the rows with faults, keep what there is."""
    values = {name: getattr(ending, name) for name in _ENDS if hasattr(ending, name)}
    values["first_lead_id"] = ending.lead_ids[0] if ending.lead_ids else None
    values["last_lead_id"] = ending.lead_ids[-1] if ending.lead_ids else None
    values["error_count"] = ending.error_summary.total
    values["errors"] = [asdict(error) for error in ending.error_summary.errors]
    await connection.execute(_END, values | {"import_id": import_id})
    if ending.error_summary.failed_rows is not None:
        kept = {"import_id": import_id, "content": ending.error_summary.failed_rows}
        await connection.execute(_KEEP_FAILED_ROWS, kept)


async def get(connection: AsyncConnection, import_id: int, company_id: int) -> ImportRecord | None:
    """A company's job as it is stored."""
    result = await connection.execute(_GET, {"import_id": import_id, "company_id": company_id})
    row = result.mappings().one_or_none()
    return ImportRecord(**row) if row else None


async def page(
    connection: AsyncConnection, company_id: int, *, limit: int, before: int | None
) -> tuple[list[ImportRecord], bool]:
    """A company's newest jobs, without their errors, and whether there are older ones.

    Parameters
    ----------
    before
        Only jobs with smaller ids: where the page before ended.
    """
    statement: Select[tuple[object, ...]] = _LIST if before is None else _LIST.where(imports.c.id < before)
    result = await connection.execute(statement, {"company_id": company_id, "limit": limit + 1})
    jobs = [ImportRecord(**row) for row in result.mappings()]
    return jobs[:limit], len(jobs) > limit


async def failed_rows(connection: AsyncConnection, import_id: int, company_id: int) -> bytes | None:
    """What is kept of the rows of a company's job that failed, as CSV."""
    asked = {"import_id": import_id, "company_id": company_id}
    content: bytes | None = (await connection.execute(_FAILED_ROWS, asked)).scalar_one_or_none()
    return content


async def forget_failed_rows(connection: AsyncConnection) -> int:
    """Delete failed rows that were kept long enough; returns of how many jobs."""
    old = delete(import_failed_rows).where(import_failed_rows.c.created_at < func.now() - KEPT)
    return (await connection.execute(old)).rowcount


_STORED = (
    select(leads.c.id, leads.c.phone, leads.c.status)
    .where(
        leads.c.company_id == bindparam("company_id"),
        leads.c.campaign_id == bindparam("campaign_id"),
        leads.c.phone == any_(bindparam("phones", type_=ARRAY(Text))),
    )
    # In one order, so that two who lock some of the same leads cannot wait for each other.
    .order_by(leads.c.id)
)
_STORED_FOR_UPDATE = _STORED.with_for_update()


async def lock_numbers(connection: AsyncConnection, campaign_id: int) -> None:
    """Have no other import that minds duplicates look at this campaign's numbers until the transaction ends."""
    lock = text("SELECT pg_advisory_xact_lock(hashtextextended('lead.imports.numbers', :campaign_id))")
    await connection.execute(lock, {"campaign_id": campaign_id})


async def stored_leads(
    connection: AsyncConnection, company_id: int, campaign_id: int, phones: Collection[str], *, for_update: bool
) -> dict[str, StoredLead]:
    """The oldest of the campaign's leads with each of these numbers, by number."""
    asked = {"company_id": company_id, "campaign_id": campaign_id, "phones": list(phones)}
    rows = await connection.execute(_STORED_FOR_UPDATE if for_update else _STORED, asked)
    found: dict[str, StoredLead] = {}
    for row in rows:
        found.setdefault(row.phone, StoredLead(*row))
    return found


_JSON_COLUMNS: Final = frozenset({"pain_points", "requirements", "custom_fields"})
_WIRE_TYPES: Final = {
    "priority": "smallint", "lead_score": "smallint", "assigned_to": "bigint", "best_time_to_call": "time",
    "annual_revenue": "numeric",
}  # fmt: skip
_UPDATED: Final = (STATUS_CHANGED, UPDATED, ASSIGNED)


def _new_value(name: str) -> str:
    if name == "custom_fields":
        return "leads.custom_fields || coalesce(said.custom_fields::jsonb, '{}')"
    said = f"said.{name}::jsonb" if name in _JSON_COLUMNS else f"said.{name}"
    return f"coalesce({said}, leads.{name})"


_SAID: Final = ", ".join(f"{name} {_WIRE_TYPES.get(name, 'text')}" for name in LEAD_COLUMNS)
_SETS: Final = ", ".join(f"{name} = {_new_value(name)}" for name in LEAD_COLUMNS)
_GOES_WITH_STATUS: Final = goes_with_status(_new_value("status"), "leads.status")
_UPDATE: Final = event_sql.statement(
    f"""
    UPDATE leads SET {_SETS},
        {", ".join(f"{name} = {kept}" for name, kept in _GOES_WITH_STATUS.items())},
        version = leads.version + 1,
        updated_at = now()
    FROM json_to_recordset($4::json) AS said (id bigint, {_SAID}) JOIN leads AS previous ON previous.id = said.id
    WHERE leads.id = said.id AND leads.company_id = $1
    """,
    _UPDATED,
    "count(*) FROM changed",
)


async def update_leads(connection: AsyncConnection, company_id: int, said: Sequence[Mapping[str, object]]) -> None:
    """Write values over those of leads that are locked, and tell of it; what is null leaves a value as it is.

    Parameters
    ----------
    said
        The `id` of each lead and its `LEAD_COLUMNS`, as `ValidLeads` has them.
    """
    driver = await driver_connection(connection)
    await driver.execute(_UPDATE, company_id, *event_sql.frames(company_id, _UPDATED), orjson.dumps(said).decode())


_HOLD = select(imports.c.id).where(imports.c.id == bindparam("import_id")).with_for_update()
_TAKE_BACK: Final = event_sql.statement(
    """
    DELETE FROM leads
    WHERE company_id = $1 AND import_id = $4 AND id BETWEEN $5 AND $6 AND version = 1
    """,
    (DELETED,),
    "count(*) FROM changed",
    # Their last version, which nobody has read.
    version="leads.version + 1",
)
_LEFT = (
    select(leads.c.id)
    .where(
        leads.c.company_id == bindparam("company_id"),
        leads.c.import_id == bindparam("import_id"),
        # The range of ids is the primary key's: an index on `import_id` would cost every import.
        leads.c.id.between(bindparam("first_id"), bindparam("last_id")),
    )
    .order_by(leads.c.id)
)


async def hold(connection: AsyncConnection, import_id: int) -> None:
    """Wait for whoever has a job, and have it until the transaction ends."""
    await connection.execute(_HOLD, {"import_id": import_id})


async def take_back(connection: AsyncConnection, job: ImportRecord) -> tuple[int, list[int]]:
    """Delete the leads of a job that are as it made them, and tell of it.

    Returns how many there were, and the ids of those that are not.
    """
    asked = {"import_id": job.id, "first_id": job.first_lead_id, "last_id": job.last_lead_id}
    driver = await driver_connection(connection)
    deleted: int = await driver.fetchval(
        _TAKE_BACK, job.company_id, *event_sql.frames(job.company_id, (DELETED,)), *asked.values()
    )
    return deleted, list((await connection.execute(_LEFT, {"company_id": job.company_id, **asked})).scalars())


async def mark_undone(connection: AsyncConnection, import_id: int) -> None:
    """Note that a job was taken back; when it was first is kept."""
    undone_at = func.coalesce(imports.c.undone_at, func.now())
    await connection.execute(
        update(imports).where(imports.c.id == import_id).values(status="undone", undone_at=undone_at)
    )
