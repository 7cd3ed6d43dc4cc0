"""``python -m services.lead_svc api|events|migrate``."""

from services.lead_svc.app import MIGRATIONS, create_api_app, create_events_app
from services.lead_svc.settings import LeadApiSettings, LeadEventsSettings
from shared.service import Process, service_cli

cli = service_cli(
    "lead",
    "The lead service: leads, their imports, calls and exports.",
    api=Process(LeadApiSettings, create_api_app, "Answer API clients."),
    events=Process(LeadEventsSettings, create_events_app, "Relay the outbox and consume the other services' events."),
    migrations=MIGRATIONS,
)

if __name__ == "__main__":
    cli()
