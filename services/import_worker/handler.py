"""What the worker does with one import job: all of its leads, or none and every reason why."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from prometheus_client import Counter, Histogram
from sqlalchemy.ext.asyncio import AsyncConnection

from services.lead_svc.imports import repository
from services.lead_svc.imports.events import as_told
from services.lead_svc.imports.loading.copy import Loaded, Report, load
from services.lead_svc.imports.loading.do_not_call_rules import hold_list, list_blacklisted
from services.lead_svc.imports.loading.update import update
from services.lead_svc.imports.options import OnDuplicate
from services.lead_svc.imports.progress import Progress, ProgressTeller
from services.lead_svc.imports.repository import Ending, QueuedImport
from services.lead_svc.imports.validation.stored_lead import StoredLead
from services.lead_svc.imports.validation.validator import Examined, ValidLeads, examine, settle, validate
from services.lead_svc.outbox import outbox
from services.lead_svc.spreadsheets.reader import read_sheet
from services.lead_svc.spreadsheets.row_errors import FileRejectedError
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
        checked, _ = await asyncio.gather(
            _check(connection, job), teller.tell(Progress(import_id=job.id, stage="reading"))
        )
    except FileRejectedError as rejection:
        await _fail(connection, job, rejection, started_at)
    else:
        await _finish(connection, job, checked, started_at, teller)
    SECONDS.observe((datetime.now(UTC) - started_at).total_seconds())


@dataclass(frozen=True, slots=True)
class _Checked:
    """What a file says, and the leads that it says it of."""

    valid: ValidLeads
    stored: Mapping[str, StoredLead]


async def _check(connection: AsyncConnection, job: QueuedImport) -> _Checked:
    # Off the event loop: a large file must not silence the broker's heartbeats.
    if job.options.on_duplicate is OnDuplicate.CREATE:
        return _Checked(await asyncio.to_thread(_read_and_validate, job), {})
    examined = await asyncio.to_thread(_read_and_examine, job)
    # Held until the commit: what another such import is about to write would not be seen yet.
    await repository.lock_numbers(connection, job.campaign_id)
    if job.options.on_duplicate is OnDuplicate.UPDATE:
        await hold_list(connection, job.company_id, for_change=examined.blacklists)
    stored = await repository.stored_leads(
        connection,
        job.company_id,
        job.campaign_id,
        examined.phones.drop_nulls().unique().to_list(),
        for_update=job.options.on_duplicate is OnDuplicate.UPDATE,
    )
    return _Checked(await asyncio.to_thread(settle, examined, job.options, stored), stored)


def _read_and_validate(job: QueuedImport) -> ValidLeads:
    return validate(read_sheet(job.content, job.kind), job.default_values, row_limit=job.row_limit, options=job.options)


def _read_and_examine(job: QueuedImport) -> Examined:
    return examine(read_sheet(job.content, job.kind), job.default_values, row_limit=job.row_limit, options=job.options)


async def _finish(
    connection: AsyncConnection, job: QueuedImport, checked: _Checked, started_at: datetime, teller: ProgressTeller
) -> None:
    valid = checked.valid
    loaded = Loaded([], [])
    if not job.options.dry_run:
        if valid.frame.height:
            loaded = await load(connection, job, valid.frame, _reporting(job, valid.frame.height, teller))
        if valid.updates is not None:
            await update(connection, job.company_id, valid.updates, checked.stored)
            await list_blacklisted(connection, job, valid.updates)
    ending = Ending(
        status="completed",
        started_at=started_at,
        row_count=valid.row_count,
        imported_count=valid.frame.height,
        updated_count=valid.updates.height if valid.updates is not None else 0,
        skipped_count=valid.skipped_count,
        lead_ids=loaded.ids,
        error=valid.error_summary.errors[0].message if valid.error_summary.errors else None,
        error_summary=valid.error_summary,
    )
    await repository.end(connection, job.id, ending)
    if not job.options.dry_run:
        shown = as_told(job, imported_count=ending.imported_count, error_count=valid.error_summary.total)
        await outbox.add(connection, job.company_id, *loaded.events, ImportCompleted(job=shown))
        LEADS.inc(len(loaded.ids))
    IMPORTS.labels("completed").inc()
    logger.info(
        "import_completed",
        import_id=job.id,
        campaign_id=job.campaign_id,
        leads=len(loaded.ids),
        updated=ending.updated_count,
        skipped=ending.skipped_count,
        dry_run=job.options.dry_run,
    )


def _reporting(job: QueuedImport, total: int, teller: ProgressTeller) -> Report:
    async def report(done: int) -> None:
        if done < total:
            await teller.tell(Progress(import_id=job.id, stage="loading", rows_done=done, rows_total=total))

    return report


async def _fail(
    connection: AsyncConnection, job: QueuedImport, rejection: FileRejectedError, started_at: datetime
) -> None:
    ending = Ending(
        status="failed",
        started_at=started_at,
        row_count=rejection.row_count,
        error=rejection.message,
        error_summary=rejection.error_summary,
    )
    await repository.end(connection, job.id, ending)
    if not job.options.dry_run:
        failed = ImportFailed(job=as_told(job, error_count=rejection.total), reason=rejection.message)
        await outbox.add(connection, job.company_id, failed)
    IMPORTS.labels("failed").inc()
    logger.info("import_failed", import_id=job.id, campaign_id=job.campaign_id, errors=rejection.total)
