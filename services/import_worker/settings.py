"""Settings of the import worker."""

from pydantic import Field

from shared.settings import ProcessSettings


class ImportWorkerSettings(ProcessSettings):
    """Of ``import-worker``, which works on the ``leads`` database."""

    import_concurrency: int = Field(default=2, ge=1, le=32)
    """Files loaded at the same time by this process."""
