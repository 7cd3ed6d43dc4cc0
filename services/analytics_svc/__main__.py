"""``python -m services.analytics_svc api|events|migrate|rebuild``."""

import typer

from services.analytics_svc.app import MIGRATIONS, create_api_app, create_events_app, rebuild_facts
from services.analytics_svc.settings import AnalyticsApiSettings, AnalyticsEventsSettings
from shared.commands import load_settings, run_process, run_rebuild
from shared.database.migrations import upgrade
from shared.settings import DatabaseSettings

cli = typer.Typer(help="The analytics service: reports on the other services' events.", no_args_is_help=True)


@cli.command()
def api() -> None:
    """Answer API clients."""
    run_process(AnalyticsApiSettings, create_api_app, process="analytics-api")


@cli.command()
def events() -> None:
    """Consume the other services' events."""
    run_process(AnalyticsEventsSettings, create_events_app, process="analytics-events")


@cli.command()
def migrate() -> None:
    """Bring the database to the newest revision."""
    settings = load_settings(DatabaseSettings, process="analytics-migrate")
    upgrade(MIGRATIONS, settings.database_url.get_secret_value())


@cli.command()
def rebuild() -> None:
    """Rebuild facts and roll-ups from the history of events; reports show the former ones until it is done."""
    run_rebuild(AnalyticsEventsSettings, rebuild_facts, process="analytics-rebuild", what="Facts")


if __name__ == "__main__":
    cli()
