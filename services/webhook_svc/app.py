"""The processes of the webhook service."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path

import httpx
from fastapi import FastAPI

from services.webhook_svc.deliveries import endpoints as delivery_endpoints
from services.webhook_svc.fanout import handler
from services.webhook_svc.sending import repository
from services.webhook_svc.sending.deliverer import Deliverer
from services.webhook_svc.sending.sender import Sender
from services.webhook_svc.sending.transport import PinnedTransport
from services.webhook_svc.settings import WebhookApiSettings, WebhookEventsSettings
from services.webhook_svc.subscriptions import endpoints as subscription_endpoints
from services.webhook_svc.subscriptions.repository import delete_expired_secrets
from shared.database import idempotency_keys
from shared.http.app import create_api, create_worker
from shared.messaging.consumer import Consumer
from shared.messaging.housekeeping import Housekeeping
from shared.service import open_database

MIGRATIONS = Path(__file__).parent / "migrations"


def create_api_app(settings: WebhookApiSettings) -> FastAPI:
    """Return the app of ``webhook-api``, which serves API clients."""
    database = open_database(settings, "webhook-api")
    app = create_api(
        settings,
        database,
        title="Webhooks",
        routers=[subscription_endpoints.router, delivery_endpoints.router],
    )
    app.state.destinations = settings.destinations
    return app


def create_events_app(settings: WebhookEventsSettings, *, transport: httpx.AsyncBaseTransport | None = None) -> FastAPI:
    """Return the app of ``webhook-events``, which consumes events and delivers them.

    Parameters
    ----------
    transport
        Carries the requests to receivers; by default a ``PinnedTransport`` with the allowed destinations.
    """
    database = open_database(settings, "webhook-events")
    sender = Sender(
        transport or PinnedTransport(settings.destinations), attempt_seconds=settings.webhook_attempt_seconds
    )
    deliverer = Deliverer(
        database,
        sender,
        attempt_seconds=settings.webhook_attempt_seconds,
        concurrency=settings.webhook_concurrency,
        concurrency_per_subscription=settings.webhook_concurrency_per_subscription,
    )

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        await sender.close()

    return create_worker(
        settings,
        database,
        title="Webhooks: events",
        workers=[
            Consumer(settings.amqp_url.get_secret_value(), database, handler.subscription(deliverer.notify)),
            deliverer,
            Housekeeping(
                database,
                idempotency_keys=idempotency_keys.delete_expired,
                events=partial(repository.delete_expired, retention=timedelta(days=settings.webhook_retention_days)),
                previous_secrets=delete_expired_secrets,
            ),
        ],
        lifespan=lifespan,
    )
