"""The lead service's processes, put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI

from services.lead_svc.call_attempts import endpoints as call_attempt_endpoints
from services.lead_svc.campaigns.lookup import CampaignLookup
from services.lead_svc.campaigns.projection import project_campaigns
from services.lead_svc.do_not_call import endpoints as do_not_call_endpoints
from services.lead_svc.exports import endpoints as export_endpoints
from services.lead_svc.exports.service import ExportService
from services.lead_svc.imports import repository as import_repository
from services.lead_svc.imports.api import endpoints as import_endpoints
from services.lead_svc.imports.api import job_endpoints as import_job_endpoints
from services.lead_svc.imports.dead_letter_handler import abort_dead_imports
from services.lead_svc.imports.progress import ProgressSubscriber, connect_redis
from services.lead_svc.imports.service import ImportService
from services.lead_svc.leads import bulk_endpoints
from services.lead_svc.leads import endpoints as lead_endpoints
from services.lead_svc.queues import CAMPAIGN_COPY, IMPORTS
from services.lead_svc.settings import LeadApiSettings, LeadEventsSettings
from shared.background import run_workers
from shared.clients.campaigns import CampaignClient
from shared.database import idempotency_keys
from shared.http.app import create_api, create_worker
from shared.messaging.consumer import Consumer, Subscription
from shared.messaging.housekeeping import Housekeeping
from shared.messaging.relay import Relay
from shared.service import open_database

MIGRATIONS = Path(__file__).parent / "migrations"


def create_api_app(settings: LeadApiSettings) -> FastAPI:
    """``lead-api``: answers API clients."""
    database = open_database(settings, "lead-api")
    redis = connect_redis(settings.redis_url.get_secret_value())
    progress = ProgressSubscriber(redis)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        client = CampaignClient(str(settings.campaign_svc_url))
        campaigns = CampaignLookup(database, client)
        app.state.campaigns = campaigns
        app.state.imports = ImportService(
            database,
            campaigns,
            progress,
            wait_seconds=settings.import_wait_seconds,
            poll_seconds=settings.import_poll_seconds,
        )
        app.state.exports = ExportService(database, max_concurrent=max(1, settings.database_pool_size // 2))
        async with run_workers([progress], stop_seconds=settings.shutdown_seconds):
            yield
        await client.close()
        await redis.aclose()

    return create_api(
        settings,
        database,
        title="Voice leads",
        routers=[
            lead_endpoints.router,
            call_attempt_endpoints.router,
            bulk_endpoints.router,
            import_endpoints.router,
            import_job_endpoints.router,
            export_endpoints.router,
            do_not_call_endpoints.router,
        ],
        lifespan=lifespan,
    )


def create_events_app(settings: LeadEventsSettings) -> FastAPI:
    """``lead-events``: relays the outbox, keeps the copy of campaigns, ends imports that no worker could."""
    database_url = settings.database_url.get_secret_value()
    amqp_url = settings.amqp_url.get_secret_value()
    database = open_database(settings, "lead-events")
    redis = connect_redis(settings.redis_url.get_secret_value())
    abandoned = Subscription(IMPORTS, abort_dead_imports(redis), dead_letters=True)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        await redis.aclose()

    return create_worker(
        settings,
        database,
        title="Voice leads: events",
        workers=[
            Relay(database_url, amqp_url, command_queues=(IMPORTS,)),
            Consumer(amqp_url, database, Subscription(CAMPAIGN_COPY, project_campaigns)),
            Consumer(amqp_url, database, abandoned),
            Housekeeping(
                database,
                idempotency_keys=idempotency_keys.delete_expired,
                import_failed_rows=import_repository.delete_expired_failed_rows,
            ),
        ],
        lifespan=lifespan,
    )
