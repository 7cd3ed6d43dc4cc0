"""``python -m services.campaign_svc api|events|migrate|rebuild``."""

import typer

from services.campaign_svc.app import MIGRATIONS, create_api_app, create_events_app, rebuild_totals
from services.campaign_svc.settings import CampaignApiSettings, CampaignEventsSettings
from shared.commands import load_settings, run_process, run_rebuild
from shared.database.migrations import upgrade
from shared.settings import DatabaseSettings

cli = typer.Typer(help="The campaign service: campaigns and their lifecycle.", no_args_is_help=True)


@cli.command()
def api() -> None:
    """Answer API clients."""
    run_process(CampaignApiSettings, create_api_app, process="campaign-api")


@cli.command()
def events() -> None:
    """Relay the outbox and keep the totals of campaigns."""
    run_process(CampaignEventsSettings, create_events_app, process="campaign-events")


@cli.command()
def migrate() -> None:
    """Bring the database to the newest revision."""
    settings = load_settings(DatabaseSettings, process="campaign-migrate")
    upgrade(MIGRATIONS, settings.database_url.get_secret_value())


@cli.command()
def rebuild() -> None:
    """Build the totals of leads and calls anew from the history of events; the old ones are shown until it is done."""
    run_rebuild(CampaignEventsSettings, rebuild_totals, process="campaign-rebuild", what="Totals")


if __name__ == "__main__":
    cli()
