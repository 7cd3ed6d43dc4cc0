"""Queries on import jobs, their files and failed rows, and on the leads that imports find, update and delete."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
from sqlalchemy import (
    BigInteger,
    LargeBinary,
    Row,
    Select,
    Text,
    any_,
    bindparam,
    cast,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from services.lead_svc.imports.lead_sql import DELETE_EVENTS, DELETE_UNCHANGED_LEADS, UPDATE_EVENTS, UPDATE_LEADS
from services.lead_svc.imports.options import ImportOptions, OnDuplicate, OnError
from services.lead_svc.imports.records import (
    ImportRecord,
    ImportRequest,
    ImportResult,
    ImportStatus,
    QueuedImport,
    StoredLead,
)
from services.lead_svc.leads.event_sql import event_parameters
from services.lead_svc.spreadsheets.file_kind import FileKind
from services.lead_svc.tables import import_failed_rows, import_files, imports, leads
from shared.database.engine import driver_connection
from shared.database.queries import load_queries
from shared.http.pagination import Page
from shared.ids import CampaignId, CompanyId, ImportId, LeadId

FAILED_ROWS_RETENTION: Final = timedelta(days=7)
"""How long the failed rows of a job are stored."""

_QUERIES: Final = load_queries(__file__, "queries.sql")
_OPTION_NAMES: Final = tuple(option.name for option in fields(ImportOptions))
_REQUEST_COLUMNS: Final = tuple(part.name for part in fields(ImportRequest) if part.name in imports.c)
_RESULT_COLUMNS: Final = (
    "status", "started_at", "row_count", "imported_count", "updated_count", "skipped_count", "first_lead_id",
    "last_lead_id", "error", "error_count", "errors",
)  # fmt: skip

# Statements are built once, and statements that belong together are one statement: a caller waits for each.
_INSERTED_JOB = (
    insert(imports)
    .values({name: bindparam(name) for name in (*_REQUEST_COLUMNS, *_OPTION_NAMES)})
    .values({name: bindparam(name) for name in ("company_id", "requested_by", "row_limit", "size_bytes")})
    .returning(imports.c.id)
    .cte("job")
)
_INSERT_JOB_AND_FILE = (
    insert(import_files)
    .from_select(["import_id", "content"], select(_INSERTED_JOB.c.id, bindparam("content", type_=LargeBinary)))
    .returning(import_files.c.import_id)
)
_LOCK_QUEUED = (
    select(*(imports.c[part.name] for part in fields(QueuedImport) if part.name in imports.c))
    .add_columns(import_files.c.content, *(imports.c[name] for name in _OPTION_NAMES))
    .join(import_files, import_files.c.import_id == imports.c.id)
    .where(imports.c.id == bindparam("import_id"), imports.c.status == ImportStatus.QUEUED)
    .with_for_update(of=imports)
)
_FINISH = (
    update(imports)
    .where(imports.c.id == bindparam("import_id"))
    .values({name: bindparam(name) for name in _RESULT_COLUMNS})
    .values(finished_at=func.clock_timestamp())
    .add_cte(delete(import_files).where(import_files.c.import_id == bindparam("import_id")).cte("file"))
)
_INSERT_FAILED_ROWS = insert(import_failed_rows)
_GET = select(*(imports.c[part.name] for part in fields(ImportRecord))).where(
    imports.c.id == bindparam("import_id"), imports.c.company_id == bindparam("company_id")
)
# Without the row errors, which would be most of the bytes of a page; the number of errors is a column of its own.
_LIST = (
    select(
        *(imports.c[part.name] for part in fields(ImportRecord) if part.name != "errors"),
        cast("[]", JSONB).label("errors"),
    )
    .where(imports.c.company_id == bindparam("company_id"))
    .order_by(imports.c.id.desc())
    .limit(bindparam("limit"))
)
_GET_FAILED_ROWS = (
    select(import_failed_rows.c.content)
    .join(imports, imports.c.id == import_failed_rows.c.import_id)
    .where(imports.c.id == bindparam("import_id"), imports.c.company_id == bindparam("company_id"))
)


async def create(
    connection: AsyncConnection,
    company_id: CompanyId,
    request: ImportRequest,
    *,
    requested_by: str,
    row_limit: int | None,
) -> ImportId:
    """Store a job and its file, and return the job's id.

    Parameters
    ----------
    requested_by
        Subject of the caller.
    row_limit
        Maximum number of rows of the file; None for no limit.
    """
    values = {
        "company_id": company_id,
        "requested_by": requested_by,
        "row_limit": row_limit,
        "content": request.content,
        "size_bytes": len(request.content),
        **{name: getattr(request, name) for name in _REQUEST_COLUMNS},
        **{name: getattr(request.options, name) for name in _OPTION_NAMES},
    }
    import_id: ImportId = (await connection.execute(_INSERT_JOB_AND_FILE, values)).scalar_one()
    return import_id


async def lock_queued_for_update(connection: AsyncConnection, import_id: ImportId) -> QueuedImport | None:
    """Lock a job until the transaction ends and return it; None when it has ended.

    Waits while another worker has the lock.
    """
    row = (await connection.execute(_LOCK_QUEUED, {"import_id": import_id})).one_or_none()
    if row is None:
        return None
    return QueuedImport(
        id=row.id,
        company_id=row.company_id,
        campaign_id=row.campaign_id,
        filename=row.filename,
        kind=FileKind(row.kind),
        content=row.content,
        default_values=row.default_values,
        row_limit=row.row_limit,
        options=ImportOptions(
            column_map=row.column_map,
            on_error=OnError(row.on_error),
            on_duplicate=OnDuplicate(row.on_duplicate),
            dry_run=row.dry_run,
        ),
    )


async def finish(connection: AsyncConnection, import_id: ImportId, result: ImportResult) -> None:
    """Store the result of a job with its failed rows, if there are any, and delete its file."""
    values = {name: getattr(result, name) for name in _RESULT_COLUMNS if hasattr(result, name)}
    values["first_lead_id"] = result.lead_ids[0] if result.lead_ids else None
    values["last_lead_id"] = result.lead_ids[-1] if result.lead_ids else None
    values["error_count"] = result.error_summary.total
    values["errors"] = [asdict(error) for error in result.error_summary.errors]
    await connection.execute(_FINISH, values | {"import_id": import_id})
    if result.error_summary.failed_rows is not None:
        failed_rows = {"import_id": import_id, "content": result.error_summary.failed_rows}
        await connection.execute(_INSERT_FAILED_ROWS, failed_rows)


async def get(connection: AsyncConnection, import_id: ImportId, company_id: CompanyId) -> ImportRecord | None:
    """Return a job of a company."""
    row = (await connection.execute(_GET, {"import_id": import_id, "company_id": company_id})).one_or_none()
    return _to_record(row) if row else None


async def list_newest(
    connection: AsyncConnection, company_id: CompanyId, *, limit: int, before_id: ImportId | None
) -> Page[ImportRecord]:
    """Return a company's newest jobs, without their errors.

    Parameters
    ----------
    before_id
        Only jobs with smaller ids: the last id of the previous page.
    """
    statement: Select[tuple[object, ...]] = _LIST if before_id is None else _LIST.where(imports.c.id < before_id)
    rows = await connection.execute(statement, {"company_id": company_id, "limit": limit + 1})
    return Page.of([_to_record(row) for row in rows], limit, lambda job: job.id)


def _to_record(row: Row[Any]) -> ImportRecord:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public accessor, with an underscore for its namespace
    return ImportRecord(
        **values
        | {
            "status": ImportStatus(row.status),
            "on_error": OnError(row.on_error),
            "on_duplicate": OnDuplicate(row.on_duplicate),
        }
    )


async def get_failed_rows(connection: AsyncConnection, import_id: ImportId, company_id: CompanyId) -> bytes | None:
    """Return the stored failed rows of a company's job, as CSV; None when there are none."""
    parameters = {"import_id": import_id, "company_id": company_id}
    content: bytes | None = (await connection.execute(_GET_FAILED_ROWS, parameters)).scalar_one_or_none()
    return content


async def delete_expired_failed_rows(connection: AsyncConnection) -> int:
    """Delete failed rows that are older than `FAILED_ROWS_RETENTION`; return the number of jobs."""
    expired = import_failed_rows.c.created_at < func.now() - FAILED_ROWS_RETENTION
    return (await connection.execute(delete(import_failed_rows).where(expired))).rowcount


_LOCK_PHONE_NUMBERS = select(
    func.pg_advisory_xact_lock(
        func.hashtextextended("lead.imports.numbers", bindparam("campaign_id", type_=BigInteger))
    )
)
_FIND_LEADS = (
    select(leads.c.id, leads.c.phone, leads.c.status)
    .where(
        leads.c.company_id == bindparam("company_id"),
        leads.c.campaign_id == bindparam("campaign_id"),
        leads.c.phone == any_(bindparam("phones", type_=ARRAY(Text))),
    )
    # In one order, so that two transactions that lock some of the same leads cannot deadlock.
    .order_by(leads.c.id)
)
_FIND_LEADS_FOR_UPDATE = _FIND_LEADS.with_for_update()


async def lock_phone_numbers(connection: AsyncConnection, campaign_id: CampaignId) -> None:
    """Lock the campaign's phone numbers against other imports that look for duplicates, until the transaction ends."""
    await connection.execute(_LOCK_PHONE_NUMBERS, {"campaign_id": campaign_id})


async def find_leads_by_phone(
    connection: AsyncConnection,
    company_id: CompanyId,
    campaign_id: CampaignId,
    phones: Collection[str],
    *,
    for_update: bool,
) -> dict[str, StoredLead]:
    """Return the campaign's oldest lead with each of these numbers, by number; with `for_update` it is locked."""
    parameters = {"company_id": company_id, "campaign_id": campaign_id, "phones": list(phones)}
    rows = await connection.execute(_FIND_LEADS_FOR_UPDATE if for_update else _FIND_LEADS, parameters)
    oldest: dict[str, StoredLead] = {}
    for row in rows:
        oldest.setdefault(row.phone, StoredLead(*row))
    return oldest


async def next_lead_ids(connection: AsyncConnection, count: int) -> tuple[list[LeadId], datetime]:
    """Reserve ids for `count` new leads; return them and the time that the transaction writes on its rows."""
    driver = await driver_connection(connection)
    row = await driver.fetchrow(_QUERIES.next_lead_ids, count)
    return row["ids"], row["now"]


async def update_leads(
    connection: AsyncConnection, company_id: CompanyId, rows: Sequence[Mapping[str, object]]
) -> None:
    """Update locked leads and emit the events of it. A null leaves the lead's value.

    Parameters
    ----------
    rows
        The `id` of each lead and its `LEAD_COLUMNS`, in the form of `ValidLeads.updates`.
    """
    driver = await driver_connection(connection)
    frames = event_parameters(company_id, UPDATE_EVENTS)
    await driver.execute(UPDATE_LEADS, company_id, *frames, orjson.dumps(rows).decode())


_LOCK = select(imports.c.id).where(imports.c.id == bindparam("import_id")).with_for_update()
_REMAINING_LEADS = (
    select(leads.c.id)
    .where(
        leads.c.company_id == bindparam("company_id"),
        leads.c.import_id == bindparam("import_id"),
        # The range of ids is the primary key's: an index on `import_id` would cost every import.
        leads.c.id.between(bindparam("first_id"), bindparam("last_id")),
    )
    .order_by(leads.c.id)
)


async def lock_for_update(connection: AsyncConnection, import_id: ImportId) -> None:
    """Lock a job until the transaction ends; waits while another transaction has the lock."""
    await connection.execute(_LOCK, {"import_id": import_id})


async def delete_unchanged_leads(connection: AsyncConnection, job: ImportRecord) -> tuple[int, list[LeadId]]:
    """Delete the leads that a job created and that have not changed since, and emit `lead.deleted`.

    Returns the number of deleted leads, and the ids of the leads that have changed and remain.
    """
    parameters = {"import_id": job.id, "first_id": job.first_lead_id, "last_id": job.last_lead_id}
    driver = await driver_connection(connection)
    frames = event_parameters(job.company_id, DELETE_EVENTS)
    deleted: int = await driver.fetchval(DELETE_UNCHANGED_LEADS, job.company_id, *frames, *parameters.values())
    remaining = await connection.execute(_REMAINING_LEADS, {"company_id": job.company_id, **parameters})
    return deleted, list(remaining.scalars())


async def mark_undone(connection: AsyncConnection, import_id: ImportId) -> None:
    """Give a job the status `undone`; the time of the first undo stays."""
    undone_at = func.coalesce(imports.c.undone_at, func.now())
    await connection.execute(
        update(imports).where(imports.c.id == import_id).values(status=ImportStatus.UNDONE, undone_at=undone_at)
    )
