"""Import jobs as the API shows them."""

from dataclasses import asdict

from services.lead_svc.imports.options import OnDuplicate, OnError
from services.lead_svc.imports.progress import Progress
from services.lead_svc.imports.repository import ImportRecord

_INTERNAL = frozenset({"first_lead_id", "last_lead_id"})


def show_job(job: ImportRecord, progress: Progress | None) -> dict[str, object]:
    """A job in the shape of `ImportJob`.

    Parameters
    ----------
    progress
        What was last told of a job that has not ended; None when nothing was.
    """
    shown = {name: value for name, value in asdict(job).items() if name not in _INTERNAL}
    if job.finished_at is not None:
        rows = job.row_count or 0
        return shown | {"progress": _progress(rows, rows, 100)}
    if progress is None:
        return shown | {"progress": _progress(0, None, 0)}
    percent = 100 * progress.rows_done // progress.rows_total if progress.rows_total else 0
    return shown | {"status": "processing", "progress": _progress(progress.rows_done, progress.rows_total, percent)}


def _progress(rows_done: int, rows_total: int | None, percent: int) -> dict[str, int | None]:
    return {"rows_done": rows_done, "rows_total": rows_total, "percent": percent}


def show_in_list(job: ImportRecord, progress: Progress | None) -> dict[str, object]:
    """A job in the shape of `ListedImport`."""
    shown = show_job(job, progress)
    del shown["errors"]
    return shown


def show_result(job: ImportRecord) -> dict[str, object]:
    """The counts and errors of a job that is completed, in the shape of `ImportResult`: those that its options can give
    another value than the contract's example has.
    """
    shown: dict[str, object] = {"imported_count": job.imported_count}
    if job.on_duplicate == OnDuplicate.UPDATE:
        shown["updated_count"] = job.updated_count
    if job.on_error == OnError.SKIP or job.on_duplicate == OnDuplicate.SKIP:
        shown["skipped_count"] = job.skipped_count
    if job.on_error == OnError.SKIP:
        shown["errors"] = job.errors
    return shown


def location_of(job: ImportRecord) -> str:
    """The path of a job."""
    return f"/api/company/voice-leads/company/{job.company_id}/imports/{job.id}"
