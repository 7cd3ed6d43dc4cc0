"""Alembic, run by each service on its own migrations: ``python -m services.<service> migrate``."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import stamina
import structlog
from alembic import command, context
from alembic.config import Config
from sqlalchemy import Connection, MetaData, func, pool, select
from sqlalchemy.ext.asyncio import create_async_engine

from shared.database.repeatable import RepeatableMigration

MIGRATION_LOCK = 7_060_001
"""Advisory lock: two concurrent migrations of one database run one after the other."""

CANNOT_CONNECT_NOW = "57P03"
"""SQLSTATE of a server that starts, stops or recovers."""

logger = structlog.get_logger(__name__)


def alembic_config(migrations: Path, database_url: str) -> Config:
    """Return the configuration of one service's migrations, without an ini file."""
    config = Config()
    config.set_main_option("script_location", str(migrations).replace("%", "%%"))
    config.attributes["database_url"] = database_url
    return config


def upgrade(migrations: Path, database_url: str) -> None:
    """Bring the database to the newest revision; wait up to a minute for a database that is still starting."""
    for attempt in stamina.retry_context(on=_not_up_yet, attempts=None, timeout=60, wait_max=2):
        with attempt:
            command.upgrade(alembic_config(migrations, database_url), "head")
    logger.info("database_migrated", migrations=str(migrations))


def _not_up_yet(error: Exception) -> bool:
    """Return whether an error means that the database cannot be reached, or is still starting."""
    state: str | None = getattr(getattr(error, "orig", None), "sqlstate", None)
    return isinstance(error, OSError) or state == CANNOT_CONNECT_NOW


def run_migrations(metadata: MetaData, repeatable: Sequence[RepeatableMigration] = ()) -> None:
    """Run what Alembic requests, in one transaction and one at a time; the body of every ``env.py``.

    Parameters
    ----------
    repeatable
        Applied in order after the newest revision, each when it has changed.
    """

    def run(connection: Connection) -> None:
        context.configure(connection=connection, target_metadata=metadata, compare_server_default=True)
        with context.begin_transaction():
            connection.execute(select(func.pg_advisory_xact_lock(MIGRATION_LOCK)))
            context.run_migrations()
            if context.get_context().get_current_revision() != context.get_head_revision():
                return  # a downgrade, or an upgrade to an earlier revision
            for migration in repeatable:
                if migration.apply(connection):
                    logger.info("repeatable_migration_applied", name=migration.name)

    async def connect_and_run(database_url: str) -> None:
        url = database_url.replace("postgresql://", "postgresql+asyncpg://", 1)
        engine = create_async_engine(url, poolclass=pool.NullPool)
        async with engine.connect() as connection:
            await connection.run_sync(run)
            await connection.commit()
        await engine.dispose()

    connection: Connection | None = context.config.attributes.get("connection")
    if connection is not None:
        run(connection)
    else:
        asyncio.run(connect_and_run(context.config.attributes["database_url"]))
