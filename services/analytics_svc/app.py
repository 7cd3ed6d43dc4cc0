"""The analytics service's processes, put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from redis.asyncio import Redis

from services.analytics_svc.facts.projection import project
from services.analytics_svc.queues import PROJECTIONS
from services.analytics_svc.reports import endpoints
from services.analytics_svc.settings import AnalyticsApiSettings, AnalyticsEventsSettings
from shared.database.engine import Database
from shared.http.app import create_api, create_worker
from shared.http.health import CHECK_SECONDS, broker_check
from shared.messaging.consumer import Consumer, Subscription
from shared.messaging.housekeeping import Housekeeping

MIGRATIONS = Path(__file__).parent / "migrations"
PROJECTION_BATCH = 50
"""Events in one transaction. An event may hold 500 leads, so this bounds the memory of a consumer that is behind."""


def create_api_app(settings: AnalyticsApiSettings) -> FastAPI:
    """``analytics-api``: answers API clients; it needs its database and nothing else."""
    database = Database(
        settings.database_url.get_secret_value(), name="analytics-api", pool_size=settings.database_pool_size
    )
    redis = Redis.from_url(
        settings.redis_url.get_secret_value(), socket_timeout=CHECK_SECONDS, socket_connect_timeout=CHECK_SECONDS
    )

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        await redis.aclose()

    return create_api(
        settings,
        database,
        title="Voice analytics",
        routers=[endpoints.router],
        wanted={"broker": broker_check(settings.amqp_url.get_secret_value()), "redis": redis.ping},
        lifespan=lifespan,
    )


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
