"""The campaign service's processes, put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI

from services.campaign_svc.campaign_lists import endpoints as list_endpoints
from services.campaign_svc.campaigns import endpoints as campaign_endpoints
from services.campaign_svc.campaigns.analytics_client import AnalyticsClient
from services.campaign_svc.members import endpoints as member_endpoints
from services.campaign_svc.settings import CampaignApiSettings, CampaignEventsSettings
from services.campaign_svc.totals import projection, repository
from shared.database import idempotency_keys
from shared.http.app import create_api, create_worker
from shared.messaging.consumer import Consumer
from shared.messaging.housekeeping import Housekeeping
from shared.messaging.rebuild import RebuildResult
from shared.messaging.relay import Relay
from shared.service import open_database, rebuild_projection

MIGRATIONS = Path(__file__).parent / "migrations"


def create_api_app(settings: CampaignApiSettings) -> FastAPI:
    """``campaign-api``: answers API clients."""
    database = open_database(settings, "campaign-api")

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.analytics = AnalyticsClient(str(settings.analytics_svc_url))
        yield
        await app.state.analytics.close()

    return create_api(
        settings,
        database,
        title="Voice campaigns",
        routers=[campaign_endpoints.router, list_endpoints.router, member_endpoints.router],
        lifespan=lifespan,
    )


def create_events_app(settings: CampaignEventsSettings) -> FastAPI:
    """``campaign-events``: relays the outbox, keeps the totals of campaigns."""
    database_url = settings.database_url.get_secret_value()
    amqp_url = settings.amqp_url.get_secret_value()
    database = open_database(settings, "campaign-events")
    return create_worker(
        settings,
        database,
        title="Voice campaigns: events",
        workers=[
            Relay(database_url, amqp_url),
            Consumer(amqp_url, database, projection.SUBSCRIPTION),
            Housekeeping(database, idempotency_keys=idempotency_keys.delete_expired),
        ],
    )


async def rebuild_totals(settings: CampaignEventsSettings) -> RebuildResult:
    """Build the totals of campaigns anew from the history of events."""
    return await rebuild_projection(settings, "campaign-rebuild", projection.SUBSCRIPTION, repository.clear)
