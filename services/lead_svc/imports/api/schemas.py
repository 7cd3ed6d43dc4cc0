"""Response schemas of imports."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from services.lead_svc.imports.options import OnDuplicate, OnError
from services.lead_svc.leads.schemas import LeadRead
from services.lead_svc.spreadsheets.schemas import RowErrorRead

ImportStatusRead = Literal["queued", "processing", "completed", "failed", "aborted", "undone"]
"""The stored statuses, and `processing`, which a job has while a worker publishes its progress."""


class ImportResponse(BaseModel):
    """Response to an import that ended while the caller waited."""

    message: str = Field(examples=["Leads imported successfully"])
    imported_count: int = Field(description="Number of leads created.")
    updated_count: int = Field(default=0, description="With `on_duplicate=update`: number of leads updated.")
    skipped_count: int = Field(
        default=0, description="With `on_error=skip` or `on_duplicate=skip`: number of rows skipped."
    )
    errors: list[RowErrorRead] = Field(
        default=[], description="With `on_error=skip`: the errors of the skipped rows, up to the first 1,000."
    )
    leads: list[LeadRead] = Field(description="The leads created.")


class ImportProgressRead(BaseModel):
    """Progress of a job."""

    rows_done: int
    rows_total: int | None = Field(description="Null until the file has been read.")
    percent: int = Field(ge=0, le=100)


class ImportSummaryRead(BaseModel):
    """An import job, without its errors."""

    id: int
    company_id: int
    campaign_id: int
    filename: str
    size_bytes: int
    column_map: dict[str, str]
    on_error: OnError
    on_duplicate: OnDuplicate
    dry_run: bool = Field(description="With `true` nothing is written, and the counts are what an import would give.")
    status: ImportStatusRead = Field(
        description="`failed`: the file has errors, listed in `errors`. `aborted`: the file could not be processed. "
        "In both cases nothing was imported. `undone`: the leads of the import were deleted again."
    )
    progress: ImportProgressRead
    row_count: int | None = Field(description="Number of rows that are not blank; null until the file has been read.")
    imported_count: int = Field(description="Number of leads created.")
    updated_count: int = Field(description="Number of leads updated.")
    skipped_count: int = Field(description="Number of rows skipped because of errors or as duplicates.")
    error: str | None = Field(description="The first error.")
    error_count: int = Field(description="Number of errors.")
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    undone_at: datetime | None


class ImportRead(ImportSummaryRead):
    """An import job."""

    errors: list[RowErrorRead] = Field(description="The first 1,000 errors.")


class ImportListResponse(BaseModel):
    """A page of a company's imports, newest first."""

    data: list[ImportSummaryRead]


class ImportErrorsResponse(BaseModel):
    """The errors of a file."""

    import_id: int
    error_count: int = Field(description="Number of errors; `errors` has at most the first 1,000.")
    errors: list[RowErrorRead]


class ImportUndoResponse(BaseModel):
    """Response to the undo of an import."""

    message: str = Field(examples=["Lead import undone"])
    deleted_count: int = Field(description="Number of leads deleted.")
    kept_count: int = Field(description="Number of leads that have changed since the import and remain.")
    kept_lead_ids: list[int] = Field(description="Ids of the leads that remain.")


class ImportAcceptedResponse(BaseModel):
    """Response to an import that continues after the response."""

    message: str = Field(examples=["Lead import accepted"])
    data: ImportRead
