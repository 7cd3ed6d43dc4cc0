"""Import jobs over HTTP: the history, how far one is, what was wrong with its file, and taking it back."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from enum import StrEnum
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Header, Path, Query, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.responses import Response

from services.lead_svc.imports.api.presentation import show_in_list, show_job
from services.lead_svc.imports.api.schemas import ImportErrors, ImportJob, ImportPage, ImportUndone
from services.lead_svc.imports.api.template import template_rows
from services.lead_svc.imports.errors import IMPORT_UNDONE, import_not_found, no_failed_rows, not_ended, nothing_to_undo
from services.lead_svc.imports.failed_rows import as_csv, as_workbook, rows_of
from services.lead_svc.imports.service import FollowedJob, ImportService
from shared.http.auth import CompanyInPath
from shared.http.json import JsonResponse, dump
from shared.http.openapi import documented_errors
from shared.http.parameters import MAX_ID, StrictIntText

router = APIRouter(prefix="/api/company/voice-leads/company/{companyId}/imports", tags=["Lead imports"])

CSV: Final = "text/csv"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
LARGEST_PAGE: Final = 200


_ONE_FILE_AT_A_TIME: Final = asyncio.Lock()
"""A large one takes seconds of the processor and megabytes of the disk."""


class FileFormat(StrEnum):
    """Kinds of files that are given out."""

    CSV = "csv"
    XLSX = "xlsx"


class ReportFormat(StrEnum):
    """How errors are told: by name, or in the file's own rows."""

    JSON = "json"
    CSV = "csv"
    XLSX = "xlsx"


_BY_MEDIA_TYPE: Final = {"application/json": ReportFormat.JSON, CSV: ReportFormat.CSV, XLSX: ReportFormat.XLSX}

_FILE: Final[dict[str, Any]] = {
    CSV: {"schema": {"type": "string", "description": "UTF-8 with a byte order mark."}},
    XLSX: {"schema": {"type": "string", "format": "binary"}},
}
_DISPOSITION: Final[dict[str, Any]] = {
    "Content-Disposition": {"description": "The file's name.", "schema": {"type": "string"}}
}

ImportIdInPath = Annotated[
    int, Path(alias="importId", ge=1, le=MAX_ID, description="Id of the import.", examples=[1]), StrictIntText
]


class _Events(EventSourceResponse):
    """FastAPI gives a stream its media type itself; named here, the document would show errors as streams too."""

    media_type = None  # type: ignore[assignment] # Starlette itself has None for a response without one


async def _job(request: Request, company_id: CompanyInPath, import_id: ImportIdInPath) -> FollowedJob:
    service: ImportService = request.app.state.imports
    found = await service.get(company_id, import_id)
    if found is None:
        raise import_not_found()
    return found


Job = Annotated[FollowedJob, Depends(_job)]
"""Parameter of an endpoint: the import of the path, which the company must have."""


@router.get(
    "",
    summary="List lead imports",
    responses={
        200: {
            "model": ImportPage,
            "description": "The imports, also when there are none.",
            "headers": {
                "Link": {
                    "description": 'The next page, where there is one (RFC 8288, `rel="next"`).',
                    "schema": {"type": "string"},
                }
            },
        }
    },
)
async def list_imports(
    request: Request,
    company_id: CompanyInPath,
    limit: Annotated[int, Query(ge=1, le=LARGEST_PAGE, description="Most imports of the answer."), StrictIntText] = 50,
    cursor: Annotated[
        int | None,
        Query(ge=1, le=MAX_ID, description="Where the page before ended, as its `Link` says."),
        StrictIntText,
    ] = None,
) -> Response:
    """The company's imports, newest first, without their errors."""
    service: ImportService = request.app.state.imports
    jobs, more = await service.page(company_id, limit=limit, before=cursor)
    headers = {}
    if more:
        following = urlencode({"limit": limit, "cursor": jobs[-1][0].id})
        headers["Link"] = f'<{request.url.path}?{following}>; rel="next"'
    return JsonResponse({"data": [show_in_list(*job) for job in jobs]}, headers=headers)


@router.get(
    "/template",
    summary="Get a template for lead files",
    response_class=Response,
    responses={200: {"description": "The file.", "content": _FILE, "headers": _DISPOSITION}},
)
async def get_import_template(
    _company_id: CompanyInPath,
    file_format: Annotated[FileFormat, Query(alias="format", description="Kind of file.")] = FileFormat.CSV,
) -> Response:
    """A file with the header that an import knows, and one lead as an example. Only `phone` is required."""
    return await _file(template_rows(), ReportFormat(file_format), "lead-import-template")


@router.get(
    "/{importId}",
    summary="Get a lead import",
    responses={200: {"model": ImportJob, "description": "The import."}, **documented_errors(import_not_found())},
)
async def get_import(job: Job) -> Response:
    """How far an import is, and what became of it."""
    return JsonResponse(show_job(*job))


@router.get(
    "/{importId}/errors",
    summary="Get the errors of a lead import",
    responses={
        200: {
            "model": ImportErrors,
            "description": "The errors, also when there are none; or the rows that failed.",
            "content": _FILE,
            "headers": _DISPOSITION,
        },
        **documented_errors(import_not_found(), no_failed_rows()),
    },
)
async def get_import_errors(
    request: Request,
    company_id: CompanyInPath,
    job: Job,
    report_format: Annotated[
        ReportFormat | None,
        Query(alias="format", description="Without it as `Accept` says: JSON, unless that names one of the others."),
    ] = None,
    accept: Annotated[str, Header(include_in_schema=False)] = "",
) -> Response:
    """What was wrong with a file.

    As `csv` or `xlsx`: those of its rows that were not imported for their errors, with a last column `errors` that says
    why, up to 100,000 of them (500,000 cells) and for 7 days. The file can be mended and imported as it is: that column
    is passed over.
    """
    record, _ = job
    wanted = report_format or _accepted(accept)
    if wanted is ReportFormat.JSON:
        return JsonResponse({"import_id": record.id, "error_count": record.error_count, "errors": record.errors})
    service: ImportService = request.app.state.imports
    content = await service.failed_rows(company_id, record.id)
    if content is None:
        raise no_failed_rows()
    return await _file(rows_of(content), wanted, f"import-{record.id}-errors")


@router.get(
    "/{importId}/events",
    summary="Follow a lead import",
    response_class=_Events,
    responses={
        200: {
            "description": "Events `progress`, and at last `end`, each with the import as data; then it is closed.",
            "content": {"text/event-stream": {"schema": {"type": "string", "description": "Data: an `ImportJob`."}}},
        },
        **documented_errors(import_not_found()),
    },
)
async def follow_import(
    request: Request, company_id: CompanyInPath, import_id: ImportIdInPath, _job: Job
) -> AsyncIterator[ServerSentEvent]:
    """Server-sent events: the import as it is now, again whenever that has changed, and its end.

    A comment comes every 15 seconds while nothing changes.
    """
    service: ImportService = request.app.state.imports
    async for job, progress in service.follow(company_id, import_id):
        name = "progress" if job.finished_at is None else "end"
        yield ServerSentEvent(event=name, raw_data=dump(show_job(job, progress)).decode())


@router.delete(
    "/{importId}",
    summary="Undo a lead import",
    responses={
        200: {"model": ImportUndone, "description": "Done."},
        **documented_errors(import_not_found(), not_ended(), nothing_to_undo()),
    },
)
async def undo_import(request: Request, company_id: CompanyInPath, import_id: ImportIdInPath) -> Response:
    """Delete the leads that an import created, but for those that somebody has changed since, which are named.

    Leads that it wrote over (`on_duplicate=update`) stay as they are. Asked again it answers the same way.
    """
    service: ImportService = request.app.state.imports
    undone = await service.undo(company_id, import_id)
    return JsonResponse(
        {
            "message": IMPORT_UNDONE,
            "deleted_count": undone.deleted_count,
            "kept_count": len(undone.kept_lead_ids),
            "kept_lead_ids": undone.kept_lead_ids,
        }
    )


def _accepted(accept: str) -> ReportFormat:
    """The first format that an `Accept` header names; JSON when it names none."""
    for media_type in accept.split(","):
        named = _BY_MEDIA_TYPE.get(media_type.partition(";")[0].strip().lower())
        if named is not None:
            return named
    return ReportFormat.JSON


async def _file(rows: Iterable[list[str]], kind: ReportFormat, name: str) -> Response:
    write, media_type = (as_csv, CSV) if kind is ReportFormat.CSV else (as_workbook, XLSX)
    async with _ONE_FILE_AT_A_TIME:
        content = await asyncio.to_thread(write, rows)
    headers = {"Content-Disposition": f'attachment; filename="{name}.{kind}"', "Cache-Control": "no-store"}
    return Response(content, media_type=media_type, headers=headers)
