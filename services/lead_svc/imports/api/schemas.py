"""Imports as API clients see them."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from services.lead_svc.imports.options import OnDuplicate, OnError
from services.lead_svc.leads.schemas import LeadRead
from services.lead_svc.spreadsheets.schemas import RowErrorRead

ImportStatus = Literal["queued", "processing", "completed", "failed", "aborted", "undone"]


class ImportResult(BaseModel):
    """The answer to an import that was done while the caller waited."""

    message: str = Field(examples=["Leads imported successfully"])
    imported_count: int = Field(description="How many leads were created.")
    updated_count: int = Field(default=0, description="With `on_duplicate=update`: how many leads were written over.")
    skipped_count: int = Field(
        default=0, description="With `on_error=skip` or `on_duplicate=skip`: how many rows were left out."
    )
    errors: list[RowErrorRead] = Field(
        default=[], description="With `on_error=skip`: why, up to the first 1,000 faults."
    )
    leads: list[LeadRead] = Field(description="Those that were created.")


class ImportProgress(BaseModel):
    """How far a job is."""

    rows_done: int
    rows_total: int | None = Field(description="Null while the file is still being read.")
    percent: int = Field(ge=0, le=100)


class ListedImport(BaseModel):
    """An import job, without its errors."""

    id: int
    company_id: int
    campaign_id: int
    filename: str
    size_bytes: int
    column_map: dict[str, str]
    on_error: OnError
    on_duplicate: OnDuplicate
    dry_run: bool = Field(description="Nothing is written: the counts say what would be.")
    status: ImportStatus = Field(
        description="`failed`: the file has errors, named in `errors`. `aborted`: it could not be processed. "
        "In both cases nothing was imported. `undone`: its leads were deleted again."
    )
    progress: ImportProgress
    row_count: int | None = Field(description="Rows of the file that hold something, once it has been read.")
    imported_count: int = Field(description="Leads created.")
    updated_count: int = Field(description="Leads written over.")
    skipped_count: int = Field(description="Rows left out, for their errors or as duplicates.")
    error: str | None = Field(description="The first error.")
    error_count: int = Field(description="How many errors there are.")
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    undone_at: datetime | None


class ImportJob(ListedImport):
    """An import job."""

    errors: list[RowErrorRead] = Field(description="The first 1,000 errors.")


class ImportPage(BaseModel):
    """A page of a company's imports, the newest first."""

    data: list[ListedImport]


class ImportErrors(BaseModel):
    """What was wrong with a file."""

    import_id: int
    error_count: int = Field(description="How many errors there are; `errors` names at most the first 1,000.")
    errors: list[RowErrorRead]


class ImportUndone(BaseModel):
    """What became of the leads of an import that was taken back."""

    message: str = Field(examples=["Lead import undone"])
    deleted_count: int
    kept_count: int = Field(description="Leads that somebody has changed since.")
    kept_lead_ids: list[int]


class ImportAccepted(BaseModel):
    """The answer to an import that goes on after it."""

    message: str = Field(examples=["Lead import accepted"])
    data: ImportJob
