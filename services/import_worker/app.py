"""The import worker's process: it consumes import commands and loads each file in one transaction."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from services.import_worker.handler import import_handler
from services.import_worker.settings import ImportWorkerSettings
from services.lead_svc.imports.progress import ProgressPublisher, connect_redis
from services.lead_svc.queues import IMPORTS
from shared.background import Worker
from shared.database.engine import Database
from shared.http.app import create_worker
from shared.messaging.consumer import Consumer, Subscription


def create_app(settings: ImportWorkerSettings) -> FastAPI:
    """Return the app of ``import-worker``."""
    amqp_url = settings.amqp_url.get_secret_value()
    redis = connect_redis(settings.redis_url.get_secret_value())
    database = Database(
        settings.database_url.get_secret_value(),
        name="import-worker",
        pool_size=settings.import_concurrency + 1,
        # The largest file takes seconds; a worker that waits for a lock waits for another worker on the same job.
        statement_seconds=600,
    )
    # One message per batch: a batch of files would be one transaction.
    subscription = Subscription(IMPORTS, import_handler(ProgressPublisher(redis)), batch=1)
    workers: list[Worker] = [
        Consumer(amqp_url, database, subscription, number=number)
        for number in range(1, settings.import_concurrency + 1)
    ]

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        await redis.aclose()

    return create_worker(settings, database, title="Import worker", workers=workers, lifespan=lifespan)
