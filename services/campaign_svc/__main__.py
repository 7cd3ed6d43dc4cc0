"""``python -m services.campaign_svc api|events|migrate|rebuild``."""

from services.campaign_svc.app import MIGRATIONS, create_api_app, create_events_app, rebuild_totals
from services.campaign_svc.settings import CampaignApiSettings, CampaignEventsSettings
from shared.service import Process, Rebuild, service_cli

cli = service_cli(
    "campaign",
    "The campaign service: campaigns and their lifecycle.",
    api=Process(CampaignApiSettings, create_api_app, "Answer API clients."),
    events=Process(CampaignEventsSettings, create_events_app, "Relay the outbox and maintain the totals of campaigns."),
    migrations=MIGRATIONS,
    rebuild=Rebuild(
        CampaignEventsSettings,
        rebuild_totals,
        "Totals",
        "Rebuild the totals of leads and calls from the history of events; the old ones are served until it is done.",
    ),
)

if __name__ == "__main__":
    cli()
