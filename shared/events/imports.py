"""Events of lead imports, and the command that starts one."""

from typing import ClassVar

from shared.events.envelope import Command, EventData, EventPart


class Import(EventPart):
    """An import job as other programs know it."""

    id: int
    """Unique among the imports of all companies; the API shows the job under it."""
    company_id: int
    """The company whose leads they are."""
    campaign_id: int
    """The campaign that is to call the leads."""
    filename: str
    """What the file was called when it was sent."""
    imported_count: int
    """How many leads were created; leads that were written over are not counted."""
    error_count: int
    """How many errors the file has. Where rows with errors are left out, an import with errors is completed."""


class ImportRequested(Command):
    """Command: load the file of this job. For the import workers alone."""

    event_type: ClassVar[str] = "import.requested.v1"

    import_id: int
    """The job."""


class ImportCompleted(EventData):
    """An import ended: every lead of its file that was to be loaded is loaded.

    The leads themselves are told by ``lead.created.v1``, and those that were written over by ``lead.updated.v1``,
    ``lead.status_changed.v1`` and ``lead.assigned.v1``. A dry run tells nothing.
    """

    event_type: ClassVar[str] = "import.completed.v1"

    job: Import
    """The import as it ended."""


class ImportFailed(EventData):
    """Nothing of a file was loaded; the job holds every error.

    The file has errors, or no worker could load it. A dry run tells nothing.
    """

    event_type: ClassVar[str] = "import.failed.v1"

    job: Import
    """The import as it ended."""
    reason: str
    """The first error, as the caller was told."""
