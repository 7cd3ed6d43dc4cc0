"""Alembic's entry into the migrations of the ``leads`` database."""

from services.lead_svc.tables import metadata
from shared.database.migrations import run_migrations

run_migrations(metadata)
