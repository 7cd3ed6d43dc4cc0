"""Use cases of imports: start and wait, follow, list, undo."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from services.lead_svc.campaigns.errors import INVALID_CAMPAIGN, CampaignUnavailableError, InvalidCampaignError
from services.lead_svc.campaigns.lookup import CampaignLookup
from services.lead_svc.campaigns.repository import CampaignCopy
from services.lead_svc.imports import repository
from services.lead_svc.imports.errors import (
    ImportRequestError,
    campaign_unknown_now,
    import_not_found,
    no_failed_rows,
    not_ended,
    nothing_to_undo,
)
from services.lead_svc.imports.progress import Progress, ProgressSubscriber
from services.lead_svc.imports.records import ImportRecord, ImportRequest, ImportStatus
from services.lead_svc.leads.repository import imported_json
from services.lead_svc.outbox import outbox
from shared.database.engine import Database
from shared.database.idempotency_keys import IdempotentRequest
from shared.events.imports import ImportRequested
from shared.http.auth import Principal
from shared.http.pagination import Page
from shared.idempotent_execution import Idempotent, run_idempotent
from shared.ids import CompanyId, ImportId, LeadId

MAX_SYNCHRONOUS_ROWS: Final = 1000
"""Maximum number of rows of an import whose caller waits for the leads."""


@dataclass(frozen=True, slots=True)
class StartedImport:
    """A job as it is when its caller stops waiting."""

    job: ImportRecord
    leads_json: bytes
    """The imported leads as the inside of a JSON array; empty unless the job is completed."""
    replayed: bool = False
    """Whether the request is a repetition: the job belongs to the first request."""


@dataclass(frozen=True, slots=True)
class FollowedImport:
    """A job and its progress."""

    job: ImportRecord
    progress: Progress | None
    """None when the job has ended, and when no progress was published."""


@dataclass(frozen=True, slots=True)
class UndoResult:
    """The result of an undo."""

    deleted_count: int
    changed_lead_ids: list[LeadId]
    """Ids of the leads that have changed since the import and remain."""


@dataclass(frozen=True, slots=True)
class ImportService:
    """Starts, follows and undoes imports.

    Parameters
    ----------
    wait_seconds
        How long a synchronous request waits for the end of its job.
    poll_seconds
        Interval at which a waiting or following request reads its job, in case a message of Redis is lost.
    """

    database: Database
    campaigns: CampaignLookup
    progress: ProgressSubscriber
    wait_seconds: float
    poll_seconds: float

    async def start(
        self,
        caller: Principal,
        company_id: CompanyId,
        request: ImportRequest,
        *,
        wait: bool,
        idempotent: IdempotentRequest | None = None,
    ) -> StartedImport:
        """Store the job with its file and its command; with `wait`, wait until it ends or `wait_seconds` have passed.

        A repeated request waits for the job of the first request.

        Raises
        ------
        ImportRequestError
            If the campaign does not exist or belongs to another company.
        ServiceUnavailable
            If the campaign cannot be checked at the moment.
        Conflict, UnprocessableContent
            If the idempotency key is in use, or was used for another request.
        """
        with ExitStack() as subscriptions:
            stored, ended = await self._store(caller, company_id, request, wait, idempotent, subscriptions)
            import_id = stored.result
            if wait and not (stored.replayed and await self._has_ended(company_id, import_id)):
                await self._wait(company_id, import_id, ended)
        async with self.database.transaction() as connection:
            return replace(await self._started(connection, company_id, import_id), replayed=stored.replayed)

    async def _store(
        self,
        caller: Principal,
        company_id: CompanyId,
        request: ImportRequest,
        wait: bool,
        idempotent: IdempotentRequest | None,
        subscriptions: ExitStack,
    ) -> tuple[Idempotent[ImportId], asyncio.Event]:
        try:
            async with self.campaigns.with_campaign(request.campaign_id, caller.token) as (connection, campaign):
                stored = await run_idempotent(
                    connection,
                    idempotent,
                    partial(_create, connection, campaign, caller, company_id, request, wait),
                    encode=_encode,
                    decode=_decode,
                    is_still_valid=partial(_may_have_imported, connection, company_id),
                )
                # Before the commit: after it, the worker may end the job before the subscription begins.
                return stored, subscriptions.enter_context(self.progress.subscribe_to_end(stored.result))
        except InvalidCampaignError as error:
            raise ImportRequestError(INVALID_CAMPAIGN) from error
        except CampaignUnavailableError as error:
            raise campaign_unknown_now() from error

    async def _started(self, connection: AsyncConnection, company_id: CompanyId, import_id: ImportId) -> StartedImport:
        job = await repository.get(connection, import_id, company_id)
        if job is None:
            raise LookupError(f"import {import_id} does not exist")
        if job.first_lead_id is None or job.last_lead_id is None:
            return StartedImport(job, leads_json=b"")
        leads_json = await imported_json(connection, company_id, import_id, job.first_lead_id, job.last_lead_id)
        return StartedImport(job, leads_json)

    async def _wait(self, company_id: CompanyId, import_id: ImportId, ended: asyncio.Event) -> None:
        deadline = time.monotonic() + self.wait_seconds
        while (seconds_left := deadline - time.monotonic()) > 0:
            try:
                await asyncio.wait_for(ended.wait(), min(seconds_left, self.poll_seconds))
            except TimeoutError:
                if await self._has_ended(company_id, import_id):
                    return
            else:
                return

    async def _has_ended(self, company_id: CompanyId, import_id: ImportId) -> bool:
        async with self.database.transaction() as connection:
            job = await repository.get(connection, import_id, company_id)
        return job is not None and job.finished_at is not None

    async def get(self, company_id: CompanyId, import_id: ImportId) -> FollowedImport:
        """Return a job and its progress.

        Raises
        ------
        NotFound
            If the company has no such import.
        """
        async with self.database.transaction() as connection:
            job = await repository.get(connection, import_id, company_id)
        if job is None:
            raise import_not_found()
        return FollowedImport(job, await self.progress.latest(import_id) if job.finished_at is None else None)

    async def list_newest(
        self, company_id: CompanyId, *, limit: int, before_id: ImportId | None
    ) -> Page[FollowedImport]:
        """Return a company's newest jobs, without their errors."""
        async with self.database.transaction() as connection:
            page = await repository.list_newest(connection, company_id, limit=limit, before_id=before_id)
        progress = await self.progress.latest_by_id([job.id for job in page.items if job.finished_at is None])
        return Page([FollowedImport(job, progress.get(job.id)) for job in page.items], page.next_cursor)

    async def failed_rows(self, company_id: CompanyId, import_id: ImportId) -> bytes:
        """Return the stored failed rows of a job, as CSV.

        Raises
        ------
        NotFound
            If there are none, or the company has no such import.
        """
        async with self.database.transaction() as connection:
            content = await repository.get_failed_rows(connection, import_id, company_id)
        if content is None:
            raise no_failed_rows()
        return content

    async def follow(self, company_id: CompanyId, import_id: ImportId) -> AsyncIterator[FollowedImport]:
        """Yield a job, and again whenever it or its progress has changed, until it ends."""
        with self.progress.subscribe(import_id) as received:
            previous: FollowedImport | None = None
            while True:
                current = await self.get(company_id, import_id)
                if current != previous:
                    yield current
                if current.job.finished_at is not None:
                    return
                previous = current
                with suppress(TimeoutError):
                    await asyncio.wait_for(received.wait(), self.poll_seconds)
                received.clear()

    async def undo(self, company_id: CompanyId, import_id: ImportId) -> UndoResult:
        """Delete the leads of an import that have not changed since.

        Raises
        ------
        NotFound
            If the company has no such import.
        Conflict
            If the import has not ended, or created no leads.
        """
        async with self.database.transaction() as connection:
            job = await repository.get(connection, import_id, company_id)
            if job is None:
                raise import_not_found()
            if job.finished_at is None:
                raise not_ended()
            if job.first_lead_id is None:
                raise nothing_to_undo()
            # Nothing about an ended job changes any more, except that another request may be undoing it.
            await repository.lock_for_update(connection, import_id)
            deleted_count, changed_lead_ids = await repository.delete_unchanged_leads(connection, job)
            await repository.mark_undone(connection, import_id)
        return UndoResult(deleted_count, changed_lead_ids)


async def _create(
    connection: AsyncConnection,
    campaign: CampaignCopy,
    caller: Principal,
    company_id: CompanyId,
    request: ImportRequest,
    wait: bool,
) -> ImportId:
    if campaign.company_id != company_id or campaign.deleted:
        raise ImportRequestError(INVALID_CAMPAIGN)
    row_limit = MAX_SYNCHRONOUS_ROWS if wait else None
    import_id = await repository.create(
        connection, company_id, request, requested_by=caller.subject, row_limit=row_limit
    )
    await outbox.command(connection, company_id, ImportRequested(import_id=import_id))
    return import_id


async def _may_have_imported(connection: AsyncConnection, company_id: CompanyId, import_id: ImportId) -> bool:
    job = await repository.get(connection, import_id, company_id)
    return job is not None and job.status not in (ImportStatus.FAILED, ImportStatus.ABORTED)


def _encode(import_id: ImportId) -> bytes:
    return orjson.dumps({"import_id": import_id})


def _decode(stored: bytes) -> ImportId:
    return ImportId(orjson.loads(stored)["import_id"])
