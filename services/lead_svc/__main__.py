"""``python -m services.lead_svc api|events|migrate``."""

import typer

from services.lead_svc.app import MIGRATIONS, create_api_app, create_events_app
from services.lead_svc.settings import LeadApiSettings, LeadEventsSettings
from shared.commands import load_settings, run_process
from shared.settings import DatabaseSettings

cli = typer.Typer(help="The lead service: leads, imports and what becomes of them.", no_args_is_help=True)


@cli.command()
def api() -> None:
    """Answer API clients."""
    run_process(LeadApiSettings, create_api_app, process="lead-api")


@cli.command()
def events() -> None:
    """Relay the outbox and consume the other services' events."""
    run_process(LeadEventsSettings, create_events_app, process="lead-events")


@cli.command()
def migrate() -> None:
    """Bring the database to the newest revision."""
    from shared.database.migrations import upgrade  # alembic, which no other command needs to hold

    settings = load_settings(DatabaseSettings, process="lead-migrate")
    upgrade(MIGRATIONS, settings.database_url.get_secret_value())


if __name__ == "__main__":
    cli()
