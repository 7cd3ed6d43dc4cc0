"""Endpoints of import jobs: list, progress, errors, undo, and the template file."""

from collections.abc import AsyncIterator
from enum import StrEnum
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Header, Path, Query, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.responses import Response

from services.lead_svc.imports.api.presentation import errors_response, job_json, job_summary_json, undo_response
from services.lead_svc.imports.api.schemas import (
    ImportErrorsResponse,
    ImportListResponse,
    ImportRead,
    ImportUndoResponse,
)
from services.lead_svc.imports.api.spreadsheet_file import (
    CSV,
    DOCUMENTED_CONTENT,
    DOCUMENTED_HEADERS,
    XLSX,
    FileFormat,
    file_response,
    parse_stored_rows,
)
from services.lead_svc.imports.api.template import template_rows
from services.lead_svc.imports.errors import import_not_found, no_failed_rows, not_ended, nothing_to_undo
from services.lead_svc.imports.service import FollowedImport, ImportService
from shared.http.auth import CompanyInPath
from shared.http.json import JsonResponse, dump
from shared.http.openapi import documented_errors
from shared.http.pagination import LINK_HEADER, IdCursor, next_link, page_limit
from shared.ids import MAX_ID, ImportId
from shared.schema import StrictIntText

router = APIRouter(prefix="/api/company/voice-leads/company/{companyId}/imports", tags=["Lead imports"])

MAX_PAGE_SIZE: Final = 200


class ReportFormat(StrEnum):
    """Formats of the errors of an import: a list of errors, or the failed rows as a spreadsheet file."""

    JSON = "json"
    CSV = "csv"
    XLSX = "xlsx"


_FORMAT_BY_MEDIA_TYPE: Final = {"application/json": ReportFormat.JSON, CSV: ReportFormat.CSV, XLSX: ReportFormat.XLSX}
ImportIdInPath = Annotated[
    ImportId, Path(alias="importId", ge=1, le=MAX_ID, description="Id of the import.", examples=[1]), StrictIntText
]


class _Events(EventSourceResponse):
    """FastAPI gives a stream its media type itself; named here, the document would show errors as streams too."""

    media_type = None  # type: ignore[assignment] # Starlette itself has None for a response without one


def _service(request: Request) -> ImportService:
    service: ImportService = request.app.state.imports
    return service


Imports = Annotated[ImportService, Depends(_service)]
"""Parameter of an endpoint: the import service."""


async def _job(imports: Imports, company_id: CompanyInPath, import_id: ImportIdInPath) -> FollowedImport:
    return await imports.get(company_id, import_id)


Job = Annotated[FollowedImport, Depends(_job)]
"""Parameter of an endpoint: the import of the path, which must belong to the company of the path."""


def _report_format(
    report_format: Annotated[
        ReportFormat | None,
        Query(alias="format", description="Default: the format that `Accept` names first, otherwise JSON."),
    ] = None,
    accept: Annotated[str, Header(include_in_schema=False)] = "",
) -> ReportFormat:
    media_types = (media_type.partition(";")[0].strip().lower() for media_type in accept.split(","))
    accepted = (_FORMAT_BY_MEDIA_TYPE[media_type] for media_type in media_types if media_type in _FORMAT_BY_MEDIA_TYPE)
    return report_format or next(accepted, ReportFormat.JSON)


RequestedFormat = Annotated[ReportFormat, Depends(_report_format)]
"""Parameter of an endpoint: the format of the query, else of the `Accept` header, else JSON."""


@router.get(
    "",
    summary="List lead imports",
    responses={
        200: {
            "model": ImportListResponse,
            "description": "The imports; an empty list if there are none.",
            "headers": LINK_HEADER,
        }
    },
)
async def list_imports(
    request: Request,
    imports: Imports,
    company_id: CompanyInPath,
    limit: Annotated[int, page_limit(MAX_PAGE_SIZE, "imports"), StrictIntText] = 50,
    cursor: IdCursor = None,
) -> Response:
    """Return the company's imports, newest first, without their errors."""
    before_id = None if cursor is None else ImportId(cursor)
    page = await imports.list_newest(company_id, limit=limit, before_id=before_id)
    headers = next_link(request, page.next_cursor, limit=limit)
    return JsonResponse({"data": [job_summary_json(followed) for followed in page.items]}, headers=headers)


@router.get(
    "/template",
    summary="Get a template for lead files",
    response_class=Response,
    responses={200: {"description": "The file.", "content": DOCUMENTED_CONTENT, "headers": DOCUMENTED_HEADERS}},
)
async def get_import_template(
    _company_id: CompanyInPath,
    file_format: Annotated[FileFormat, Query(alias="format", description="Format of the file.")] = FileFormat.CSV,
) -> Response:
    """Return a file with the columns of a lead file and one example lead. Only the column `phone` is required."""
    return await file_response(template_rows(), file_format, "lead-import-template")


@router.get(
    "/{importId}",
    summary="Get a lead import",
    responses={200: {"model": ImportRead, "description": "The import."}, **documented_errors(import_not_found())},
)
async def get_import(followed: Job) -> Response:
    """Return an import with its progress or result."""
    return JsonResponse(job_json(followed))


@router.get(
    "/{importId}/errors",
    summary="Get the errors of a lead import",
    responses={
        200: {
            "model": ImportErrorsResponse,
            "description": "The errors, an empty list if there are none; or the failed rows.",
            "content": DOCUMENTED_CONTENT,
            "headers": DOCUMENTED_HEADERS,
        },
        **documented_errors(import_not_found(), no_failed_rows()),
    },
)
async def get_import_errors(
    imports: Imports, company_id: CompanyInPath, followed: Job, report_format: RequestedFormat
) -> Response:
    """Return the errors of a file.

    As `csv` or `xlsx`: the rows of the file that were not imported because of errors, with a last column `errors` that
    has the messages; up to 100,000 rows (500,000 cells), for 7 days. The corrected file can be imported as it is: an
    import ignores that column.
    """
    if report_format is ReportFormat.JSON:
        return errors_response(followed.job)
    rows = parse_stored_rows(await imports.failed_rows(company_id, followed.job.id))
    return await file_response(rows, FileFormat(report_format), f"import-{followed.job.id}-errors")


@router.get(
    "/{importId}/events",
    summary="Follow a lead import",
    response_class=_Events,
    responses={
        200: {
            "description": "Events `progress`, then one event `end`, each with the import as data.",
            "content": {"text/event-stream": {"schema": {"type": "string", "description": "Data: an `ImportRead`."}}},
        },
        **documented_errors(import_not_found()),
    },
)
async def follow_import(
    imports: Imports, company_id: CompanyInPath, import_id: ImportIdInPath, _existing: Job
) -> AsyncIterator[ServerSentEvent]:
    """Send the import as server-sent events: now, after each change, and at its end, after which the stream closes.

    While nothing changes, a comment is sent every 15 seconds.
    """
    async for followed in imports.follow(company_id, import_id):
        name = "progress" if followed.job.finished_at is None else "end"
        yield ServerSentEvent(event=name, raw_data=dump(job_json(followed)).decode())


@router.delete(
    "/{importId}",
    summary="Undo a lead import",
    responses={
        200: {"model": ImportUndoResponse, "description": "The import was undone."},
        **documented_errors(import_not_found(), not_ended(), nothing_to_undo()),
    },
)
async def undo_import(imports: Imports, company_id: CompanyInPath, import_id: ImportIdInPath) -> Response:
    """Delete the leads that the import created. Leads that have changed since remain; the response has their ids.

    Leads that the import updated (`on_duplicate=update`) are not changed. A repeated request has the same effect.
    """
    return undo_response(await imports.undo(company_id, import_id))
