"""The app every process is: an API, or background work with its health."""

import gc
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Annotated

import uvicorn
from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.background import Work, running
from shared.database.engine import Database
from shared.http.auth import TokenVerifier, describe_faults_to_callers
from shared.http.errors import (
    BadRequest,
    Fault,
    Forbidden,
    NotFound,
    Unauthenticated,
    Unavailable,
    Unexpected,
    install_error_handlers,
)
from shared.http.health import Check, NotReady, broker_check, health_router, redis_check
from shared.http.middleware import RequestContext
from shared.http.openapi import documented, install_openapi, operation_name
from shared.messaging.consumer import Consumer
from shared.settings import ApiSettings, ProcessSettings

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]

_ERRORS = documented(
    BadRequest(
        "Invalid request",
        "companyId: Input should be greater than or equal to 1",
        [
            Fault(
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
    Unexpected("Internal server error"),
    Unavailable.database(),
)
"""What any endpoint may answer, each status by the error that is meant by it most often."""


def create_api(
    settings: ApiSettings,
    database: Database,
    *,
    title: str,
    routers: Sequence[APIRouter],
    lifespan: Lifespan | None = None,
) -> FastAPI:
    """An app that answers API clients. It needs its database; without broker and Redis it is slower, not away.

    Parameters
    ----------
    lifespan
        Held open while the app runs; for what a service adds to ``app.state``.
    """

    @asynccontextmanager
    async def lifetime(app: FastAPI) -> AsyncIterator[None]:
        async with lifespan(app) if lifespan else _nothing():
            yield
        await database.close()

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
    wanted = {
        "broker": broker_check(settings.amqp_url.get_secret_value()),
        "redis": redis_check(settings.redis_url.get_secret_value()),
    }
    _equip(app, required={"database": database.check}, wanted=wanted, lags={})
    app.add_exception_handler(RequestValidationError, describe_faults_to_callers)
    install_openapi(app)
    return app


def create_worker(
    settings: ProcessSettings,
    database: Database,
    *,
    title: str,
    works: Sequence[Work],
    lifespan: Lifespan | None = None,
) -> FastAPI:
    """An app that does ``works`` and answers nothing but questions about its health."""

    @asynccontextmanager
    async def lifetime(app: FastAPI) -> AsyncIterator[None]:
        async with (
            lifespan(app) if lifespan else _nothing(),
            running(works, stop_seconds=settings.shutdown_seconds),
        ):
            yield
        await database.close()

    app = FastAPI(title=title, lifespan=lifetime, openapi_url=None, docs_url=None, redoc_url=None)
    checks: dict[str, Check] = {"database": database.check}
    for work in works:
        checks[work.name] = _work_check(work)
    lags = {work.queue_name: partial(_lag, work) for work in works if isinstance(work, Consumer)}
    _equip(app, required=checks, wanted={}, lags=lags)
    return app


def _equip(
    app: FastAPI,
    *,
    required: Mapping[str, Check],
    wanted: Mapping[str, Check],
    lags: Mapping[str, Callable[[], float]],
) -> None:
    app.include_router(health_router(required, wanted, lags))
    install_error_handlers(app)
    app.add_middleware(RequestContext)


def _work_check(work: Work) -> Check:
    async def check() -> None:
        if not work.ready:
            raise NotReady(work.name)

    return check


def _lag(consumer: Consumer) -> float:
    return consumer.lag_seconds


@asynccontextmanager
async def _nothing() -> AsyncIterator[None]:
    yield


def serve(app: FastAPI, settings: ProcessSettings) -> None:
    """Run the app until SIGTERM or SIGINT; requests and messages under way are finished first."""
    # What the imports left lives as long as the process: looking through it again would only hold up requests.
    gc.collect()
    gc.freeze()
    uvicorn.run(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=settings.shutdown_seconds,
        # The gateway keeps its connections for 60 s; closing them first would race with a request on its way.
        timeout_keep_alive=75,
    )


async def _transaction(request: Request) -> AsyncIterator[AsyncConnection]:
    database: Database = request.app.state.database
    async with database.transaction() as connection:
        yield connection


Transaction = Annotated[AsyncConnection, Depends(_transaction, scope="function")]
"""Parameter of an endpoint: its transaction, committed before the answer leaves, rolled back when it raises."""
