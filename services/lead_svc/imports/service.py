"""Decisions about imports: whether one may start, how long its caller waits, how a job looks from outside."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from services.lead_svc.campaigns.errors import CampaignUnavailableError, InvalidCampaignError
from services.lead_svc.campaigns.lookup import CampaignLookup
from services.lead_svc.campaigns.repository import CampaignCopy
from services.lead_svc.imports import repository
from services.lead_svc.imports.api.upload import Upload
from services.lead_svc.imports.errors import (
    CAMPAIGN_UNKNOWN_NOW,
    IMPORT_FAILED,
    INVALID_CAMPAIGN,
    ImportRefused,
    import_not_found,
    not_ended,
    nothing_to_undo,
)
from services.lead_svc.imports.progress import Progress, ProgressListener
from services.lead_svc.imports.repository import ImportRecord, NewImport
from services.lead_svc.leads.repository import imported_json
from services.lead_svc.outbox import outbox
from shared.database.engine import Database
from shared.database.idempotency_keys import IdempotentRequest
from shared.events.imports import ImportRequested
from shared.http.auth import Principal
from shared.http.errors import ServiceUnavailable
from shared.http.idempotency import REPLAYED, once
from shared.http.json import JsonResponse

SYNCHRONOUS_ROWS = 1000
"""Most rows of an import whose caller waits for the leads."""
LOOK_SECONDS = 0.5
"""How often a waiting request looks at its job itself, in case the signal of its end is lost."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an import while its caller waited."""

    job: ImportRecord
    leads_json: bytes
    """The imported leads, as the inside of a JSON array; empty unless the job is completed."""
    repeated: bool = False
    """Whether the request came before: the job is that of the first time."""


@dataclass(frozen=True, slots=True)
class Undone:
    """What became of the leads of an import that was taken back."""

    deleted_count: int
    kept_lead_ids: list[int]
    """Of those that somebody has changed since."""


FollowedJob = tuple[ImportRecord, Progress | None]
"""A job, and how far it is while it has not ended."""


@dataclass(frozen=True, slots=True)
class ImportService:
    """Starts imports and follows them."""

    database: Database
    campaigns: CampaignLookup
    signals: ProgressListener

    async def run(
        self,
        caller: Principal,
        company_id: int,
        upload: Upload,
        *,
        wait_seconds: float,
        keyed: IdempotentRequest | None = None,
    ) -> Outcome:
        """Store the job with its file and its command, and wait until it has ended or ``wait_seconds`` are over.

        A request whose key came before waits for the job of the first time.

        Raises
        ------
        ImportRefused
            If the campaign is not one of the company's.
        Unavailable
            If that cannot be found out at the moment.
        Conflict, UnprocessableContent
            As ``once``.
        """
        new = NewImport(
            company_id=company_id,
            campaign_id=upload.campaign_id,
            requested_by=caller.subject,
            filename=upload.filename,
            kind=upload.kind,
            default_values=upload.default_values,
            row_limit=SYNCHRONOUS_ROWS if wait_seconds else None,
            content=upload.content,
            options=upload.options,
        )
        with ExitStack() as listening:
            import_id, repeated, ended = await self._start(caller, new, keyed, listening)
            if not (repeated and await self._has_ended(company_id, import_id)):
                await self._wait(company_id, import_id, ended, wait_seconds)
        async with self.database.transaction() as connection:
            return replace(await self._outcome(connection, company_id, import_id), repeated=repeated)

    async def _start(
        self, caller: Principal, new: NewImport, keyed: IdempotentRequest | None, listening: ExitStack
    ) -> tuple[int, bool, asyncio.Event]:
        try:
            async with self.campaigns.with_campaign(new.campaign_id, caller.token) as (connection, campaign):
                import_id, repeated = await self._store(connection, campaign, new, keyed)
                # Before the commit: afterwards the worker may be done sooner than we listen.
                return import_id, repeated, listening.enter_context(self.signals.expect(import_id))
        except InvalidCampaignError as error:
            raise ImportRefused(INVALID_CAMPAIGN) from error
        except CampaignUnavailableError as error:
            raise ServiceUnavailable(IMPORT_FAILED, CAMPAIGN_UNKNOWN_NOW) from error

    async def _store(
        self, connection: AsyncConnection, campaign: CampaignCopy, new: NewImport, keyed: IdempotentRequest | None
    ) -> tuple[int, bool]:
        """The job's id, and whether it was there before."""

        async def create() -> JsonResponse:
            if campaign.company_id != new.company_id or campaign.deleted:
                raise ImportRefused(INVALID_CAMPAIGN)
            import_id = await repository.create(connection, new)
            await outbox.command(connection, new.company_id, ImportRequested(import_id=import_id))
            return JsonResponse({"import_id": import_id})

        async def may_have_imported(kept: bytes) -> bool:
            job = await repository.get(connection, orjson.loads(kept)["import_id"], new.company_id)
            return job is not None and job.status not in ("failed", "aborted")

        # What is kept with the key is not yet the answer, but where that will be.
        stored = await once(connection, keyed, create, stands=may_have_imported)
        return orjson.loads(stored.body)["import_id"], REPLAYED in stored.headers

    async def _outcome(self, connection: AsyncConnection, company_id: int, import_id: int) -> Outcome:
        job = await repository.get(connection, import_id, company_id)
        if job is None:
            raise LookupError(f"import {import_id} is gone")
        if job.first_lead_id is None or job.last_lead_id is None:
            return Outcome(job, leads_json=b"")
        leads_json = await imported_json(connection, company_id, import_id, job.first_lead_id, job.last_lead_id)
        return Outcome(job, leads_json)

    async def _wait(self, company_id: int, import_id: int, ended: asyncio.Event, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            try:
                await asyncio.wait_for(ended.wait(), min(left, LOOK_SECONDS))
            except TimeoutError:
                if await self._has_ended(company_id, import_id):
                    return
            else:
                return

    async def _has_ended(self, company_id: int, import_id: int) -> bool:
        async with self.database.transaction() as connection:
            job = await repository.get(connection, import_id, company_id)
        return job is not None and job.finished_at is not None

    async def get(self, company_id: int, import_id: int) -> FollowedJob | None:
        """A job and, while it has not ended, how far it is; None when the company has no such job."""
        async with self.database.transaction() as connection:
            job = await repository.get(connection, import_id, company_id)
        if job is None:
            return None
        return job, await self.signals.last(import_id) if job.finished_at is None else None

    async def page(self, company_id: int, *, limit: int, before: int | None) -> tuple[list[FollowedJob], bool]:
        """A company's newest jobs, without their errors, and whether there are older ones."""
        async with self.database.transaction() as connection:
            jobs, more = await repository.page(connection, company_id, limit=limit, before=before)
        progress = await self.signals.last_of([job.id for job in jobs if job.finished_at is None])
        return [(job, progress.get(job.id)) for job in jobs], more

    async def failed_rows(self, company_id: int, import_id: int) -> bytes | None:
        """What is kept of the rows of a job that failed, as CSV; None when there is nothing, or no such job."""
        async with self.database.transaction() as connection:
            return await repository.failed_rows(connection, import_id, company_id)

    async def follow(self, company_id: int, import_id: int) -> AsyncIterator[FollowedJob]:
        """A job as it is now, and again whenever that has changed, to its end."""
        with self.signals.follow(import_id) as heard:
            before: FollowedJob | None = None
            while (now := await self.get(company_id, import_id)) is not None:
                if now != before:
                    yield now
                before = now
                if now[0].finished_at is not None:
                    return
                with suppress(TimeoutError):
                    await asyncio.wait_for(heard.wait(), LOOK_SECONDS)
                heard.clear()

    async def undo(self, company_id: int, import_id: int) -> Undone:
        """Delete the leads of an import that nobody has changed since.

        Raises
        ------
        NotFound
            If the company has no such import.
        Conflict
            If it has not ended, or imported nothing.
        """
        async with self.database.transaction() as connection:
            job = await repository.get(connection, import_id, company_id)
            if job is None:
                raise import_not_found()
            if job.finished_at is None:
                raise not_ended()
            if job.first_lead_id is None:
                raise nothing_to_undo()
            # Of one that has ended nothing changes any more, but that another may be undoing it.
            await repository.hold(connection, import_id)
            deleted, kept = await repository.take_back(connection, job)
            await repository.mark_undone(connection, import_id)
        return Undone(deleted, kept)
