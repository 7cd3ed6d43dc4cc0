"""The analytics service's processes, put together."""

from pathlib import Path

from fastapi import FastAPI

from services.analytics_svc.facts.projection import project
from services.analytics_svc.queues import PROJECTIONS
from services.analytics_svc.reports import endpoints
from services.analytics_svc.settings import AnalyticsApiSettings, AnalyticsEventsSettings
from shared.database.engine import Database
from shared.http.app import create_api, create_worker
from shared.messaging.consumer import Consumer, Subscription
from shared.messaging.housekeeping import Housekeeping

MIGRATIONS = Path(__file__).parent / "migrations"
PROJECTION_BATCH = 50
"""Events in one transaction. An event may hold 500 leads, so this bounds the memory of a consumer that is behind."""


def create_api_app(settings: AnalyticsApiSettings) -> FastAPI:
    """``analytics-api``: answers API clients."""
    database = Database(
        settings.database_url.get_secret_value(), name="analytics-api", pool_size=settings.database_pool_size
    )
    return create_api(settings, database, title="Voice analytics", routers=[endpoints.router])


def create_events_app(settings: AnalyticsEventsSettings) -> FastAPI:
    """``analytics-events``: projects the other services' events into facts."""
    database = Database(
        settings.database_url.get_secret_value(), name="analytics-events", pool_size=settings.database_pool_size
    )
    subscription = Subscription(PROJECTIONS, project, batch=PROJECTION_BATCH)
    return create_worker(
        settings,
        database,
        title="Voice analytics: events",
        works=[Consumer(settings.amqp_url.get_secret_value(), database, subscription), Housekeeping(database)],
    )
