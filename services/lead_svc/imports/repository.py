"""Queries on import jobs and their files."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from typing import Literal

from sqlalchemy import LargeBinary, bindparam, delete, func, insert, select, update
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


@dataclass(frozen=True, slots=True)
class _End:
    """What is written of a job when it ends."""

    status: Literal["completed", "failed", "aborted"]
    started_at: datetime | None
    row_count: int | None = None
    imported_count: int = 0
    first_lead_id: int | None = None
    last_lead_id: int | None = None
    error: str | None = None
    error_count: int = 0
    errors: list[dict[str, object]] = field(default_factory=list)


# Statements are built once, and those that belong together are one: a caller waits for each.
_JOB = (
    insert(imports)
    .values({part.name: bindparam(part.name) for part in fields(NewImport) if part.name in imports.c})
    .values(size_bytes=bindparam("size_bytes"))
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
    .add_columns(import_files.c.content)
    .join(import_files, import_files.c.import_id == imports.c.id)
    .where(imports.c.id == bindparam("import_id"), imports.c.status == "queued")
    .with_for_update(of=imports)
)
_END = (
    update(imports)
    .where(imports.c.id == bindparam("import_id"))
    .values({part.name: bindparam(part.name) for part in fields(_End)})
    .values(finished_at=func.clock_timestamp())
    .add_cte(delete(import_files).where(import_files.c.import_id == bindparam("import_id")).cte("file"))
)
_GET = select(*(imports.c[part.name] for part in fields(ImportRecord))).where(
    imports.c.id == bindparam("import_id"), imports.c.company_id == bindparam("company_id")
)


async def create(connection: AsyncConnection, new: NewImport) -> int:
    """Store a job and its file; returns the job's id."""
    values = {part.name: getattr(new, part.name) for part in fields(new)}
    result = await connection.execute(_CREATE, values | {"kind": new.kind.value, "size_bytes": len(new.content)})
    import_id: int = result.scalar_one()
    return import_id


async def lock_queued(connection: AsyncConnection, import_id: int) -> QueuedImport | None:
    """Take a job for this transaction; None when it has ended. Waits while another worker has it."""
    job = (await connection.execute(_LOCK, {"import_id": import_id})).mappings().one_or_none()
    return QueuedImport(**{**job, "kind": FileKind(job["kind"])}) if job is not None else None


async def complete(
    connection: AsyncConnection, import_id: int, *, started_at: datetime, lead_ids: Sequence[int]
) -> None:
    """End a job whose leads are loaded, and delete its file."""
    end = _End(
        status="completed",
        started_at=started_at,
        row_count=len(lead_ids),
        imported_count=len(lead_ids),
        first_lead_id=lead_ids[0],
        last_lead_id=lead_ids[-1],
    )
    await connection.execute(_END, asdict(end) | {"import_id": import_id})


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
    end = _End(status=status, started_at=started_at, error=error, error_count=error_count, errors=list(errors))
    await connection.execute(_END, asdict(end) | {"import_id": import_id})


async def get(connection: AsyncConnection, import_id: int, company_id: int) -> ImportRecord | None:
    """A company's job as it is stored."""
    result = await connection.execute(_GET, {"import_id": import_id, "company_id": company_id})
    row = result.mappings().one_or_none()
    return ImportRecord(**row) if row else None
