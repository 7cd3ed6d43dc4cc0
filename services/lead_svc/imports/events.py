"""Import jobs, and the leads that were taken back, as events tell of them."""

from collections.abc import Sequence

from sqlalchemy import RowMapping

from services.lead_svc.imports.repository import QueuedImport
from shared.events.envelope import EventData
from shared.events.imports import Import
from shared.events.leads import LEADS_PER_EVENT, Lead, LeadDeleted


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


def told_deleted(rows: Sequence[RowMapping]) -> list[EventData]:
    """The events that tell of deleted leads: of their last version, which nobody has read."""
    leads = [Lead.model_validate({**row, "version": row["version"] + 1}) for row in rows]
    return [
        LeadDeleted(leads=leads[start : start + LEADS_PER_EVENT]) for start in range(0, len(leads), LEADS_PER_EVENT)
    ]
