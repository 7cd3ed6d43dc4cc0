"""The campaign service's processes, put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from redis.asyncio import Redis

from services.campaign_svc.campaigns import endpoints
from services.campaign_svc.settings import CampaignApiSettings, CampaignEventsSettings
from shared.database.engine import Database
from shared.http.app import create_api, create_worker
from shared.http.health import CHECK_SECONDS, broker_check
from shared.messaging.relay import Relay

MIGRATIONS = Path(__file__).parent / "migrations"


def create_api_app(settings: CampaignApiSettings) -> FastAPI:
    """``campaign-api``: answers API clients; it needs its database and nothing else."""
    database = Database(
        settings.database_url.get_secret_value(), name="campaign-api", pool_size=settings.database_pool_size
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
        title="Voice campaigns",
        routers=[endpoints.router],
        wanted={"broker": broker_check(settings.amqp_url.get_secret_value()), "redis": redis.ping},
        lifespan=lifespan,
    )


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
