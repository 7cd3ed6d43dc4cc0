"""Responses of imports: jobs and results as JSON."""

from dataclasses import asdict
from typing import Final

from starlette.responses import Response

from services.lead_svc.imports.errors import (
    DRY_RUN_SUCCEEDED,
    IMPORT_ACCEPTED,
    IMPORT_FAILED,
    IMPORT_SUCCEEDED,
    IMPORT_UNDONE,
)
from services.lead_svc.imports.options import OnDuplicate, OnError
from services.lead_svc.imports.records import ImportRecord, ImportStatus
from services.lead_svc.imports.service import FollowedImport, StartedImport, UndoResult
from services.lead_svc.spreadsheets.schemas import RowErrorRead
from shared.http.errors import BadRequest, InternalServerError
from shared.http.json import JsonResponse, dump
from shared.idempotent_execution import REPLAYED

_INTERNAL_FIELDS: Final = frozenset({"first_lead_id", "last_lead_id"})


class ImportFailedError(BadRequest):
    """The leads have errors: the 400 response with all of them, and with the job's `Location`."""

    def __init__(self, started: StartedImport) -> None:
        errors = [RowErrorRead.model_validate(error) for error in started.job.errors]
        super().__init__(IMPORT_FAILED, started.job.error, errors)
        self._headers = _headers(started)

    def response(self) -> Response:
        """Return the response with its headers."""
        response = super().response()
        response.headers.update(self._headers)
        return response


def import_response(started: StartedImport, *, waited: bool) -> Response:
    """Return the response to an import request.

    Parameters
    ----------
    waited
        Whether the caller waited for the end of the job; otherwise the response is always 202.

    Raises
    ------
    ImportFailedError
        If the file has errors.
    InternalServerError
        If no worker could process the file.
    """
    if not waited:
        return _accepted(started, {"Preference-Applied": "respond-async"})
    match started.job.status:
        case ImportStatus.COMPLETED | ImportStatus.UNDONE:
            return _imported(started)
        case ImportStatus.FAILED:
            raise ImportFailedError(started)
        case ImportStatus.ABORTED:
            raise InternalServerError(IMPORT_FAILED, started.job.error)
        case ImportStatus.QUEUED:
            return _accepted(started, {})


def _imported(started: StartedImport) -> Response:
    job = started.job
    # The leads are JSON already, made by PostgreSQL.
    message = DRY_RUN_SUCCEEDED if job.dry_run else IMPORT_SUCCEEDED
    members_before_leads = dump({"message": message, **_result(job)})[:-1]
    return JsonResponse(
        b"".join((members_before_leads, b',"leads":[', started.leads_json, b"]}")),
        status_code=200 if job.dry_run else 201,
        headers=_headers(started),
    )


def _accepted(started: StartedImport, headers: dict[str, str]) -> Response:
    body = {"message": IMPORT_ACCEPTED, "data": job_json(FollowedImport(started.job, None))}
    return JsonResponse(body, status_code=202, headers=_headers(started) | headers)


def _headers(started: StartedImport) -> dict[str, str]:
    location = {"Location": f"/api/company/voice-leads/company/{started.job.company_id}/imports/{started.job.id}"}
    return location | {REPLAYED: "true"} if started.replayed else location


def _result(job: ImportRecord) -> dict[str, object]:
    """Return the counts and errors of `ImportResponse`: those that the contract has, and those that options add."""
    result: dict[str, object] = {"imported_count": job.imported_count}
    if job.on_duplicate is OnDuplicate.UPDATE:
        result["updated_count"] = job.updated_count
    if job.on_error is OnError.SKIP or job.on_duplicate is OnDuplicate.SKIP:
        result["skipped_count"] = job.skipped_count
    if job.on_error is OnError.SKIP:
        result["errors"] = job.errors
    return result


def job_json(followed: FollowedImport) -> dict[str, object]:
    """Return a job in the shape of `ImportRead`."""
    job, progress = followed.job, followed.progress
    fields = {name: value for name, value in asdict(job).items() if name not in _INTERNAL_FIELDS}
    if job.finished_at is not None:
        row_count = job.row_count or 0
        return fields | {"progress": _progress(row_count, row_count, 100)}
    if progress is None:
        return fields | {"progress": _progress(0, None, 0)}
    percent = 100 * progress.rows_done // progress.rows_total if progress.rows_total else 0
    return fields | {"status": "processing", "progress": _progress(progress.rows_done, progress.rows_total, percent)}


def job_summary_json(followed: FollowedImport) -> dict[str, object]:
    """Return a job in the shape of `ImportSummaryRead`."""
    fields = job_json(followed)
    del fields["errors"]
    return fields


def _progress(rows_done: int, rows_total: int | None, percent: int) -> dict[str, int | None]:
    return {"rows_done": rows_done, "rows_total": rows_total, "percent": percent}


def errors_response(job: ImportRecord) -> Response:
    """Return the errors of a job in the shape of `ImportErrorsResponse`."""
    return JsonResponse({"import_id": job.id, "error_count": job.error_count, "errors": job.errors})


def undo_response(undone: UndoResult) -> Response:
    """Return the result of an undo in the shape of `ImportUndoResponse`."""
    return JsonResponse(
        {
            "message": IMPORT_UNDONE,
            "deleted_count": undone.deleted_count,
            "kept_count": len(undone.changed_lead_ids),
            "kept_lead_ids": undone.changed_lead_ids,
        }
    )
