"""The analytics service's processes, put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI

from services.analytics_svc.facts import projection
from services.analytics_svc.reports import campaign_endpoints, lead_endpoints
from services.analytics_svc.reports.cache import ReportCache
from services.analytics_svc.reports.campaign_lookup import CampaignDirectory
from services.analytics_svc.reports.service import Answers
from services.analytics_svc.rollups.version_check import RollupVersionCheck
from services.analytics_svc.settings import AnalyticsApiSettings, AnalyticsEventsSettings
from shared.database.engine import Database
from shared.http.app import create_api, create_worker
from shared.messaging.consumer import Consumer
from shared.messaging.housekeeping import Housekeeping
from shared.messaging.rebuild import RebuildResult, rebuild

MIGRATIONS = Path(__file__).parent / "migrations"


def create_api_app(settings: AnalyticsApiSettings) -> FastAPI:
    """``analytics-api``: answers API clients."""
    database = Database(
        settings.database_url.get_secret_value(), name="analytics-api", pool_size=settings.database_pool_size
    )
    cache = ReportCache(settings.redis_url.get_secret_value())
    directory = CampaignDirectory(database, str(settings.campaign_svc_url))

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.answers = Answers(database, cache)
        app.state.campaign_directory = directory
        yield
        await directory.close()
        await cache.close()

    return create_api(
        settings,
        database,
        title="Voice analytics",
        routers=[campaign_endpoints.router, lead_endpoints.router],
        lifespan=lifespan,
    )


def create_events_app(settings: AnalyticsEventsSettings) -> FastAPI:
    """``analytics-events``: projects the other services' events into facts and sums."""
    database = Database(
        settings.database_url.get_secret_value(), name="analytics-events", pool_size=settings.database_pool_size
    )
    return create_worker(
        settings,
        database,
        title="Voice analytics: events",
        works=[
            Consumer(settings.amqp_url.get_secret_value(), database, projection.SUBSCRIPTION),
            Housekeeping(database),
            RollupVersionCheck(database),
        ],
    )


async def rebuild_facts(settings: AnalyticsEventsSettings) -> RebuildResult:
    """Build facts and sums anew from the history of events."""
    database = Database(settings.database_url.get_secret_value(), name="analytics-rebuild", statement_seconds=0)
    try:
        return await rebuild(database, settings.amqp_url.get_secret_value(), projection.SUBSCRIPTION, projection.clear)
    finally:
        await database.close()
