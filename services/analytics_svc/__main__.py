"""``python -m services.analytics_svc api|events|migrate``."""

import typer

from services.analytics_svc.app import MIGRATIONS, create_api_app, create_events_app
from services.analytics_svc.settings import AnalyticsApiSettings, AnalyticsEventsSettings
from shared.commands import load_settings, run_process
from shared.database.migrations import upgrade
from shared.settings import DatabaseSettings

cli = typer.Typer(help="The analytics service: reports, cut from the other services' events.", no_args_is_help=True)


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


if __name__ == "__main__":
    cli()
