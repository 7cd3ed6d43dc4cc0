"""Import jobs in the shape of the event catalogue."""

from services.lead_svc.imports.records import QueuedImport
from shared.events.imports import Import


def to_event(job: QueuedImport, *, imported_count: int = 0, error_count: int = 0) -> Import:
    """Return a job that ends as the `job` of its event."""
    return Import(
        id=job.id,
        company_id=job.company_id,
        campaign_id=job.campaign_id,
        filename=job.filename,
        imported_count=imported_count,
        error_count=error_count,
    )
