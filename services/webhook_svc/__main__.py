"""``python -m services.webhook_svc api|events|migrate``."""

import typer

from services.webhook_svc.app import MIGRATIONS, create_api_app, create_events_app
from services.webhook_svc.settings import WebhookApiSettings, WebhookEventsSettings
from shared.commands import load_settings, run_process
from shared.settings import DatabaseSettings

cli = typer.Typer(help="The webhook service: events over HTTP, for consumers without AMQP.", no_args_is_help=True)


@cli.command()
def api() -> None:
    """Answer API clients."""
    run_process(WebhookApiSettings, create_api_app, process="webhook-api")


@cli.command()
def events() -> None:
    """Take events from the broker and send them to those who subscribed."""
    run_process(WebhookEventsSettings, create_events_app, process="webhook-events")


@cli.command()
def migrate() -> None:
    """Bring the database to the newest revision."""
    from shared.database.migrations import upgrade  # alembic, which no other command needs to hold

    settings = load_settings(DatabaseSettings, process="webhook-migrate")
    upgrade(MIGRATIONS, settings.database_url.get_secret_value())


if __name__ == "__main__":
    cli()
