"""``python -m services.analytics_svc api|events|migrate|rebuild``."""

from services.analytics_svc.app import MIGRATIONS, create_api_app, create_events_app, rebuild_facts
from services.analytics_svc.settings import AnalyticsApiSettings, AnalyticsEventsSettings
from shared.service import Process, Rebuild, service_cli

cli = service_cli(
    "analytics",
    "The analytics service: reports on the other services' events.",
    api=Process(AnalyticsApiSettings, create_api_app, "Answer API clients."),
    events=Process(AnalyticsEventsSettings, create_events_app, "Consume the other services' events."),
    migrations=MIGRATIONS,
    rebuild=Rebuild(
        AnalyticsEventsSettings,
        rebuild_facts,
        "Facts",
        "Rebuild facts and roll-ups from the history of events; reports show the former ones until it is done.",
    ),
)

if __name__ == "__main__":
    cli()
