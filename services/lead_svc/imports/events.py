"""Import jobs as events tell of them."""

from services.lead_svc.imports.repository import QueuedImport
from shared.events.imports import Import


def as_told(job: QueuedImport, *, imported_count: int = 0, error_count: int = 0) -> Import:
    """A job that ends, in the shape of the catalogue."""
    return Import(
        id=job.id,
        company_id=job.company_id,
        campaign_id=job.campaign_id,
        filename=job.filename,
        imported_count=imported_count,
        error_count=error_count,
    )
