"""Imports as API clients see them."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from services.lead_svc.leads.schemas import LeadShown

ImportStatus = Literal["queued", "processing", "completed", "failed", "aborted"]


class RowFault(BaseModel):
    """One thing that is wrong with a file."""

    row: int | None = Field(description="Row as a spreadsheet shows it: the header is row 1. Null for the whole file.")
    field: str | None
    value: str | None = Field(description="The value as it stands in the file, cut where it is long.")
    code: str
    message: str


class ImportResult(BaseModel):
    """The answer to an import that was done while the caller waited."""

    message: str = Field(examples=["Leads imported successfully"])
    imported_count: int
    leads: list[LeadShown]


class ImportProgress(BaseModel):
    """How far a job is."""

    rows_done: int
    rows_total: int | None = Field(description="Null while the file is still being read.")
    percent: int = Field(ge=0, le=100)


class ImportJob(BaseModel):
    """An import job."""

    id: int
    company_id: int
    campaign_id: int
    filename: str
    size_bytes: int
    status: ImportStatus = Field(
        description="`failed`: the file has errors, named in `errors`. `aborted`: it could not be processed. "
        "In both cases nothing was imported."
    )
    progress: ImportProgress
    row_count: int | None = Field(description="Rows of the file that hold something, once it has been read.")
    imported_count: int
    error: str | None = Field(description="The first error.")
    error_count: int = Field(description="How many errors there are; `errors` names at most the first 1,000.")
    errors: list[RowFault]
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class ImportAccepted(BaseModel):
    """The answer to an import that goes on after it."""

    message: str = Field(examples=["Lead import accepted"])
    data: ImportJob
