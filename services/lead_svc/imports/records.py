"""Records of imports: the request, the job and its result, as the modules of this folder pass them to each other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from services.lead_svc.domain.fields import FIELDS
from services.lead_svc.imports.options import ImportOptions, OnDuplicate, OnError
from services.lead_svc.spreadsheets.file_kind import FileKind
from services.lead_svc.spreadsheets.row_errors import NO_ERRORS, ErrorSummary
from shared.ids import CampaignId, CompanyId, ImportId, LeadId

LEAD_COLUMNS: Final = tuple(spec.name for spec in FIELDS if spec.importable and spec.name != "tags")
"""Columns of the table `leads` that an import fills. Tags are stored in `custom_fields`."""


class ImportStatus(StrEnum):
    """The status of a job. A job that a worker processes is `queued` until its transaction commits its end."""

    QUEUED = "queued"
    COMPLETED = "completed"
    FAILED = "failed"
    """The file has errors; nothing was imported."""
    ABORTED = "aborted"
    """No worker could process the file; nothing was imported."""
    UNDONE = "undone"
    """The leads of the import were deleted again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRequest:
    """A validated import request."""

    campaign_id: CampaignId
    filename: str
    kind: FileKind
    content: bytes
    default_values: Mapping[str, object]
    options: ImportOptions = field(default_factory=ImportOptions)


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedImport(ImportRequest):
    """A job that has not ended, with its file."""

    id: ImportId
    company_id: CompanyId
    row_limit: int | None
    """Maximum number of rows of the file; None for no limit."""


@dataclass(frozen=True, slots=True)
class ImportRecord:
    """A job as it is stored, without its file."""

    id: ImportId
    company_id: CompanyId
    campaign_id: CampaignId
    filename: str
    size_bytes: int
    column_map: dict[str, str]
    on_error: OnError
    on_duplicate: OnDuplicate
    dry_run: bool
    status: ImportStatus
    row_count: int | None
    imported_count: int
    updated_count: int
    skipped_count: int
    first_lead_id: LeadId | None
    last_lead_id: LeadId | None
    error: str | None
    error_count: int
    errors: list[dict[str, object]]
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    undone_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportResult:
    """The result of a job, stored when the job ends."""

    status: ImportStatus
    """`completed`, `failed` or `aborted`."""
    started_at: datetime | None = None
    row_count: int | None = None
    imported_count: int = 0
    updated_count: int = 0
    skipped_count: int = 0
    lead_ids: Sequence[LeadId] = ()
    """Ids of the new leads, in the order of the file."""
    error: str | None = None
    """Message of the first error."""
    error_summary: ErrorSummary = NO_ERRORS


@dataclass(frozen=True, slots=True)
class StoredLead:
    """A lead that the campaign already has with a phone number of the file."""

    id: LeadId
    phone: str
    status: str
