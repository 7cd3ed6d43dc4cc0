"""Alembic's entry into the migrations of the ``analytics`` database."""

from services.analytics_svc.facts.metric_definitions import FACT_VIEWS
from services.analytics_svc.tables import metadata
from shared.database.migrations import run_migrations

run_migrations(metadata, repeatable=[FACT_VIEWS])
