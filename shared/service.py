"""A service from its parts: its database, its command line, the rebuild of its projection.

A service's ``__main__.py`` is one call::

    cli = service_cli(
        "lead",
        "The lead service: leads and their imports.",
        api=Process(LeadApiSettings, create_api_app, "Answer API clients."),
        events=Process(LeadEventsSettings, create_events_app, "Relay the outbox and consume events."),
        migrations=MIGRATIONS,
    )

which makes ``python -m services.lead_svc api|events|migrate``, and ``rebuild`` where a service has a projection.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import typer
from fastapi import FastAPI
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.database.engine import Database
from shared.http.app import serve
from shared.logs import configure_logs
from shared.messaging import rebuild as replay
from shared.messaging.consumer import Subscription
from shared.messaging.event_history import HistoryIncompleteError
from shared.messaging.rebuild import RebuildResult
from shared.settings import DatabaseSettings, LogSettings, ProcessSettings

S = TypeVar("S", bound=LogSettings)
P = TypeVar("P", bound=ProcessSettings)
ApiProcess = TypeVar("ApiProcess", bound=ProcessSettings)
EventsProcess = TypeVar("EventsProcess", bound=ProcessSettings)
RebuildProcess = TypeVar("RebuildProcess", bound=ProcessSettings)


@dataclass(frozen=True, slots=True)
class Process(Generic[P]):
    """A long-running process of a service.

    Parameters
    ----------
    settings
        The class of its settings, read from the environment.
    create_app
        Makes its app.
    help
        The help text of its command.
    """

    settings: type[P]
    create_app: Callable[[P], FastAPI]
    help: str

    def run(self, name: str) -> None:
        """Start the process under a name, and serve until SIGTERM or SIGINT."""
        settings = load_settings(self.settings, process=name)
        serve(self.create_app(settings), settings)


@dataclass(frozen=True, slots=True)
class Rebuild(Generic[P]):
    """The command that rebuilds a service's projection from the history of events.

    Parameters
    ----------
    settings
        The class of the settings that it needs.
    execute
        Rebuilds the projection; see ``rebuild_projection``.
    projection
        What is rebuilt, as a sentence begins with it: ``Totals``.
    help
        The help text of the command.
    """

    settings: type[P]
    execute: Callable[[P], Awaitable[RebuildResult]]
    projection: str
    help: str

    def run(self, name: str) -> None:
        """Rebuild and print the result; exit with status 1 when some events could not be applied."""
        settings = load_settings(self.settings, process=name)
        try:
            result = asyncio.run(self._result(settings))
        except HistoryIncompleteError as error:
            sys.stderr.write(f"Nothing was changed: {error}\n")
            sys.exit(1)
        sys.stdout.write(
            f"{self.projection} rebuilt from {result.applied} events; {result.failed} more could not be applied\n"
        )
        sys.exit(1 if result.failed else 0)

    async def _result(self, settings: P) -> RebuildResult:
        return await self.execute(settings)


async def rebuild_projection(
    settings: ProcessSettings,
    name: str,
    subscription: Subscription,
    clear: Callable[[AsyncConnection], Awaitable[None]],
) -> RebuildResult:
    """Replay the history of events into a projection of a service's database, as ``shared.messaging.rebuild.rebuild``.

    Parameters
    ----------
    name
        The application name in ``pg_stat_activity``.
    """
    # Without a limit for statements: a projection of millions of rows takes longer to clear than a request may.
    database = Database(settings.database_url.get_secret_value(), name=name, statement_seconds=0)
    try:
        return await replay.rebuild(database, settings.amqp_url.get_secret_value(), subscription, clear)
    finally:
        await database.close()


def open_database(settings: ProcessSettings, name: str) -> Database:
    """Return the database of a process; nothing is connected before its first use."""
    return Database(settings.database_url.get_secret_value(), name=name, pool_size=settings.database_pool_size)


def load_settings(settings_class: type[S], *, process: str) -> S:
    """Read the settings and configure the log; exit with status 2 and a line for each error in them."""
    try:
        settings = settings_class()
    except ValidationError as error:
        for found in error.errors(include_input=False):
            name = "_".join(str(part) for part in found["loc"]).upper()
            message = found["msg"].removeprefix("Value error, ")
            sys.stderr.write(f"{process}: {name + ': ' if name else ''}{message}\n")
        sys.exit(2)
    configure_logs(settings, process=process)
    return settings


def service_cli(
    name: str,
    description: str,
    *,
    api: "Process[ApiProcess]",
    events: "Process[EventsProcess]",
    migrations: Path,
    rebuild: "Rebuild[RebuildProcess] | None" = None,
) -> typer.Typer:
    """Return the command line of a service; its processes are called ``<name>-api``, ``<name>-events`` and so on.

    Parameters
    ----------
    migrations
        The folder of the service's Alembic migrations.
    """
    cli = typer.Typer(help=description, no_args_is_help=True)

    def migrate() -> None:
        from shared.database.migrations import upgrade  # alembic, which no other command needs

        settings = load_settings(DatabaseSettings, process=f"{name}-migrate")
        upgrade(migrations, settings.database_url.get_secret_value())

    cli.command("api", help=api.help)(lambda: api.run(f"{name}-api"))
    cli.command("events", help=events.help)(lambda: events.run(f"{name}-events"))
    cli.command("migrate", help="Bring the database to the newest revision.")(migrate)
    if rebuild is not None:
        cli.command("rebuild", help=rebuild.help)(lambda: rebuild.run(f"{name}-rebuild"))
    return cli
