"""Settings of the import worker."""

from pydantic import Field

from shared.settings import ProcessSettings


class ImportWorkerSettings(ProcessSettings):
    """Settings of ``import-worker``, which uses the ``leads`` database."""

    import_concurrency: int = Field(default=2, ge=1, le=32)
    """Number of files that this process loads at the same time."""
