"""Events of lead imports, and the command that starts one."""

from typing import ClassVar

from shared.events.envelope import Command, EventData, EventPart


class Import(EventPart):
    """An import job as other programs know it."""

    id: int
    """Unique among the imports of all companies; the id of the job in the API."""
    company_id: int
    """The company whose leads they are."""
    campaign_id: int
    """The campaign that is to call the leads."""
    filename: str
    """The name of the file as it was sent."""
    imported_count: int
    """Number of leads that were created; leads that were updated are not counted."""
    error_count: int
    """Number of errors in the file. Where rows with errors are skipped, an import with errors is completed."""


class ImportRequested(Command):
    """Command: load the file of this job. For the import workers alone."""

    event_type: ClassVar[str] = "import.requested.v1"

    import_id: int
    """The job."""


class ImportCompleted(EventData):
    """An import was completed: every lead of its file that was to be loaded is loaded.

    The leads themselves are in ``lead.created.v1``, and those that were updated in ``lead.updated.v1``,
    ``lead.status_changed.v1`` and ``lead.assigned.v1``. A dry run emits no events.
    """

    event_type: ClassVar[str] = "import.completed.v1"

    job: Import
    """The import as it ended."""


class ImportFailed(EventData):
    """An import failed: no lead of its file was loaded. The job has the errors.

    The file has errors, or no worker could load it. A dry run emits no events.
    """

    event_type: ClassVar[str] = "import.failed.v1"

    job: Import
    """The import as it ended."""
    reason: str
    """The first error, as in the response of the API."""
