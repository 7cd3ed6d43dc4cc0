"""Handler of the import queue's dead letters: it aborts jobs whose command failed too often, so that every job ends."""

from collections.abc import Sequence

import structlog
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncConnection

from services.lead_svc.imports import repository
from services.lead_svc.imports.errors import WORKER_GAVE_UP
from services.lead_svc.imports.events import to_event
from services.lead_svc.imports.progress import Progress, ProgressPublisher
from services.lead_svc.imports.records import ImportResult, ImportStatus
from services.lead_svc.outbox import outbox
from shared.events.envelope import Envelope
from shared.events.imports import ImportFailed, ImportRequested
from shared.ids import ImportId
from shared.messaging.consumer import AfterCommit, Handler

logger = structlog.get_logger(__name__)


def abort_dead_imports(redis: "Redis") -> Handler:
    """Return the handler of the dead letters of the import queue."""
    publisher = ProgressPublisher(redis)

    async def handle(connection: AsyncConnection, events: Sequence[Envelope]) -> AfterCommit:
        aborted = []
        for event in events:
            import_id = ImportId(ImportRequested.model_validate(event.data).import_id)
            job = await repository.lock_queued_for_update(connection, import_id)
            if job is None:
                continue
            result = ImportResult(status=ImportStatus.ABORTED, error=WORKER_GAVE_UP)
            await repository.finish(connection, job.id, result)
            if not job.options.dry_run:
                await outbox.add(connection, job.company_id, ImportFailed(job=to_event(job), reason=WORKER_GAVE_UP))
            logger.error("import_aborted", import_id=job.id)
            aborted.append(job.id)

        async def publish_ends() -> None:
            for import_id in aborted:
                await publisher.publish(Progress(import_id=import_id, stage="ended"))

        return publish_ends

    return handle
