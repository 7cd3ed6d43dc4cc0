"""Events of lead imports, and the command that starts one."""

from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from shared.events.envelope import EventData


class Import(BaseModel):
    """An import job as other programs know it."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    id: int
    company_id: int
    campaign_id: int
    filename: str
    imported_count: int
    error_count: int


class ImportRequested(EventData):
    """Command: load the file of this job. For the import workers alone."""

    event_type: ClassVar[str] = "import.requested.v1"

    import_id: int


class ImportCompleted(EventData):
    """Every lead of a file was loaded."""

    event_type: ClassVar[str] = "import.completed.v1"

    job: Import


class ImportFailed(EventData):
    """Nothing of a file was loaded; the job holds every error."""

    event_type: ClassVar[str] = "import.failed.v1"

    job: Import
    reason: str
    """The first error, as the caller was told."""
