"""``python -m services.webhook_svc api|events|migrate``."""

from services.webhook_svc.app import MIGRATIONS, create_api_app, create_events_app
from services.webhook_svc.settings import WebhookApiSettings, WebhookEventsSettings
from shared.service import Process, service_cli

cli = service_cli(
    "webhook",
    "The webhook service: events over HTTP, for consumers without AMQP.",
    api=Process(WebhookApiSettings, create_api_app, "Answer API clients."),
    events=Process(WebhookEventsSettings, create_events_app, "Consume events and send them to their subscriptions."),
    migrations=MIGRATIONS,
)

if __name__ == "__main__":
    cli()
