"""The app of every process: an API, or background workers with their health."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from functools import partial
from types import FrameType
from typing import Annotated, Final

import uvicorn
from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.background import Worker, run_workers
from shared.database.engine import Database
from shared.http.auth import TokenVerifier, handle_validation_error_when_authenticated
from shared.http.errors import (
    BadRequest,
    FieldError,
    Forbidden,
    InternalServerError,
    NotFound,
    ServiceUnavailable,
    Unauthenticated,
    install_error_handlers,
)
from shared.http.health import Check, NotReadyError, broker_check, health_router, redis_check
from shared.http.middleware import RequestContext
from shared.http.openapi import documented_errors, install_openapi, operation_name
from shared.messaging.consumer import Consumer
from shared.process import freeze_imports, limit_shutdown
from shared.settings import ApiSettings, ProcessSettings

CLOSE_SECONDS: Final = 1.0
LAST_SECONDS: Final = 1.5
"""How long a process may take to end after the time that its requests and messages have for it."""

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]

_ERRORS = documented_errors(
    BadRequest(
        "Invalid request",
        "companyId: Input should be greater than or equal to 1",
        [
            FieldError(
                field="companyId",
                value="0",
                code="greater_than_equal",
                message="Input should be greater than or equal to 1",
            )
        ],
    ),
    Unauthenticated(),
    Forbidden("Access denied", "The token does not cover company 2"),
    NotFound("Resource not found"),
    InternalServerError("Internal server error"),
    ServiceUnavailable.database(),
)
"""The errors that any endpoint may return, each status by its most frequent error."""


def create_api(
    settings: ApiSettings,
    database: Database,
    *,
    title: str,
    routers: Sequence[APIRouter],
    lifespan: Lifespan | None = None,
) -> FastAPI:
    """Return an app that serves API clients. It needs its database; without broker and Redis it is slower, not down.

    Parameters
    ----------
    lifespan
        Entered when the app starts and left when it stops; for what a service adds to ``app.state``.
    """

    @asynccontextmanager
    async def lifetime(app: FastAPI) -> AsyncIterator[None]:
        async with lifespan(app) if lifespan else _nothing():
            yield
        await _close(database)

    app = FastAPI(
        title=title,
        lifespan=lifetime,
        docs_url=None,
        redoc_url=None,
        # A redirect would name this process, which clients behind the gateway cannot reach.
        redirect_slashes=False,
        responses=_ERRORS,
        generate_unique_id_function=operation_name,
    )
    app.state.database = database
    app.state.token_verifier = TokenVerifier(settings)
    for router in routers:
        app.include_router(router)
    optional = {
        "broker": broker_check(settings.amqp_url.get_secret_value()),
        "redis": redis_check(settings.redis_url.get_secret_value()),
    }
    _equip(app, required={"database": database.check}, optional=optional, lags={})
    app.add_exception_handler(RequestValidationError, handle_validation_error_when_authenticated)
    install_openapi(app)
    return app


def create_worker(
    settings: ProcessSettings,
    database: Database,
    *,
    title: str,
    workers: Sequence[Worker],
    lifespan: Lifespan | None = None,
) -> FastAPI:
    """Return an app that runs ``workers`` and serves nothing but its health and metrics."""

    @asynccontextmanager
    async def lifetime(app: FastAPI) -> AsyncIterator[None]:
        async with (
            lifespan(app) if lifespan else _nothing(),
            run_workers(workers, stop_seconds=settings.shutdown_seconds),
        ):
            yield
        await _close(database)

    app = FastAPI(title=title, lifespan=lifetime, openapi_url=None, docs_url=None, redoc_url=None)
    # A worker's `ready` is not enough: a broker that has fallen silent breaks no connection for a long time.
    checks: dict[str, Check] = {
        "database": database.check,
        "broker": broker_check(settings.amqp_url.get_secret_value()),
    }
    for worker in workers:
        checks[worker.name] = _worker_check(worker)
    lags = {worker.queue_name: partial(_lag, worker) for worker in workers if isinstance(worker, Consumer)}
    _equip(app, required=checks, optional={}, lags=lags)
    return app


def _equip(
    app: FastAPI,
    *,
    required: Mapping[str, Check],
    optional: Mapping[str, Check],
    lags: Mapping[str, Callable[[], float]],
) -> None:
    app.include_router(health_router(required, optional, lags))
    install_error_handlers(app)
    app.add_middleware(RequestContext)


def _worker_check(worker: Worker) -> Check:
    async def check() -> None:
        if not worker.ready:
            raise NotReadyError(worker.name)

    return check


def _lag(consumer: Consumer) -> float:
    return consumer.lag_seconds


async def _close(database: Database) -> None:
    """Close the connections to the database, and drop them when it does not answer."""
    with suppress(TimeoutError):
        async with asyncio.timeout(CLOSE_SECONDS):
            await database.close()


@asynccontextmanager
async def _nothing() -> AsyncIterator[None]:
    yield


class _Server(uvicorn.Server):
    """A server that ends in time, whatever it waits for."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop, and limit how long that may take."""
        if not self.should_exit:
            limit_shutdown((self.config.timeout_graceful_shutdown or 0) + LAST_SECONDS)
        super().handle_exit(sig, frame)


def serve(app: FastAPI, settings: ProcessSettings) -> None:
    """Run the app until SIGTERM or SIGINT; requests and messages in progress are finished first."""
    freeze_imports()
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=settings.shutdown_seconds,
        # The gateway reuses its connections for 60 s; closing them first would race with a request on its way.
        timeout_keep_alive=75,
    )
    with suppress(KeyboardInterrupt):  # uvicorn raises it after a SIGINT, when everything has been stopped
        _Server(config).run()


async def _transaction(request: Request) -> AsyncIterator[AsyncConnection]:
    database: Database = request.app.state.database
    async with database.transaction() as connection:
        yield connection


Transaction = Annotated[AsyncConnection, Depends(_transaction, scope="function")]
"""Parameter of an endpoint: its transaction, committed before the response is sent, rolled back on an error."""


async def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


ServiceDatabase = Annotated[Database, Depends(_database)]
"""Parameter of an endpoint: the service's database, for snapshots and for work that begins its own transaction."""
