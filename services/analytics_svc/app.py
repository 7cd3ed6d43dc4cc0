"""The processes of the analytics service, composed of their parts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI

from services.analytics_svc import projection
from services.analytics_svc.reports import campaign_endpoints, lead_endpoints
from services.analytics_svc.reports.cache import ReportCache
from services.analytics_svc.reports.campaign_lookup import CampaignLookup
from services.analytics_svc.reports.service import ReportService
from services.analytics_svc.rollups.version_check import RollupVersionCheck
from services.analytics_svc.settings import AnalyticsApiSettings, AnalyticsEventsSettings
from shared.clients.campaigns import CampaignClient
from shared.http.app import create_api, create_worker
from shared.messaging.consumer import Consumer
from shared.messaging.housekeeping import Housekeeping
from shared.messaging.rebuild import RebuildResult
from shared.service import open_database, rebuild_projection

MIGRATIONS = Path(__file__).parent / "migrations"


def create_api_app(settings: AnalyticsApiSettings) -> FastAPI:
    """Compose ``analytics-api``, which answers API clients."""
    database = open_database(settings, "analytics-api")
    cache = ReportCache(settings.redis_url.get_secret_value())
    campaign_client = CampaignClient(str(settings.campaign_svc_url))

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.reports = ReportService(database, cache)
        app.state.campaign_lookup = CampaignLookup(database, campaign_client)
        yield
        await campaign_client.close()
        await cache.close()

    return create_api(
        settings,
        database,
        title="Voice analytics",
        routers=[campaign_endpoints.router, lead_endpoints.router],
        lifespan=lifespan,
    )


def create_events_app(settings: AnalyticsEventsSettings) -> FastAPI:
    """Compose ``analytics-events``, which projects the other services' events into facts and roll-ups."""
    database = open_database(settings, "analytics-events")
    return create_worker(
        settings,
        database,
        title="Voice analytics: events",
        workers=[
            Consumer(settings.amqp_url.get_secret_value(), database, projection.SUBSCRIPTION),
            Housekeeping(database),
            RollupVersionCheck(database),
        ],
    )


async def rebuild_facts(settings: AnalyticsEventsSettings) -> RebuildResult:
    """Rebuild facts and roll-ups from the history of events."""
    return await rebuild_projection(settings, "analytics-rebuild", projection.SUBSCRIPTION, projection.clear)
