"""The campaign service's processes, put together."""

from pathlib import Path

from fastapi import FastAPI

from services.campaign_svc.campaigns import endpoints
from services.campaign_svc.settings import CampaignApiSettings, CampaignEventsSettings
from shared.database.engine import Database
from shared.http.app import create_api, create_worker
from shared.messaging.relay import Relay

MIGRATIONS = Path(__file__).parent / "migrations"


def create_api_app(settings: CampaignApiSettings) -> FastAPI:
    """``campaign-api``: answers API clients."""
    database = Database(
        settings.database_url.get_secret_value(), name="campaign-api", pool_size=settings.database_pool_size
    )
    return create_api(settings, database, title="Voice campaigns", routers=[endpoints.router])


def create_events_app(settings: CampaignEventsSettings) -> FastAPI:
    """``campaign-events``: relays the outbox."""
    database_url = settings.database_url.get_secret_value()
    database = Database(database_url, name="campaign-events", pool_size=settings.database_pool_size)
    return create_worker(
        settings,
        database,
        title="Voice campaigns: events",
        works=[Relay(database_url, settings.amqp_url.get_secret_value())],
    )
