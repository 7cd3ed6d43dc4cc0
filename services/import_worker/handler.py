"""What the worker does with one import job: all of its leads, or none and every reason why."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime

import structlog
from prometheus_client import Counter, Histogram
from sqlalchemy.ext.asyncio import AsyncConnection

from services.lead_svc.imports import repository
from services.lead_svc.imports.errors import ImportRejected
from services.lead_svc.imports.events import as_told
from services.lead_svc.imports.loading import load
from services.lead_svc.imports.reading import read
from services.lead_svc.imports.repository import QueuedImport
from services.lead_svc.imports.signals import Progress, ProgressTeller
from services.lead_svc.imports.validation import ValidLeads, validate
from services.lead_svc.outbox import outbox
from shared.events.envelope import Envelope
from shared.events.imports import ImportCompleted, ImportFailed, ImportRequested
from shared.messaging.consumer import AfterCommit, Handler

IMPORTS = Counter("imports_total", "Import jobs ended", ["status"])
LEADS = Counter("imported_leads_total", "Leads loaded by imports")
SECONDS = Histogram(
    "import_seconds",
    "From taking a job to the end of its work, before the commit",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60),
)

logger = structlog.get_logger(__name__)


def import_handler(teller: ProgressTeller) -> Handler:
    """The handler of `ImportRequested` commands."""

    async def handle(connection: AsyncConnection, events: Sequence[Envelope]) -> AfterCommit:
        import_ids = [ImportRequested.model_validate(event.data).import_id for event in events]
        for import_id in import_ids:
            await run_import(connection, import_id, teller)

        async def tell_ends() -> None:
            for import_id in import_ids:
                await teller.tell(Progress(import_id=import_id, stage="ended"))

        return tell_ends

    return handle


async def run_import(connection: AsyncConnection, import_id: int, teller: ProgressTeller) -> None:
    """Load the file of one job, or end the job with its errors; a job that has ended is left as it is."""
    job = await repository.lock_queued(connection, import_id)
    if job is None:
        logger.info("import_already_ended", import_id=import_id)
        return
    started_at = datetime.now(UTC)
    try:
        # Off the event loop: a large file must not silence the broker's heartbeats.
        valid, _ = await asyncio.gather(
            asyncio.to_thread(_read_and_validate, job), teller.tell(Progress(import_id=job.id, stage="reading"))
        )
    except ImportRejected as rejection:
        await _fail(connection, job, rejection, started_at)
    else:
        await _load(connection, job, valid, started_at, teller)
    SECONDS.observe((datetime.now(UTC) - started_at).total_seconds())


def _read_and_validate(job: QueuedImport) -> ValidLeads:
    return validate(read(job.content, job.kind), job.default_values, row_limit=job.row_limit)


async def _load(
    connection: AsyncConnection, job: QueuedImport, valid: ValidLeads, started_at: datetime, teller: ProgressTeller
) -> None:
    total = valid.frame.height

    async def report(done: int) -> None:
        if done < total:
            await teller.tell(Progress(import_id=job.id, stage="loading", rows_done=done, rows_total=total))

    loaded = await load(connection, job, valid.frame, report)
    await repository.complete(connection, job.id, started_at=started_at, lead_ids=loaded.ids)
    completed = ImportCompleted(job=as_told(job, imported_count=total))
    await outbox.add(connection, job.company_id, *loaded.events, completed)
    IMPORTS.labels("completed").inc()
    LEADS.inc(total)
    logger.info("import_completed", import_id=job.id, campaign_id=job.campaign_id, leads=total)


async def _fail(
    connection: AsyncConnection, job: QueuedImport, rejection: ImportRejected, started_at: datetime
) -> None:
    await repository.fail(
        connection,
        job.id,
        status="failed",
        started_at=started_at,
        error=rejection.message,
        error_count=rejection.total,
        errors=[asdict(error) for error in rejection.errors],
    )
    failed = ImportFailed(job=as_told(job, error_count=rejection.total), reason=rejection.message)
    await outbox.add(connection, job.company_id, failed)
    IMPORTS.labels("failed").inc()
    logger.info("import_failed", import_id=job.id, campaign_id=job.campaign_id, errors=rejection.total)
