"""Ends the jobs that no worker could: each job ends, whatever its file does to a worker."""

from collections.abc import Sequence

import structlog
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncConnection

from services.lead_svc.imports import repository
from services.lead_svc.imports.errors import WORKER_GAVE_UP
from services.lead_svc.imports.events import as_told
from services.lead_svc.imports.progress import Progress, ProgressTeller
from services.lead_svc.imports.repository import Ending
from services.lead_svc.outbox import outbox
from shared.events.envelope import Envelope
from shared.events.imports import ImportFailed, ImportRequested
from shared.messaging.consumer import AfterCommit, Handler

logger = structlog.get_logger(__name__)


def abort_abandoned_imports(redis: "Redis") -> Handler:
    """The handler of the import queue's dead letters."""
    teller = ProgressTeller(redis)

    async def handle(connection: AsyncConnection, events: Sequence[Envelope]) -> AfterCommit:
        aborted = []
        for event in events:
            command = ImportRequested.model_validate(event.data)
            job = await repository.lock_queued(connection, command.import_id)
            if job is None:
                continue
            await repository.end(connection, job.id, Ending(status="aborted", error=WORKER_GAVE_UP))
            if not job.options.dry_run:
                await outbox.add(connection, job.company_id, ImportFailed(job=as_told(job), reason=WORKER_GAVE_UP))
            logger.error("import_aborted", import_id=job.id)
            aborted.append(job.id)

        async def tell() -> None:
            for import_id in aborted:
                await teller.tell(Progress(import_id=import_id, stage="ended"))

        return tell

    return handle
