"""Handler of import commands: it loads all leads of a file, or none and stores every error."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from prometheus_client import Counter, Histogram
from sqlalchemy.ext.asyncio import AsyncConnection

from services.lead_svc.imports import repository
from services.lead_svc.imports.events import to_event
from services.lead_svc.imports.loading.copy import LoadedLeads, ReportProgress, load_leads
from services.lead_svc.imports.loading.do_not_call_rules import list_blacklisted_leads, lock_do_not_call_list
from services.lead_svc.imports.loading.update import update_leads
from services.lead_svc.imports.options import OnDuplicate
from services.lead_svc.imports.progress import Progress, ProgressPublisher
from services.lead_svc.imports.records import ImportResult, ImportStatus, QueuedImport, StoredLead
from services.lead_svc.imports.validation.validator import (
    CheckedRows,
    ValidLeads,
    check_rows,
    resolve_rows,
    validate_rows,
)
from services.lead_svc.outbox import outbox
from services.lead_svc.spreadsheets.reader import read_sheet
from services.lead_svc.spreadsheets.row_errors import FileRejectedError
from shared.events.envelope import Envelope
from shared.events.imports import ImportCompleted, ImportFailed, ImportRequested
from shared.ids import ImportId
from shared.messaging.consumer import AfterCommit, Handler

IMPORTS = Counter("imports_total", "Import jobs ended", ["status"])
LEADS = Counter("imported_leads_total", "Leads loaded by imports")
SECONDS = Histogram(
    "import_seconds",
    "From taking a job to the end of its work, before the commit",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60),
)

logger = structlog.get_logger(__name__)


def import_handler(publisher: ProgressPublisher) -> Handler:
    """Return the handler of `ImportRequested` commands."""

    async def handle(connection: AsyncConnection, events: Sequence[Envelope]) -> AfterCommit:
        import_ids = [ImportId(ImportRequested.model_validate(event.data).import_id) for event in events]
        for import_id in import_ids:
            await run_import(connection, import_id, publisher)

        async def publish_ends() -> None:
            for import_id in import_ids:
                await publisher.publish(Progress(import_id=import_id, stage="ended"))

        return publish_ends

    return handle


async def run_import(connection: AsyncConnection, import_id: ImportId, publisher: ProgressPublisher) -> None:
    """Load the file of a job, or end the job with its errors. A job that has ended stays unchanged."""
    job = await repository.lock_queued_for_update(connection, import_id)
    if job is None:
        logger.info("import_already_ended", import_id=import_id)
        return
    started_at = datetime.now(UTC)
    try:
        validated, _ = await asyncio.gather(
            _validate(connection, job), publisher.publish(Progress(import_id=job.id, stage="reading"))
        )
    except FileRejectedError as rejection:
        await _fail(connection, job, rejection, started_at)
    else:
        await _load(connection, job, validated, started_at, publisher)
    SECONDS.observe((datetime.now(UTC) - started_at).total_seconds())


@dataclass(frozen=True, slots=True)
class _ValidatedFile:
    """The leads of a file, and the stored leads with their numbers."""

    leads: ValidLeads
    stored_leads: Mapping[str, StoredLead]


async def _validate(connection: AsyncConnection, job: QueuedImport) -> _ValidatedFile:
    # Off the event loop: a large file must not delay the broker's heartbeats.
    if job.options.on_duplicate is OnDuplicate.CREATE:
        return _ValidatedFile(await asyncio.to_thread(_read_and_validate, job), {})
    checked = await asyncio.to_thread(_read_and_check, job)
    # Locked until the commit: leads that another import is about to write are not visible yet.
    await repository.lock_phone_numbers(connection, job.campaign_id)
    updates = job.options.on_duplicate is OnDuplicate.UPDATE
    if updates:
        await lock_do_not_call_list(connection, job.company_id, exclusive=checked.may_blacklist)
    phones = checked.rows.phones.drop_nulls().unique().to_list()
    stored_leads = await repository.find_leads_by_phone(
        connection, job.company_id, job.campaign_id, phones, for_update=updates
    )
    return _ValidatedFile(await asyncio.to_thread(resolve_rows, checked, job.options, stored_leads), stored_leads)


def _read_and_validate(job: QueuedImport) -> ValidLeads:
    sheet = read_sheet(job.content, job.kind)
    return validate_rows(sheet, job.default_values, row_limit=job.row_limit, options=job.options)


def _read_and_check(job: QueuedImport) -> CheckedRows:
    sheet = read_sheet(job.content, job.kind)
    return check_rows(sheet, job.default_values, row_limit=job.row_limit, options=job.options)


async def _load(
    connection: AsyncConnection,
    job: QueuedImport,
    validated: _ValidatedFile,
    started_at: datetime,
    publisher: ProgressPublisher,
) -> None:
    valid = validated.leads
    loaded = LoadedLeads([], [])
    if not job.options.dry_run:
        if valid.frame.height:
            loaded = await load_leads(
                connection, job, valid.frame, _progress_report(job, valid.frame.height, publisher)
            )
        if valid.updates is not None:
            await update_leads(connection, job.company_id, valid.updates, validated.stored_leads)
            await list_blacklisted_leads(connection, job, valid.updates)
    result = ImportResult(
        status=ImportStatus.COMPLETED,
        started_at=started_at,
        row_count=valid.row_count,
        imported_count=valid.frame.height,
        updated_count=valid.updates.height if valid.updates is not None else 0,
        skipped_count=valid.skipped_count,
        lead_ids=loaded.ids,
        error=valid.error_summary.errors[0].message if valid.error_summary.errors else None,
        error_summary=valid.error_summary,
    )
    await repository.finish(connection, job.id, result)
    if not job.options.dry_run:
        event_job = to_event(job, imported_count=result.imported_count, error_count=valid.error_summary.total)
        await outbox.add(connection, job.company_id, *loaded.events, ImportCompleted(job=event_job))
        LEADS.inc(len(loaded.ids))
    IMPORTS.labels("completed").inc()
    logger.info(
        "import_completed",
        import_id=job.id,
        campaign_id=job.campaign_id,
        leads=len(loaded.ids),
        updated=result.updated_count,
        skipped=result.skipped_count,
        dry_run=job.options.dry_run,
    )


def _progress_report(job: QueuedImport, row_count: int, publisher: ProgressPublisher) -> ReportProgress:
    async def report(rows_done: int) -> None:
        if rows_done < row_count:
            await publisher.publish(
                Progress(import_id=job.id, stage="loading", rows_done=rows_done, rows_total=row_count)
            )

    return report


async def _fail(
    connection: AsyncConnection, job: QueuedImport, rejection: FileRejectedError, started_at: datetime
) -> None:
    result = ImportResult(
        status=ImportStatus.FAILED,
        started_at=started_at,
        row_count=rejection.row_count,
        error=rejection.message,
        error_summary=rejection.error_summary,
    )
    await repository.finish(connection, job.id, result)
    if not job.options.dry_run:
        failed = ImportFailed(job=to_event(job, error_count=rejection.total), reason=rejection.message)
        await outbox.add(connection, job.company_id, failed)
    IMPORTS.labels("failed").inc()
    logger.info("import_failed", import_id=job.id, campaign_id=job.campaign_id, errors=rejection.total)
