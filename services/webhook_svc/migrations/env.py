"""Run by Alembic."""

from services.webhook_svc.tables import metadata
from shared.database.migrations import run_migrations

run_migrations(metadata)
