"""Queries on import jobs and their files."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Literal

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.lead_svc.imports.formats import FileKind
from services.lead_svc.tables import import_files, imports


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


@dataclass(frozen=True, slots=True)
class ImportRecord:
    """A job as it is stored, without its file."""

    id: int
    company_id: int
    campaign_id: int
    filename: str
    size_bytes: int
    status: str
    row_count: int | None
    imported_count: int
    first_lead_id: int | None
    last_lead_id: int | None
    error: str | None
    error_count: int
    errors: list[dict[str, object]]
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


_RECORD = [imports.c[field.name] for field in fields(ImportRecord)]


async def create(connection: AsyncConnection, new: NewImport) -> int:
    """Store a job and its file; returns the job's id."""
    job = insert(imports).returning(imports.c.id)
    result = await connection.execute(
        job.values(
            company_id=new.company_id,
            campaign_id=new.campaign_id,
            requested_by=new.requested_by,
            filename=new.filename,
            kind=new.kind.value,
            size_bytes=len(new.content),
            default_values=new.default_values,
            row_limit=new.row_limit,
        )
    )
    import_id: int = result.scalar_one()
    await connection.execute(insert(import_files).values(import_id=import_id, content=new.content))
    return import_id


async def lock_queued(connection: AsyncConnection, import_id: int) -> QueuedImport | None:
    """Take a job for this transaction; None when it has ended. Waits while another worker has it."""
    query = (
        select(
            imports.c.id,
            imports.c.company_id,
            imports.c.campaign_id,
            imports.c.filename,
            imports.c.kind,
            imports.c.default_values,
            imports.c.row_limit,
            import_files.c.content,
        )
        .join(import_files, import_files.c.import_id == imports.c.id)
        .where(imports.c.id == import_id, imports.c.status == "queued")
        .with_for_update(of=imports)
    )
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        return None
    return QueuedImport(
        id=row.id,
        company_id=row.company_id,
        campaign_id=row.campaign_id,
        filename=row.filename,
        kind=FileKind(row.kind),
        default_values=row.default_values,
        row_limit=row.row_limit,
        content=row.content,
    )


async def complete(
    connection: AsyncConnection, import_id: int, *, started_at: datetime, lead_ids: Sequence[int]
) -> None:
    """End a job whose leads are loaded, and delete its file."""
    await _end(
        connection,
        import_id,
        status="completed",
        started_at=started_at,
        row_count=len(lead_ids),
        imported_count=len(lead_ids),
        first_lead_id=lead_ids[0],
        last_lead_id=lead_ids[-1],
    )


async def fail(
    connection: AsyncConnection,
    import_id: int,
    *,
    status: Literal["failed", "aborted"],
    error: str,
    started_at: datetime | None = None,
    error_count: int = 0,
    errors: Sequence[dict[str, object]] = (),
) -> None:
    """End a job of which nothing is loaded, and delete its file.

    Parameters
    ----------
    status
        ``failed`` when the file is at fault, ``aborted`` when it is not known to be.
    """
    await _end(
        connection,
        import_id,
        status=status,
        started_at=started_at,
        error=error,
        error_count=error_count,
        errors=list(errors),
    )


async def _end(connection: AsyncConnection, import_id: int, **values: object) -> None:
    await connection.execute(
        update(imports).where(imports.c.id == import_id).values(finished_at=func.clock_timestamp(), **values)
    )
    await connection.execute(delete(import_files).where(import_files.c.import_id == import_id))


async def get(connection: AsyncConnection, import_id: int, company_id: int) -> ImportRecord | None:
    """A company's job as it is stored."""
    query = select(*_RECORD).where(imports.c.id == import_id, imports.c.company_id == company_id)
    row = (await connection.execute(query)).mappings().one_or_none()
    return ImportRecord(**row) if row else None
