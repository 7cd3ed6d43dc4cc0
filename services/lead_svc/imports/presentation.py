"""Import jobs as the API shows them."""

from dataclasses import asdict

from services.lead_svc.imports.repository import ImportRecord
from services.lead_svc.imports.signals import Progress

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
